#!/usr/bin/env bash
# Checks that what others could have too, and what a linker or a preprocessor
# would confuse, begins with autobreaker, and that internal means internal.
set -euo pipefail
cd "$(dirname "$0")/.."

# Public headers that include what is internal, and why.
may_include_internal=(
  breaker/circuit_breaker.h # a healthy call is inlined
)

# Anybody outside this repository.
outsider=@com_google_absl//:absl
failed=0

# none WHAT LINES: fails if there are lines.
none() {
  if [[ -n $2 ]]; then
    printf '%s:\n%s\n' "$1" "$2"
    failed=1
  fi
}

query() {
  ./bazelw query --noshow_progress "$1" 2> >(grep -v '^INFO: ' >&2)
}

# ours PATTERN...: files, but for the consumers, who are others.
ours() {
  git ls-files --cached --others --exclude-standard -- "$@" ':!tests/consumers'
}

# but PATTERN...: the lines of standard input that no pattern matches.
but() {
  grep -vE "$@" || true
}

guard() {
  local path=${1//[\/.]/_}
  echo "AUTOBREAKER_${path^^}_"
}

mapfile -t headers < <(ours '*.h')
mapfile -t sources < <(ours '*.h' '*.cc')
mapfile -t protos < <(ours '*.proto')

none "includes that are neither by a path of ours nor of a library" \
  "$(grep -nE '^ *# *include *"' "${sources[@]}" |
    but '"(autobreaker|absl|benchmark|gmock|gtest)/')"

none "macros that do not begin with AUTOBREAKER_" \
  "$(grep -nE '^ *# *define' "${headers[@]}" | but 'define AUTOBREAKER_')"

none "headers whose guard is not their path" \
  "$(for header in "${headers[@]}"; do
    grep -qx "#ifndef $(guard "$header")" "$header" || echo "$header"
  done)"

# The health service is gRPC's, and only the examples and tests link it.
none "packages of .proto files that do not begin with autobreaker" \
  "$(grep -nE '^package ' "${protos[@]}" | but ':package autobreaker[.;]|^examples/health/health.proto:')"
none ".proto files without a package" \
  "$(grep -LE '^package ' "${protos[@]}")"
none "proto_library whose files are not imported as autobreaker/" \
  "$(query 'kind("^proto_library", //...) except attr(import_prefix, "^autobreaker$", //...)')"

none "internal, and yet others may depend on it" \
  "$(query "visible($outsider, kind(rule, filter('/internal[:/]', //...)))")"

# All headers of the libraries that others may depend on, and of those below.
public=$(query "labels(hdrs, kind('cc_library rule', deps(
    kind('cc_library rule', visible($outsider, //...)))) intersect //...)" |
  grep '\.h$' | but '/internal[:/]' | sed 's,^//,,; s,:,/,; s,^/,,' | sort)
[[ -n $public ]] || none "no public header found" "//..."
none "internal headers in public ones: < allowed here, > found" \
  "$(diff <(printf '%s\n' "${may_include_internal[@]}" | sort) \
    <(xargs grep -lE 'include .*/internal/' <<<"$public" | sort) | grep '^[<>]' || true)"
exit "$failed"
