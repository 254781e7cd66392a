#include "autobreaker/config/config_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "autobreaker/tests/support/scratch_directory.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kJsonText[] = R"({"breakers": [{"names": [{}]}]})";
constexpr char kTextprotoText[] = "breakers { names {} }";

class ConfigFileTest : public testing::Test {
 protected:
  // What is said about a file that cannot be read or is none.
  absl::Status Refusal(const std::string& path) {
    const Watchdog watchdog(path);
    const absl::Status status = ReadConfigFile(path).status();
    EXPECT_THAT(std::string(status.message()), StartsWith(path));
    return status;
  }

  ScratchDirectory scratch_;
};

TEST_F(ConfigFileTest, TheEndingOfTheNameTellsTheFormat) {
  for (const char* name : {"a.json", "a.textproto", "a.txtpb", "a.pbtxt"}) {
    const std::string path = scratch_.Path(name);
    const bool json = std::string(name) == "a.json";
    scratch_.Write(path, json ? kJsonText : kTextprotoText);
    EXPECT_TRUE(ReadConfigFile(path).ok()) << name;
    scratch_.Write(path, json ? kTextprotoText : kJsonText);
    EXPECT_FALSE(ReadConfigFile(path).ok()) << name;
  }
}

TEST_F(ConfigFileTest, OtherEndingsAreRefused) {
  for (const char* name : {"breakers", "a.yaml", "json", "a.json~", "a.JSON"}) {
    const std::string path = scratch_.Path(name);
    scratch_.Write(path, kJsonText);
    EXPECT_EQ(Refusal(path),
              absl::InvalidArgumentError(absl::StrCat(
                  path, ": must end in .json, .textproto, .txtpb or .pbtxt")));
  }
}

TEST_F(ConfigFileTest, AMissingFileIsNotFound) {
  EXPECT_EQ(Refusal(scratch_.Path("none.json")).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ConfigFileTest, ALinkThatLeadsNowhereIsNotFound) {
  const std::string path = scratch_.Path("link.json");
  scratch_.Link(path, "none.json");
  EXPECT_EQ(Refusal(path).code(), absl::StatusCode::kNotFound);
}

TEST_F(ConfigFileTest, ALinkThatLeadsToItselfIsRefused) {
  const std::string path = scratch_.Path("loop.json");
  scratch_.Link(path, "loop.json");
  EXPECT_FALSE(Refusal(path).ok());
}

TEST_F(ConfigFileTest, AFileThatMayNotBeReadIsDenied) {
  const std::string path = scratch_.Path("secret.json");
  scratch_.Write(path, kJsonText);
  std::filesystem::permissions(path, std::filesystem::perms::none);
  // Root may read everything, so it is read as somebody else.
  const uid_t user = geteuid();
  if (user == 0 && seteuid(65534) != 0) GTEST_SKIP() << "always root";
  EXPECT_EQ(Refusal(path).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(seteuid(user), 0);
}

TEST_F(ConfigFileTest, ADirectoryIsRefused) {
  const std::string path = scratch_.Path("directory.json");
  std::filesystem::create_directory(path);
  EXPECT_EQ(Refusal(path), absl::InvalidArgumentError(absl::StrCat(
                               path, ": is no regular file, must be one")));
}

TEST_F(ConfigFileTest, APipeIsRefusedAndNotWaitedFor) {
  const std::string path = scratch_.Path("pipe.json");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(Refusal(path), absl::InvalidArgumentError(absl::StrCat(
                               path, ": is no regular file, must be one")));
}

TEST_F(ConfigFileTest, ADeviceIsRefused) {
  scratch_.Link(scratch_.Path("zero.json"), "/dev/zero");
  EXPECT_EQ(Refusal(scratch_.Path("zero.json")).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ConfigFileTest, ALongFileIsRefusedByItsLength) {
  const std::string path = scratch_.Path("long.json");
  scratch_.WriteSparse(path, 100'000'000);
  EXPECT_EQ(Refusal(path),
            absl::InvalidArgumentError(absl::StrCat(
                path, ": is 100000000 bytes long, must be at most 1048576")));
}

TEST_F(ConfigFileTest, ReadsUpToTheGreatestLength) {
  const std::string path = scratch_.Path("greatest.json");
  const std::string text = kJsonText;
  scratch_.Write(path,
                 text + std::string(kMaxConfigFileSize - text.size(), ' '));
  EXPECT_TRUE(ReadConfigFile(path).ok());
  scratch_.Write(path,
                 text + std::string(kMaxConfigFileSize - text.size() + 1, ' '));
  EXPECT_THAT(std::string(Refusal(path).message()), HasSubstr("1048577 bytes"));
}

TEST_F(ConfigFileTest, ErrorsInTheTextBeginWithThePath) {
  const std::string path = scratch_.Path("bad.json");
  scratch_.Write(path, R"({"breakers": [{"x": 1}]})");
  EXPECT_THAT(std::string(Refusal(path).message()), HasSubstr("breakers[0]"));
}

}  // namespace
}  // namespace autobreaker
