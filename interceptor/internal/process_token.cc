#include "autobreaker/interceptor/internal/process_token.h"

#include <cstddef>
#include <cstdint>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"

namespace autobreaker {

const std::string& ProcessToken() {
  static const std::string* const token = [] {
    absl::BitGen random;
    const auto digits = [&random] {
      return absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16);
    };
    return new std::string(absl::StrCat(digits(), digits()));
  }();
  return *token;
}

void EraseProcessToken(grpc::Status* status) {
  const std::string& token = ProcessToken();
  std::string details = status->error_details();
  size_t at = details.find(token);
  if (at == std::string::npos) return;
  for (; at != std::string::npos; at = details.find(token, at)) {
    details.replace(at, token.size(), token.size(), '0');
  }
  *status =
      grpc::Status(status->error_code(), status->error_message(), details);
}

}  // namespace autobreaker
