// A directory of its own for a test, and verbs for what operators do to files.
//
//   ScratchDirectory scratch;
//   const std::string path = scratch.Path("breakers.json");
//   scratch.Write(path, "{}");
//
// A verb that cannot do its work fails the test. The directory is removed with
// all that is in it.
#ifndef AUTOBREAKER_TESTS_SUPPORT_SCRATCH_DIRECTORY_H_
#define AUTOBREAKER_TESTS_SUPPORT_SCRATCH_DIRECTORY_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace autobreaker {

class ScratchDirectory {
 public:
  ScratchDirectory() : path_(testing::TempDir() + "/scratch_XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr) << path_;
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }

  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

  // In place, if it is there.
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text << std::flush;
    EXPECT_TRUE(file.good()) << path;
  }

  // By way of another file, which takes the name.
  void Replace(const std::string& path, const std::string& text) const {
    Write(Path("new"), text);
    std::filesystem::rename(Path("new"), path);
  }

  // Makes `link` lead to `target` at once, whatever it was.
  void Link(const std::string& link, const std::string& target) const {
    std::filesystem::create_symlink(target, Path("new_link"));
    std::filesystem::rename(Path("new_link"), link);
  }

  // A file of that many bytes that takes no space.
  static void WriteSparse(const std::string& path, uintmax_t size) {
    Write(path, "");
    std::filesystem::resize_file(path, size);
  }

 private:
  std::string path_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_SUPPORT_SCRATCH_DIRECTORY_H_
