#!/usr/bin/env bash
# Instructions of one synchronous unary call over loopback TCP: without an
# interceptor, with one that only proceeds, and with a closed breaker.
#
#   benchmarks/rpc_instructions.sh [RUNS [CALLS]]    (default: 15 runs, 1000 calls)
#
# Counted by valgrind's callgrind, which ./bazelw installs here (group
# `benchmarks`), in the client's calling thread and from the call to its return:
# that is where gRPC does nearly all of a synchronous call. The server is another
# process. Instructions of the kernel, and of reads of the clock, which valgrind
# makes the kernel's, are not counted.
#
# A run differs from the next, by up to 0.5 %, in what malloc finds and who else
# holds a lock, both of which only add. So the least of some interleaved runs is
# taken, which comes out the same to 0.2 %; the column beside it says how far up
# the others went. Takes two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-15}
calls=${2:-1000}

export BAZELW_GROUPS="build benchmarks"
./bazelw build //benchmarks:rpc_calls
program=bazel-bin/benchmarks/rpc_calls

# The server ends with its input, and so with this script at the latest.
coproc SERVER { exec "$program" --serve; }
read -r -t 10 address <&"${SERVER[0]}"

declare -A least most
for ((run = 0; run < runs; ++run)); do
  for variant in none idle closed; do
    collected=$(timeout 120 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
      --toggle-collect='*CountedCalls*' \
      "$program" --target="$address" --variant=$variant --calls="$calls" 2>&1 |
      sed -n 's/.*Collected : \([0-9]*\)$/\1/p')
    [[ -n $collected ]] || {
      echo "callgrind counted nothing" >&2
      exit 1
    }
    if [[ $collected -lt ${least[$variant]:-$collected} ]] || ((run == 0)); then least[$variant]=$collected; fi
    if [[ $collected -gt ${most[$variant]:-0} ]]; then most[$variant]=$collected; fi
  done
done

awk -v calls="$calls" -v none="${least[none]} ${most[none]}" -v idle="${least[idle]} ${most[idle]}" \
  -v closed="${least[closed]} ${most[closed]}" 'BEGIN {
    split(none, n); split(idle, i); split(closed, c)
    printf "%-26s %12s %8s\n", "instructions per call", "least", "spread"
    printf "%-26s %12.0f %+8.0f\n", "no interceptor", n[1] / calls, (n[2] - n[1]) / calls
    printf "%-26s %12.0f %+8.0f\n", "one that only proceeds", i[1] / calls, (i[2] - i[1]) / calls
    printf "%-26s %12.0f %+8.0f\n", "a closed breaker", c[1] / calls, (c[2] - c[1]) / calls
    printf "closed / only proceeds: %.4f, that is %+.0f\n", c[1] / i[1], (c[1] - i[1]) / calls
  }'
