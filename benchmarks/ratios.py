"""Tables of benchmark ratios, and whether a run keeps to a table.

    ratios.py table RUN.json             prints the table of a run
    ratios.py check RUN.json TABLE.md    fails if a ratio is over twice the stated

RUN.json is what //benchmarks:breaker_benchmark writes with --benchmark_out. A
run with repetitions counts by its medians. In a table, a row begins with the
name of a benchmark and ends with its ratios at one and at two threads.
"""

import collections
import json
import pathlib
import re
import sys

ALLOWED = 2

# Two threads of these write the same line; what that takes depends on how far
# they happen to run at once.
CONTENDED = {
    "BM_AdmitFail",
    "BM_AdmitFailAtPeers/1",
    "BM_AdmitFailAtPeers/8",
    "BM_AdmitFailAtPeers/100",
    "BM_AdmitSucceedCapped",
    "BM_AdmitTenPercentFailures",
    "BM_Snapshot",
    "BM_UpdateOptions",
}
# These wait for memory, which has little to do with the floor.
MEMORY_BOUND = {"BM_AdmitSucceedAmong/131072", "BM_Lookup/10000"}


def read_run(path):
    """By benchmark and threads: nanoseconds and ratio."""
    run = collections.defaultdict(dict)
    benchmarks = json.loads(pathlib.Path(path).read_text())["benchmarks"]
    repeated = any(b["run_type"] == "aggregate" for b in benchmarks)
    benchmarks.sort(
        key=lambda b: (b["family_index"], b["per_family_instance_index"])
    )
    for b in benchmarks:
        if repeated and b.get("aggregate_name") != "median":
            continue
        name = re.sub(r"/threads:\d+|_median", "", b["name"])
        run[name][b["threads"]] = (b["cpu_time"], b["ratio"])
    return run


def read_table(path):
    """By benchmark and threads: the ratio."""
    stated = {}
    for line in pathlib.Path(path).read_text().splitlines():
        row = re.match(r"\| `(BM_[\w/]+)` \|.*\| ([\d.]+) \| ([\d.]*) *\|$", line)
        if row and row[1] not in MEMORY_BOUND and not row[1].endswith("Floor"):
            stated[row[1], 1] = float(row[2])
            if row[3] and row[1] not in CONTENDED:
                stated[row[1], 2] = float(row[3])
    return stated


def table(run):
    print("| Benchmark | ns, 1 thread | ns, 2 | ratio, 1 | ratio, 2 |")
    print("|---|---|---|---|---|")
    for name, by_threads in run.items():
        columns = [by_threads.get(threads) for threads in (1, 2)]
        cells = [f"{c[0]:.1f}" if c else "" for c in columns]
        cells += [f"{c[1]:.1f}" if c else "" for c in columns]
        print(f"| `{name}` | {' | '.join(cells)} |")


def check(run, stated):
    if not stated:
        return "the table states no ratio"
    failures = []
    for (name, threads), ratio in stated.items():
        if threads not in run.get(name, {}):
            failures.append(f"{name} was not run with {threads} threads")
            continue
        found = run[name][threads][1]
        over = found > ALLOWED * ratio
        print(f"{name:40} {threads} threads: {found:6.1f}, stated {ratio:6.1f}")
        if over:
            failures.append(
                f"{name} with {threads} threads takes {found:.1f} times its floor;"
                f" {ratio} is stated"
            )
    return "\n".join(failures)


def main(arguments):
    if arguments[:1] == ["table"] and len(arguments) == 2:
        return table(read_run(arguments[1]))
    if arguments[:1] == ["check"] and len(arguments) == 3:
        return check(read_run(arguments[1]), read_table(arguments[2])) or None
    return __doc__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
