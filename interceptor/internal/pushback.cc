#include "autobreaker/interceptor/internal/pushback.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace autobreaker {

absl::Duration PushbackIn(
    const std::multimap<grpc::string_ref, grpc::string_ref>&
        trailing_metadata) {
  const auto found = trailing_metadata.find("grpc-retry-pushback-ms");
  if (found == trailing_metadata.end()) return absl::ZeroDuration();
  const absl::string_view text(found->second.data(), found->second.size());
  int64_t milliseconds = 0;
  if (!absl::SimpleAtoi(text, &milliseconds) || milliseconds < 0) {
    return absl::ZeroDuration();
  }
  return absl::Milliseconds(milliseconds);
}

}  // namespace autobreaker
