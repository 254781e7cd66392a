#!/usr/bin/env bash
# Runs the small examples as their reader does: each shows what it promises and
# ends by itself.
set -euo pipefail

fail() {
  echo "FAILED: $*"
  cat "$TEST_TMPDIR/output"
  exit 1
}

# run PROGRAM: to its end, into `output`.
run() {
  echo "$1"
  timeout 60 "$1" >"$TEST_TMPDIR/output" 2>&1 </dev/null || fail "ended with $?"
}

has() {
  grep -qE -- "$1" "$TEST_TMPDIR/output" || fail "did not print: $1"
}

for program in "$@"; do
  run "$program"
  case ${program##*/} in
    fallback)
      has 's  1999 cents from the shop$'
      has 's  1999 cents from the cache, since the call failed$'
      has 's  1999 cents from the cache, since the breaker is open$'
      # It is back.
      tail -n 1 "$TEST_TMPDIR/output" | grep -q 'from the shop$' || fail "the shop did not come back"
      ;;
    health_endpoint)
      has '^health of "shop": nothing was called'
      has '^health of "shop": SERVING$'
      has '^health of "shop": NOT_SERVING$'
      has '^  autobreaker\.shop\.Shop/GetPrice: evidence, 4 of 14 calls failed$'
      has '^health of "": SERVING$'
      ;;
    outlier_detection)
      # answered, failed, refused; four times: without anything, with a breaker,
      # with outlier detection, with both.
      has '^one bad( +[0-9]+ +[0-9]+ +0){4}$'
      has '^one bad( +[0-9]+ +[1-9][0-9]* +0){2}( +[0-9]+ +0 +0){2}$'
      has '^all bad( +0 +[0-9]+ +0 +0 +[0-9]+ +[1-9][0-9]*){2}$'
      ;;
    shared_registry)
      has '^  berlin   GetPrice  closed     20 calls   0 failed$'
      has '^  berlin   GetPrice  open       24 calls   4 failed$'
      has '^  madrid   GetPrice  closed     20 calls   0 failed$'
      has 'sends 0 calls\.$'
      ;;
    *) fail "no test of $program" ;;
  esac
done
