// The name of a breaker may be any bytes; Prometheus and protobuf take UTF-8
// only, and refuse a whole scrape or message for one stray byte.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_UTF8_H_
#define AUTOBREAKER_BREAKER_INTERNAL_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace autobreaker {

// `text` with U+FFFD and the byte's two hexadecimal digits in the place of
// every byte that is not part of a valid UTF-8 sequence, and of U+FFFD itself,
// so that texts that differ still do.
std::string ReplaceInvalidUtf8(absl::string_view text);

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_UTF8_H_
