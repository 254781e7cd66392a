"""cc_library whose headers are included by a path that nobody else has."""

load("@rules_cc//cc:defs.bzl", _cc_library = "cc_library")

def cc_library(name, **kwargs):
    """A cc_library; breaker/registry.h is included as "autobreaker/breaker/registry.h".

    Args:
      name: Name of the library.
      **kwargs: Passed on.
    """
    _cc_library(
        name = name,
        include_prefix = "autobreaker",
        strip_include_prefix = "/",
        **kwargs
    )
