#!/usr/bin/env bash
# Runs the demo as its user does: it shows what it promises and ends well, and
# what it cannot do it says in one line.
set -euo pipefail
demo=$(realpath "$1")
cd "$TEST_TMPDIR"
running=()

cleanup() {
  for pid in "${running[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
}
trap cleanup EXIT

fail() {
  echo "FAILED: $*"
  tail -n 30 output errors refused_* 2>/dev/null || true
  exit 1
}

# start ARGUMENT...: in the background, as `pid`, writing to `output`.
start() {
  : >output
  "$demo" --metrics_address=127.0.0.1:0 --admin_address=127.0.0.1:0 "$@" >output 2>errors </dev/null &
  pid=$!
  running+=("$pid")
}

# wait_for PATTERN: until a line of the output has it.
wait_for() {
  grep -qE -m1 -- "$1" < <(timeout 30 tail -n +1 -s 0.1 -f --pid="$pid" output) ||
    fail "never printed: $1"
}

# ends_with STATUS: the demo ends by itself, soon.
ends_with() {
  local status=0
  timeout 20 tail -s 0.1 -f --pid="$pid" /dev/null || fail "still running"
  wait "$pid" || status=$?
  [[ $status -eq $1 ]] || fail "ended with $status instead of $1"
}

has() {
  grep -qE -- "$1" output || fail "did not print: $1"
}

metrics_port() {
  sed -nE 's|^metrics: http://127\.0\.0\.1:([0-9]+)/metrics$|\1|p' output
}

# scrape: the metrics, without a program that fetches them.
scrape() {
  local connection
  exec {connection}<>"/dev/tcp/127.0.0.1/$(metrics_port)"
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&"$connection"
  timeout 10 cat <&"$connection"
}

# refuses PATTERN ARGUMENT...: one line on standard error that matches, no more.
refuses() {
  local status=0 pattern=$1
  shift
  timeout 20 "$demo" "$@" >refused_output 2>refused_errors </dev/null || status=$?
  [[ $status -ne 0 && $status -lt 124 ]] || fail "$* ended with $status"
  [[ $(wc -l <refused_errors) -eq 1 && ! -s refused_output ]] || fail "$* did not print one line"
  grep -qE -- "$pattern" refused_errors || fail "$* did not say: $pattern"
}

echo "Help"
help=$("$demo" --help) || true # abseil ends with 1
for flag in duration metrics_address admin_address target name cycle shadow config seed; do
  grep -q "^ *--$flag (" <<<"$help" || fail "--help does not list --$flag: $help"
done

echo "A run of six seconds"
start --duration=6s
wait_for '^metrics: http://127\.0\.0\.1:[1-9][0-9]*/metrics$'
port=$(metrics_port)
refuses "cannot serve metrics on 127.0.0.1:$port" --metrics_address="127.0.0.1:$port"
admin_port=$(sed -nE 's|^admin: 127\.0\.0\.1:([0-9]+),.*|\1|p' output)
# gRPC would log the reason as well.
GRPC_VERBOSITY=NONE refuses "cannot serve the admin service on 127.0.0.1:$admin_port" --metrics_address=127.0.0.1:0 --admin_address="127.0.0.1:$admin_port"
ends_with 0
has 'PlaceOrder +closed -> open [0-9.]+s +evidence ([0-9]+) failures in a row, \1 of \1 failures at ipv4:127\.0\.0\.1:[0-9]+$'
has '^ *[0-9.]+s +GetPrice +[a-z].* [0-9]+ calls +[0-9]+ failed +[0-9]+ refused +evidence +[0-9]+%$'
has '^Summary after [0-9.]+s$'
for method in Chat GetPrice PlaceOrder UploadReceipts WatchStock; do
  has "^  $method +[0-9]+ +[1-9][0-9]* .* (closed|open|half-open)$"
done
[[ ! -s errors ]] || fail "printed errors"
! grep -q $'\x1b' output || fail "wrote escape sequences to a file"

echo "Signals"
for signal in INT TERM; do
  start
  wait_for '^Ctrl-C'
  kill -s "$signal" "$pid"
  ends_with 0
  has '^Summary after'
done

echo "A shorter cycle, under another name"
start --cycle=10s --name=api-client
wait_for '^Ctrl-C'
has 'a round of faults takes 10s$'
wait_for '^ +1\.0s +PlaceOrder +the server fails'
wait_for 'PlaceOrder +half-open -> closed'
# The last to break; its own options are under that name, too.
wait_for 'Chat +closed -> open .* slow_call_rate '
metrics=$(scrape) || fail "no metrics"
grep -q '^circuit_breaker_state{name="api-client",' <<<"$metrics" || fail "the name is not in the metrics"
! grep -q 'name="shop"' <<<"$metrics" || fail "another name is in the metrics"
kill -s INT "$pid"
ends_with 0

echo "A server that is not there"
start --duration=60s --target=127.0.0.1:1
wait_for 'Check +closed -> open'
kill -s INT "$pid"
ends_with 0
has '^  Watch '

echo "Shadow mode"
start --shadow --cycle=10s
wait_for '^  in shadow mode: they refuse nothing'
wait_for 'PlaceOrder +closed -> open'
wait_for 'PlaceOrder +open .* 16 failed \([1-9][0-9]*\) refused'
metrics=$(scrape) || fail "no metrics"
shadow=circuit_breaker_shadow_rejected_total'\{.*method="PlaceOrder",reason="open"\} [1-9]'
grep -qE "^$shadow" <<<"$metrics" || fail "what would be refused is not in the metrics"
! grep -E '^circuit_breaker_rejected_total' <<<"$metrics" | grep -qv ' 0$' || fail "something was refused"
kill -s INT "$pid"
ends_with 0
has '^  In shadow mode [1-9][0-9]* calls passed that would be refused\.$'

echo "A configuration file"
echo '{"breakers": [{"names": [{}], "mode": "FORCED_OPEN"}]}' >breakers.json
start --config=breakers.json
wait_for '^  but for what breakers\.json says$'
wait_for 'GetPrice +forced open '
echo '{"breakers": [{"names": [{}]}]}' >breakers.new
mv breakers.new breakers.json
wait_for 'GetPrice +half-open -> closed'
kill -s INT "$pid"
ends_with 0

echo "What it cannot do"
refuses "'soon'.*duration" --duration=soon
refuses 'duration' --duration=-1s
refuses "'soon'.*cycle" --cycle=soon
refuses 'cycle must be from 5s to 24h, not 4s' --cycle=4s
refuses 'cycle must be from 5s to 24h' --cycle=-20s
refuses 'cycle must be from 5s to 24h' --cycle=inf
refuses 'name must be at most 100 bytes' --name="$(printf '%0101d' 0)"
refuses 'metrics_address' --metrics_address=8080
refuses 'metrics_address' --metrics_address=127.0.0.1:65536
refuses 'metrics_address' --metrics_address=127.0.0.256:0
refuses '--config: .*/nothing.json: No such file' --metrics_address=127.0.0.1:0 --admin_address=127.0.0.1:0 --config=nothing.json
refuses '--shadow is not for --config' --shadow --config=nothing.json
refuses 'admin_address' --admin_address=8081
refuses 'target' --metrics_address=127.0.0.1:0 --admin_address=127.0.0.1:0 --target=shop
refuses 'target' --metrics_address=127.0.0.1:0 --admin_address=127.0.0.1:0 --target=shop:0
refuses 'nonsense' --nonsense
refuses 'nonsense' nonsense
