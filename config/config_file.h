// The configuration of breakers in a file: JSON in one that is named *.json,
// protobuf's text format in *.textproto, *.txtpb and *.pbtxt.
//
//   absl::StatusOr<v1::Config> config = ReadConfigFile("breakers.json");
//   if (!config.ok()) return config.status();
//
// Thread-safety: free functions without state.
#ifndef AUTOBREAKER_CONFIG_CONFIG_FILE_H_
#define AUTOBREAKER_CONFIG_CONFIG_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "autobreaker/config/config.h"
#include "autobreaker/proto/config.pb.h"

namespace autobreaker {

// Longer files, in bytes, are refused without being read.
inline constexpr int64_t kMaxConfigFileSize = 1 << 20;

// By the ending of the name. INVALID_ARGUMENT if it is none of those above.
absl::StatusOr<ConfigFormat> ConfigFormatOf(const std::string& path);

// The bytes of the file. Never waits for another process, as opening a pipe
// does. INVALID_ARGUMENT if it is no regular file or longer than
// kMaxConfigFileSize; NOT_FOUND, PERMISSION_DENIED or what else the system says
// if it cannot be read. Errors begin with the path.
absl::StatusOr<std::string> ReadConfigText(const std::string& path);

// Both, and ParseConfig().
absl::StatusOr<v1::Config> ReadConfigFile(const std::string& path);

}  // namespace autobreaker

#endif  // AUTOBREAKER_CONFIG_CONFIG_FILE_H_
