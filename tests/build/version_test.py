"""Everything that must repeat the version of version.h does so."""

import json
import pathlib
import re
import unittest


def read(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


VERSION = ".".join(
    re.search(rf"AUTOBREAKER_VERSION_{part} (\d+)", read("version.h"))[1]
    for part in ("MAJOR", "MINOR", "PATCH")
)


class VersionTest(unittest.TestCase):

    def test_the_constant_is_that_of_the_macros(self):
        self.assertIn(f'kVersion[] = "{VERSION}"', read("version.h"))

    def test_the_module_has_it(self):
        self.assertIn(f'version = "{VERSION}"', read("MODULE.bazel").split(")")[0])

    def test_vcpkg_has_it(self):
        port = json.loads(read("packaging/vcpkg/autobreaker/vcpkg.json"))
        self.assertEqual(port["version-semver"], VERSION)


if __name__ == "__main__":
    unittest.main()
