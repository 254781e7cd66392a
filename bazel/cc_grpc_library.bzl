"""cc_grpc_library as gRPC's own, for the one use this project makes of it.

Bazel's own generate_cc writes no code for a proto_library with an import_prefix
once it is in a repository that others depend on.
"""

load("@rules_proto//proto:defs.bzl", "ProtoInfo")

def _stubs_impl(ctx):
    proto = ctx.attr.proto[ProtoInfo]
    package = "/".join([p for p in [ctx.label.workspace_root, ctx.label.package] if p])
    out = ctx.bin_dir.path
    if proto.proto_source_root.startswith(out + "/"):
        # With an import_prefix, in a directory of its own in the package.
        out = proto.proto_source_root
    elif ctx.label.workspace_root:
        out += "/" + ctx.label.workspace_root

    names = []  # as they are imported
    files = []
    for source in proto.direct_sources:
        if proto.proto_source_root == ".":
            names.append(source.path)
        else:
            names.append(source.path[len(proto.proto_source_root) + 1:])
        stub = (out + "/" + names[-1])[len(ctx.bin_dir.path + "/" + package) + 1:-len(".proto")]
        files += [ctx.actions.declare_file(stub + ending) for ending in [".grpc.pb.cc", ".grpc.pb.h"]]

    args = ctx.actions.args()
    args.add_joined("--descriptor_set_in", proto.transitive_descriptor_sets, join_with = ":")
    args.add("--plugin=protoc-gen-grpc=" + ctx.executable._plugin.path)
    args.add("--grpc_out=" + out)
    args.add_all(names)
    ctx.actions.run(
        arguments = [args],
        executable = ctx.executable._protoc,
        inputs = proto.transitive_descriptor_sets,
        mnemonic = "GenerateStubs",
        outputs = files,
        tools = [ctx.executable._plugin],
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset(files))]

_stubs = rule(
    implementation = _stubs_impl,
    attrs = {
        "proto": attr.label(mandatory = True, providers = [ProtoInfo]),
        "_plugin": attr.label(
            cfg = "exec",
            default = "@com_github_grpc_grpc//src/compiler:grpc_cpp_plugin",
            executable = True,
        ),
        "_protoc": attr.label(
            cfg = "exec",
            default = "@com_google_protobuf//:protoc",
            executable = True,
        ),
    },
)

def cc_grpc_library(name, srcs, deps, grpc_only, **kwargs):
    """Generates the stubs and services of a proto_library.

    Args:
      name: Name of the library.
      srcs: A list of one proto_library.
      deps: A list of the cc_proto_library made from it.
      grpc_only: Must be True: the messages come from deps.
      **kwargs: Passed on, for example visibility.
    """
    if not grpc_only or len(srcs) != 1:
        fail("cc_grpc_library here takes one proto_library and grpc_only = True")
    _stubs(
        name = "_" + name + "_generated",
        proto = srcs[0],
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
