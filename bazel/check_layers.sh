#!/usr/bin/env bash
# Checks who depends on whom. A folder is a price in dependencies: it sees the
# folders and the libraries that its line names, and no others.
set -euo pipefail
cd "$(dirname "$0")/.."

absl='@com_google_absl//.*'
grpc='@com_github_grpc_grpc//:grpc\+\+'
protobuf='@com_google_protobuf//:(protobuf|.*_proto)'
prometheus='@com_github_jupp0r_prometheus_cpp//core:core' # never //pull
breaker='//breaker(/internal)?:.*'
std='<([a-z_0-9]+|fcntl\.h|netdb\.h|poll\.h|sched\.h|sys/rseq\.h|sys/stat\.h|time\.h|unistd\.h)>' # and POSIX
failed=0
folders=()

# none WHAT LINES: fails if there are lines.
none() {
  if [[ -n $2 ]]; then
    printf '%s:\n%s\n' "$1" "$2"
    failed=1
  fi
}

query() {
  ./bazelw query --noshow_progress --noimplicit_deps "$1" 2> >(grep -v '^INFO: ' >&2)
}

# layer FOLDER TARGETS INCLUDES: the folder depends on and includes nothing but
# what the patterns match, abseil, and itself. Both, for the headers of all that
# is installed lie where the compiler always looks: a missing dependency compiles.
layer() {
  folders+=("$1")
  none "$1 depends on what it must not" \
    "$(query "kind(rule, deps(//$1/..., 1) except //$1/...)" | grep -vxE "$absl|$2" || true)"
  none "$1 includes what it must not" \
    "$(grep -rnE '^ *# *include' --include='*.h' --include='*.cc' "$1" |
      grep -vE "include ($std|\"absl/|\"autobreaker/$1/|$3)" || true)"
}

# only USERS TARGETS: nobody else depends on the folder.
only() {
  folders+=("$1")
  none "who is to depend on $1 does not include" \
    "$(query "rdeps(//..., //$1/..., 1) except (//$1/...${2:+ + $2})")"
}

none_of_ours='^$'
layer breaker "$none_of_ours" "$none_of_ours"
layer interceptor \
  "$grpc|$protobuf|$breaker|//proto:(refusal_details|health_check)_cc_proto" \
  '<grpcpp/|<google/protobuf/|"autobreaker/(breaker/|proto/(refusal_details|health_check)\.pb\.h)'
layer exporter \
  "$prometheus|$breaker" \
  '<prometheus/|"autobreaker/breaker/'
layer config \
  "$protobuf|$breaker|@com_github_nlohmann_json//:json|//proto:config_cc_proto" \
  '<google/protobuf/|<nlohmann/|"autobreaker/(breaker/|proto/config\.pb\.h)'
layer admin \
  "$grpc|$protobuf|$breaker|//config:convert|//proto:(admin|config)_cc_.*" \
  '<grpcpp/|<google/protobuf/|"autobreaker/(breaker/|config/(convert|enum_numbers)\.h|proto/(admin|config)\.)'
layer tools \
  "$grpc|$protobuf|//:version|//breaker:breaker|//breaker/internal:utf8|//config:(config|convert)|//proto:(admin|config)_cc_.*" \
  '<grpcpp/|<google/protobuf/|"autobreaker/(breaker/(internal/utf8|key|registry)\.h|config/[^/]*\.h|proto/(admin|config)\.|version\.h)'
layer testing "$grpc|@com_google_googletest//:gtest|//(breaker:breaker|interceptor:interceptor)" \
  '<grpcpp/|"gmock/gmock\.h"|"autobreaker/(breaker|interceptor)/[^/]*"'
layer proto "$grpc|$protobuf" "$none_of_ours"
none "proto is for .proto files" \
  "$(find proto -type f ! -name '*.proto' ! -name BUILD.bazel)"

only examples "//benchmarks/... + //docs/... + //tests/... + //:demo"
only simulation "//tests/..."
only benchmarks ""
only tests "//docs/..."

# So that no new folder is forgotten.
none "folders with C++ that no line here is about" \
  "$(comm -23 <(find ./*/ -name '*.h' -o -name '*.cc' | grep -v '^\./bazel-' | cut -d/ -f2 | sort -u) \
    <(printf '%s\n' "${folders[@]}" | sort))"
exit "$failed"
