"""Compares the files that Bazel and CMake build each library from."""

import pathlib
import re
import sys
import unittest

SOURCES = pathlib.Path(sys.argv[1])
FOLDERS = sys.argv[2:]


def of_bazel():
    """The paths of all C++ sources and headers that Bazel knows."""
    labels = SOURCES.read_text(encoding="utf-8").split()
    paths = {label[2:].replace(":", "/").lstrip("/") for label in labels if label.startswith("//")}
    return {path for path in paths if path.endswith((".cc", ".h"))}


def of_cmake(folder):
    """The paths that a folder's CMakeLists.txt names."""
    text = (pathlib.Path(folder) / "CMakeLists.txt").read_text(encoding="utf-8")
    text = re.sub(r"#.*", "", text)
    return {f"{folder}/{name}" for name in re.findall(r"[\w/]+\.(?:cc|h)\b", text)}


class SameSourcesTest(unittest.TestCase):

    def test_each_library_is_of_the_same_files(self):
        bazel = of_bazel()
        for folder in FOLDERS:
            with self.subTest(folder):
                expected = {path for path in bazel if path.startswith(folder + "/")}
                self.assertTrue(expected)
                # Headers of a program are installed nowhere, and not listed.
                if folder == "tools/breakerctl":
                    expected = {path for path in expected if path.endswith(".cc")}
                self.assertEqual(sorted(expected - of_cmake(folder)), [])
                self.assertEqual(sorted(of_cmake(folder) - bazel), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
