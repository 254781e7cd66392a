"""The external repositories of this workspace, all from Debian packages."""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")
load(":system_repository.bzl", "system_repository")

# The header-only targets of abseil and those with a library look alike here:
# each gets abseil's whole link line, from which the linker keeps what is called.
_ABSL = {
    "algorithm": ["container"],
    "base": ["base", "config", "core_headers", "log_severity"],
    "cleanup": ["cleanup"],
    "container": ["btree", "fixed_array", "flat_hash_map", "flat_hash_set", "inlined_vector", "node_hash_map"],
    "debugging": ["failure_signal_handler", "leak_check", "stacktrace", "symbolize"],
    "flags": ["flag", "marshalling", "parse", "reflection", "usage"],
    "functional": ["any_invocable", "bind_front", "function_ref"],
    "hash": ["hash"],
    "memory": ["memory"],
    "meta": ["type_traits"],
    "numeric": ["bits", "int128"],
    "random": ["bit_gen_ref", "distributions", "mocking_bit_gen", "random"],
    "status": ["status", "statusor"],
    "strings": ["cord", "str_format", "strings"],
    "synchronization": ["synchronization"],
    "time": ["time"],
    "types": ["any", "optional", "span", "variant"],
    "utility": ["utility"],
}

# Well-known protos and what each imports; libprotobuf has their code.
_WELL_KNOWN_PROTOS = {
    "any": [],
    "api": ["source_context", "type"],
    "descriptor": [],
    "duration": [],
    "empty": [],
    "field_mask": [],
    "source_context": [],
    "struct": [],
    "timestamp": [],
    "type": ["any", "source_context"],
    "wrappers": [],
}

_PROTOBUF = """
sh_binary(
    name = "protoc",
    srcs = ["bin/protoc"],
)

# Lists the well-known types, or they would be generated and linked twice.
proto_lang_toolchain(
    name = "cc_toolchain",
    blacklisted_protos = {well_known},
    command_line = "--cpp_out=$(OUT)",
    runtime = ":protobuf",
)
""".format(well_known = repr([":%s_proto" % name for name in _WELL_KNOWN_PROTOS])) + "".join([
    """
proto_library(
    name = "{0}_proto",
    srcs = ["google/protobuf/{0}.proto"],
    deps = {1},
)
""".format(name, repr([":%s_proto" % dep for dep in deps]))
    for name, deps in _WELL_KNOWN_PROTOS.items()
])

_GRPC_CPP_PLUGIN = """
sh_binary(
    name = "grpc_cpp_plugin",
    srcs = ["bin/grpc_cpp_plugin"],
)
"""

# Debian's rules_cc does not load on Debian's Bazel; the native rules are all it forwards to.
_RULES_CC = "".join([
    "{0} = native.{0}\n".format(rule)
    for rule in [
        "cc_binary",
        "cc_import",
        "cc_library",
        "cc_proto_library",
        "cc_test",
        "cc_toolchain",
        "cc_toolchain_suite",
        "objc_library",
    ]
])

def debian_repositories():
    """Declares every external repository, and those Bazel would download for itself.

    Leaves alone what the workspace has declared before.
    """
    maybe(
        system_repository,
        name = "com_google_absl",
        libraries = dict(
            {
                "absl/%s:%s" % (package, target): ["//:absl"]
                for package, targets in _ABSL.items()
                for target in targets
            },
            **{":absl": ["absl_*"]}
        ),
        requires = ["/usr/include/absl/base/config.h"],
    )
    maybe(
        system_repository,
        name = "com_google_protobuf",
        builds = {"": _PROTOBUF},
        libraries = {":protobuf": ["protobuf", "pthread"]},
        links = dict(
            {
                "google/protobuf/%s.proto" % name: "/usr/include/google/protobuf/%s.proto" % name
                for name in _WELL_KNOWN_PROTOS
            },
            **{"bin/protoc": "/usr/bin/protoc"}
        ),
        requires = ["/usr/bin/protoc", "/usr/include/google/protobuf/message.h"],
    )
    maybe(
        system_repository,
        name = "com_github_grpc_grpc",
        builds = {
            "src/compiler": _GRPC_CPP_PLUGIN,
        },
        files = {"bazel/cc_grpc_library.bzl": "//bazel:cc_grpc_library.bzl"},
        libraries = {
            # gRPC's headers inline calls into abseil.
            ":grpc++": ["grpc++", "grpc", "gpr", "@com_google_absl//:absl", "@com_google_protobuf//:protobuf"],
            ":grpc++_error_details": ["grpc++_error_details", ":grpc++"],
            ":grpc++_reflection": ["grpc++_reflection", ":grpc++"],
            ":grpcpp_channelz": ["grpcpp_channelz", ":grpc++"],
        },
        links = {
            "src/compiler/bin/grpc_cpp_plugin": "/usr/bin/grpc_cpp_plugin",
        },
        requires = [
            "/usr/bin/grpc_cpp_plugin",
            "/usr/include/grpcpp/grpcpp.h",
        ],
    )
    maybe(
        system_repository,
        name = "com_github_jupp0r_prometheus_cpp",
        libraries = {
            "core:core": ["prometheus-cpp-core"],
            "pull:pull": ["prometheus-cpp-pull", "//core"],
        },
        requires = ["/usr/include/prometheus/registry.h"],
    )
    maybe(
        system_repository,
        name = "com_github_nlohmann_json",
        libraries = {":json": []},
        requires = ["/usr/include/nlohmann/json.hpp"],
    )
    maybe(
        system_repository,
        name = "com_google_googletest",
        libraries = {
            ":gtest": ["gmock", "gtest", "pthread"],
            # The main of gmock sets up gtest too.
            ":gtest_main": ["gmock_main", ":gtest"],
        },
        requires = ["/usr/include/gmock/gmock.h", "/usr/include/gtest/gtest.h"],
    )
    maybe(
        system_repository,
        name = "com_github_google_benchmark",
        libraries = {
            ":benchmark": ["benchmark", "pthread"],
            ":benchmark_main": ["benchmark_main", ":benchmark"],
        },
        requires = ["/usr/include/benchmark/benchmark.h"],
    )

    # The rest is Bazel's prelude, which downloads whatever is not declared.
    maybe(
        system_repository,
        name = "rules_cc",
        builds = {"cc": ""},
        contents = {"cc/defs.bzl": _RULES_CC},
    )
    maybe(
        system_repository,
        name = "remote_coverage_tools",
        builds = {"": "".join([
            "filegroup(name = '%s')\n" % name
            for name in ["coverage_report_generator", "lcov_merger"]
        ])},
    )
    for language in ["java", "proto"]:
        maybe(
            native.local_repository,
            name = "rules_" + language,
            path = "/usr/share/bazel/rules/" + language,
        )
