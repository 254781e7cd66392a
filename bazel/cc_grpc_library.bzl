"""cc_grpc_library as gRPC's own, for the one use this project makes of it."""

load("@bazel_tools//third_party/grpc/bazel:generate_cc.bzl", "generate_cc")

def cc_grpc_library(name, srcs, deps, grpc_only, generate_mocks = False, **kwargs):
    """Generates the stubs and services of a proto_library.

    Args:
      name: Name of the library.
      srcs: A list of one proto_library.
      deps: A list of the cc_proto_library made from it.
      grpc_only: Must be True: the messages come from deps.
      generate_mocks: Whether to generate a mock of each stub as well.
      **kwargs: Passed on, for example visibility.
    """
    if not grpc_only or len(srcs) != 1:
        fail("cc_grpc_library here takes one proto_library and grpc_only = True")
    generate_cc(
        name = "_" + name + "_generated",
        srcs = srcs,
        plugin = "@com_github_grpc_grpc//src/compiler:grpc_cpp_plugin",
        protoc = "@com_google_protobuf//:protoc",
        generate_mocks = generate_mocks,
        **kwargs
    )
    native.cc_library(
        name = name,
        srcs = [":_" + name + "_generated"],
        hdrs = [":_" + name + "_generated"],
        # Where the compiler finds those of a proto_library with an import_prefix.
        includes = ["_virtual_imports/" + srcs[0].rpartition(":")[2]],
        deps = deps + ["@com_github_grpc_grpc//:grpc++"],
        **kwargs
    )
