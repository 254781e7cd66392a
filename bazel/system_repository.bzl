"""A repository whose libraries are the ones installed on the system.

The compiler already searches the system's headers and libraries, so a target
here is only a name and a link line. Our BUILD files depend on the names the
ecosystem uses, and a program that brings its own gRPC gets its own.
"""

def _expand(repository_ctx, library):
    """Returns the libraries that match `library`, which may end in a *."""
    if not library.endswith("*"):
        return [library]
    found = repository_ctx.execute(["gcc", "-print-multiarch"])
    if found.return_code:
        fail("gcc is missing; ./bazelw installs what the build needs")
    start = "lib" + library[:-1]
    directory = repository_ctx.path("/usr/lib/" + found.stdout.strip())
    names = [entry.basename for entry in directory.readdir()]
    return sorted([n[len("lib"):-len(".so")] for n in names if n.startswith(start) and n.endswith(".so")])

def _cc_library(repository_ctx, name, needs):
    """Returns a cc_library; a need is a label (it has a colon or //) or a library."""
    deps = [n for n in needs if ":" in n or "//" in n]
    links = ["-l" + l for n in needs if n not in deps for l in _expand(repository_ctx, n)]
    if [n for n in needs if n.endswith("*")]:
        # Only those a program really calls end up in it.
        links = ["-Wl,--push-state,--as-needed"] + links + ["-Wl,--pop-state"]
    return """
cc_library(
    name = {name},
    linkopts = {links},
    deps = {deps},
)
""".format(name = repr(name), links = repr(links), deps = repr(deps))

def _system_repository_impl(repository_ctx):
    for path in repository_ctx.attr.requires:
        if not repository_ctx.path(path).exists:
            fail("{} is missing; ./bazelw installs what the build needs".format(path))

    builds = {}
    for package, text in repository_ctx.attr.builds.items():
        builds[package] = text
    for label, needs in repository_ctx.attr.libraries.items():
        package, _, name = label.partition(":")
        builds[package] = builds.get(package, "") + _cc_library(repository_ctx, name, needs)
    for path, label in repository_ctx.attr.files.items():
        package = path.rpartition("/")[0]
        builds.setdefault(package, "")
        repository_ctx.symlink(Label(label), path)
    for path, text in repository_ctx.attr.contents.items():
        repository_ctx.file(path, text)
    for link, path in repository_ctx.attr.links.items():
        repository_ctx.symlink(path, link)
    for package, text in builds.items():
        repository_ctx.file(
            package + "/BUILD.bazel" if package else "BUILD.bazel",
            'package(default_visibility = ["//visibility:public"])\n' + text,
        )

system_repository = repository_rule(
    implementation = _system_repository_impl,
    attrs = {
        "libraries": attr.string_list_dict(
            doc = "'package:target' to what it needs: system libraries (a trailing * matches), labels.",
        ),
        "builds": attr.string_dict(doc = "Package to text of its BUILD file, before the libraries."),
        "files": attr.string_dict(doc = "Path in the repository to the label of a file of ours."),
        "contents": attr.string_dict(doc = "Path in the repository to the text of the file."),
        "links": attr.string_dict(doc = "Path in the repository to a path on the system."),
        "requires": attr.string_list(doc = "Paths on the system that must exist."),
    },
    local = True,
)
