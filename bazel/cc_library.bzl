"""cc_library whose headers are included by a path that nobody else has."""

load("@rules_cc//cc:defs.bzl", _cc_library = "cc_library")

def _including_impl(ctx):
    files = []
    for header in ctx.attr.headers:
        files.append(ctx.actions.declare_file("{}/{}.cc".format(ctx.label.name, header)))
        include = '#include "autobreaker/{}/{}"\n'.format(ctx.label.package, header)
        ctx.actions.write(files[-1], include)
    return [DefaultInfo(files = depset(files))]

# For each header a source file that includes it and nothing else.
_including = rule(
    implementation = _including_impl,
    attrs = {"headers": attr.string_list(mandatory = True)},
)

def cc_library(name, hdrs, **kwargs):
    """A cc_library; breaker/registry.h is included as "autobreaker/breaker/registry.h".

    `bazel build` of <name>_headers, or of all, shows that each header compiles
    by itself. `bazel test` leaves that out (.bazelrc).

    Args:
      name: Name of the library.
      hdrs: Names of its headers.
      **kwargs: Passed on.
    """
    _cc_library(
        name = name,
        hdrs = hdrs,
        include_prefix = "autobreaker",
        strip_include_prefix = "/",
        **kwargs
    )

    _including(
        name = name + "_including",
        headers = hdrs,
        tags = ["headers"],
        visibility = ["//visibility:private"],
    )
    _cc_library(
        name = name + "_headers",
        testonly = True,
        srcs = [":%s_including" % name],
        # Only whether they compile is of interest, and once is enough.
        copts = ["-O0"],
        features = ["-supports_pic"],
        linkstatic = True,
        tags = ["headers"],
        visibility = ["//visibility:private"],
        deps = [":" + name],
    )
