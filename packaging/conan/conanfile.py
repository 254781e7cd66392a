"""A package of this very tree: conan create packaging/conan --build=missing"""

import pathlib
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

ROOT = pathlib.Path(__file__).parents[2]


class AutoBreaker(ConanFile):
    name = "autobreaker"
    description = "Circuit breakers for gRPC"
    license = "Apache-2.0"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}

    def set_version(self):
        header = load(self, ROOT / "version.h")
        self.version = re.search(r'kVersion\[\] = "(.*)"', header)[1]

    def export_sources(self):
        copy(self, "*", src=ROOT, dst=self.export_sources_folder, excludes=["bazel-*", ".git/*"])

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        # Headers of ours include headers of these.
        self.requires("grpc/1.72.0", transitive_headers=True)
        self.requires("prometheus-cpp/1.2.3", transitive_headers=True)
        self.requires("nlohmann_json/3.12.0")

    def build_requirements(self):
        self.tool_requires("grpc/<host_version>")
        self.tool_requires("protobuf/<host_version>")

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for part in ("BREAKERCTL", "EXAMPLES", "TESTING", "TESTS"):
            toolchain.cache_variables[f"AUTOBREAKER_{part}"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", src=self.source_folder, dst=f"{self.package_folder}/licenses")

    def package_info(self):
        # The package has its own files for find_package().
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/autobreaker"]
