#include "autobreaker/config/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace autobreaker {
namespace {

absl::Status Refuse(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", why));
}

absl::Status RefuseLength(const std::string& path, int64_t length) {
  return Refuse(path,
                absl::StrCat("is ", length, " bytes long, must be at most ",
                             kMaxConfigFileSize));
}

}  // namespace

absl::StatusOr<ConfigFormat> ConfigFormatOf(const std::string& path) {
  if (absl::EndsWith(path, ".json")) return ConfigFormat::kJson;
  for (const char* ending : {".textproto", ".txtpb", ".pbtxt"}) {
    if (absl::EndsWith(path, ending)) return ConfigFormat::kTextproto;
  }
  return Refuse(path, "must end in .json, .textproto, .txtpb or .pbtxt");
}

absl::StatusOr<std::string> ReadConfigText(const std::string& path) {
  // Without O_NONBLOCK it would wait for the other end of a pipe.
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return absl::ErrnoToStatus(errno, path);
  const absl::Cleanup closer = [file] { close(file); };
  struct stat about;
  if (fstat(file, &about) != 0) return absl::ErrnoToStatus(errno, path);
  if (!S_ISREG(about.st_mode)) {
    return Refuse(path, "is no regular file, must be one");
  }
  if (about.st_size > kMaxConfigFileSize) {
    return RefuseLength(path, about.st_size);
  }
  // It may grow meanwhile, so its size tells how much to expect and no more.
  std::string text;
  for (;;) {
    char part[16384];
    const ssize_t length = read(file, part, sizeof(part));
    if (length == 0) return text;
    if (length < 0) {
      if (errno == EINTR) continue;
      return absl::ErrnoToStatus(errno, path);
    }
    text.append(part, static_cast<size_t>(length));
    if (text.size() > static_cast<size_t>(kMaxConfigFileSize)) {
      return RefuseLength(path, static_cast<int64_t>(text.size()));
    }
  }
}

absl::StatusOr<v1::Config> ReadConfigFile(const std::string& path) {
  const absl::StatusOr<ConfigFormat> format = ConfigFormatOf(path);
  if (!format.ok()) return format.status();
  const absl::StatusOr<std::string> text = ReadConfigText(path);
  if (!text.ok()) return text.status();
  return ParseConfig(*text, *format, path);
}

}  // namespace autobreaker
