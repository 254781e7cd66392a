"""Writes modules for Bazel 7 and later whose code is that of Debian's packages.

    python3 bazel/system_modules.py FOLDER

makes a folder for each module and FOLDER/bazelrc, which puts them in the place
of those of the central registry; so nothing is downloaded. ./bazelw does that.

What a module is of, debian.bzl says, for Bazel with a WORKSPACE. It is read here
as Python, of which Bazel's language is a part.
"""

import pathlib
import re
import subprocess
import sys
from types import SimpleNamespace

HERE = pathlib.Path(__file__).resolve().parent

# By the names that BUILD files have for them.
MODULES = {
    "com_github_google_benchmark": "google_benchmark",
    "com_github_grpc_grpc": "grpc",
    "com_github_jupp0r_prometheus_cpp": "prometheus-cpp",
    "com_github_nlohmann_json": "nlohmann_json",
    "com_google_absl": "abseil-cpp",
    "com_google_googletest": "googletest",
    "com_google_protobuf": "protobuf",
}
# What their .bzl files load. Debian has it for its Bazel, which knows where.
RULES = {"grpc": {"com_google_protobuf", "rules_proto"}}
# That only the tests of this repository need. Bazel refuses to override what
# nobody names.
OF_TESTS = "google_benchmark"
# Bazel asks for these before it knows that nobody needs them.
UNUSED = ["apple_support", "buildozer", "zlib"]


class Path:
    """What a repository rule sees of a path."""

    def __init__(self, path):
        self._path = pathlib.Path(path)
        self.basename = self._path.name
        self.exists = self._path.exists()

    def readdir(self):
        return [Path(entry) for entry in self._path.iterdir()]


class Context:
    """What a repository rule sees of its repository: a folder."""

    def __init__(self, folder, attributes):
        names = ["libraries", "builds", "files", "contents", "links"]
        self.attr = SimpleNamespace(
            **{"requires": [], **{name: {} for name in names}, **attributes}
        )
        self._folder = folder
        self.texts = []

    def path(self, path):
        return Path(path)

    def execute(self, command):
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        return SimpleNamespace(return_code=done.returncode, stdout=done.stdout)

    def file(self, path, text):
        self._write(path).write_text(text)
        self.texts.append(text)

    def symlink(self, target, path):
        self._write(path).symlink_to(target)

    def _write(self, path):
        path = self._folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        return path


def fail(message):
    sys.exit(f"system_modules: {message}")


def read(file, names):
    """The globals of a .bzl file, which sees `names`."""
    names = {"fail": fail, "load": lambda *_, **__: None, **names}
    exec(compile((HERE / file).read_text(), file, "exec"), names)
    return names


def system_repositories():
    """Keywords of each system_repository() of debian.bzl, and what such a rule does."""
    rule = read(
        "system_repository.bzl",
        {
            "Label": lambda label: HERE.parent / label[2:].replace(":", "/"),
            "attr": SimpleNamespace(
                string_dict=dict, string_list=dict, string_list_dict=dict
            ),
            "repository_rule": lambda **kwargs: kwargs["implementation"],
        },
    )["system_repository"]
    found = []
    names = {
        "maybe": lambda rule_, **kwargs: found.append(kwargs) if rule_ == rule else None,
        "native": SimpleNamespace(local_repository=None),
        "system_repository": rule,
    }
    read("debian.bzl", names)["debian_repositories"]()
    return found, rule


def module(name, repository, uses):
    """The text of MODULE.bazel, for a module that BUILD files call `repository`."""
    lines = [f'module(name = "{name}", repo_name = "{repository}")']
    for use in sorted(uses - {repository}):
        lines.append(f'bazel_dep(name = "{MODULES.get(use, use)}", repo_name = "{use}")')
    return "\n".join(lines) + "\n"


def workspace_names(module_name):
    """Whether the MODULE.bazel of the workspace that we are in names a module."""
    here = pathlib.Path.cwd()
    for parent in [here, *here.parents]:
        file = parent / "MODULE.bazel"
        if file.exists():
            return f'"{module_name}"' in file.read_text()
    return False


def main(folder):
    overrides = []

    def override(name):
        (folder / name).mkdir(parents=True, exist_ok=True)
        overrides.append(f"common --override_module={name}={folder / name}\n")
        return folder / name

    found, rule = system_repositories()
    for repository in found:
        if repository["name"] not in MODULES:
            continue
        name = MODULES[repository["name"]]
        context = Context(override(name), {k: v for k, v in repository.items() if k != "name"})
        rule(context)
        uses = set(re.findall(r"@(\w+)//", "".join(context.texts))) & MODULES.keys()
        uses |= RULES.get(name, set())
        (folder / name / "MODULE.bazel").write_text(module(name, repository["name"], uses))
    for name in UNUSED:
        (override(name) / "MODULE.bazel").write_text(module(name, name, set()))
        (folder / name / "BUILD.bazel").touch()
    if not workspace_names(OF_TESTS):
        overrides = [line for line in overrides if f"={OF_TESTS}=" not in line]
    (folder / "bazelrc").write_text("common --noenable_workspace\n" + "".join(overrides))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
