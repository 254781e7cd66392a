#!/usr/bin/env bash
# No rule is untested: without it, the unit tests of its file fail. So each
# recording rule has a value in one of them, and each alert fires.
set -euo pipefail
cp monitoring/*.yml "$TEST_TMPDIR"
cd "$TEST_TMPDIR"
untested=0

# covered KIND FILE: each rule of the file by another name, one after the other.
covered() {
  local names name
  names=$(sed -nE "s/^ +- $1: (.+)$/\1/p" "$2.yml")
  [[ -n $names ]] || { echo "no rules in $2.yml"; exit 1; }
  cp "$2.yml" rules
  for name in $names; do
    sed "s/ $1: $name\$/ $1: Other/" rules >"$2.yml"
    # Its unit tests, not another fault, must be what fails.
    promtool check rules "$2.yml" >output 2>&1 || { cat output; exit 1; }
    if promtool test rules "$2_test.yml" >output 2>&1; then
      echo "no unit test needs $name"
      untested=1
    fi
  done
  cp rules "$2.yml"
}

promtool test rules recording_rules_test.yml alerting_rules_test.yml
covered record recording_rules
covered alert alerting_rules
exit "$untested"
