#!/usr/bin/env bash
# Runs the example of a configuration that changes, as its reader does.
set -euo pipefail
program=$(realpath "$1")
config=$TEST_TMPDIR/breakers.json
output=$TEST_TMPDIR/output
pid=

cleanup() {
  if [[ -n $pid ]]; then kill -KILL "$pid" 2>/dev/null || true; fi
}
trap cleanup EXIT

fail() {
  echo "FAILED: $*"
  cat "$output"
  exit 1
}

# wait_for PATTERN: until a line of the output has it.
wait_for() {
  grep -qE -m1 -- "$1" < <(timeout 30 tail -n +1 -s 0.1 -f --pid="$pid" "$output") ||
    fail "never printed: $1"
}

# edit SED-COMMAND: replaces the file, as editors and deployments do.
edit() {
  sed "$1" "$config" >"$config.new"
  mv "$config.new" "$config"
}

: >"$output"
help=$("$program" --help) || true # abseil ends with 1
for flag in config duration; do
  grep -q "^ *--$flag (" <<<"$help" || fail "--help does not list --$flag: $help"
done

cp "$2" "$config"
"$program" --config="$config" --duration=60s >"$output" 2>&1 </dev/null &
pid=$!
wait_for '^  newcomer/GetPrice: shadow, open 100ms to 30s, on evidence$'
wait_for '^  payments/GetPrice: automatic, open 500ms to 10s, on evidence$'
wait_for '^  payments/PlaceOrder: automatic, open 100ms to 30s, after 5 failures in a row, too$'

edit 's/"10s"/"20s"/'
wait_for '^  payments/GetPrice: automatic, open 500ms to 20s, on evidence$'

edit 's/"20s"/"0.1s"/'
wait_for '^not loaded, nothing changed: .*breakers\.json: breakers\[0\] \{\}: options: open\.duration_max is 100ms'

edit 's/"0.1s"/"30s"/; s/SHADOW/FORCED_OPEN/'
wait_for '^  newcomer/GetPrice: forced_open, '

kill -s INT "$pid"
wait "$pid" || fail "ended with $?"
pid=

status=0
"$program" --config="$TEST_TMPDIR/breakers.yaml" >"$output" 2>&1 </dev/null || status=$?
[[ $status -eq 1 ]] || fail "ended with $status for a file of another format"
grep -q '^config_reload: --config: ' "$output" || fail "did not say what is wrong"
