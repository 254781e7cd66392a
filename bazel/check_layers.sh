#!/usr/bin/env bash
# Checks who depends on whom: examples, tests -> interceptor -> breaker, and
# exporter, proto -> breaker. Siblings never see each other, and each layer
# sees only the libraries it is the price of.
set -euo pipefail
cd "$(dirname "$0")/.."

outside="//examples/... + //tests/... + //benchmarks/..."
grpc="@com_github_grpc_grpc//..."
protobuf="@com_google_protobuf//..."
prometheus="@com_github_jupp0r_prometheus_cpp//..."
std='<([a-z_0-9]+|fcntl\.h|sched\.h|sys/rseq\.h|sys/stat\.h|time\.h|unistd\.h)>' # of the standard library and POSIX
failed=0

# layer NAME QUERY INCLUDES: no target of the layer reaches what QUERY names.
# The headers of every library lie where the compiler always looks, so a
# missing dependency would compile: no file includes but what INCLUDES matches.
layer() {
  local path includes
  path=$(./bazelw query --noshow_progress "somepath(//$1/..., $2)" 2> >(grep -v '^INFO: Empty' >&2))
  if [[ -n $path ]]; then
    printf '%s depends on what it must not:\n%s\n' "$1" "$path"
    failed=1
  fi
  includes=$(grep -rnE '^ *# *include' --include='*.h' --include='*.cc' "$1" |
    grep -vE "include ($std|\"absl/|\"$1/$3)") || true
  if [[ -n $includes ]]; then
    printf '%s includes what it must not:\n%s\n' "$1" "$includes"
    failed=1
  fi
}

layer breaker \
  "$outside + //interceptor/... + //exporter/... + //proto/... + $grpc + $protobuf + $prometheus" ""
layer interceptor \
  "$outside + //exporter/... + //proto/... + $prometheus" \
  '|"breaker/|<grpcpp/|<google/protobuf/'
layer exporter \
  "$outside + //interceptor/... + //proto/... + $grpc + $protobuf + @com_github_jupp0r_prometheus_cpp//pull/..." \
  '|"breaker/|<prometheus/'
layer proto \
  "$outside + //interceptor/... + //exporter/... + $prometheus" \
  '|"breaker/|<grpcpp/|<google/protobuf/'
exit "$failed"
