// Prometheus takes label values in UTF-8 only: one stray byte, and it refuses
// the whole scrape.
#ifndef AUTOBREAKER_EXPORTER_UTF8_H_
#define AUTOBREAKER_EXPORTER_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace autobreaker {

// `text` with U+FFFD in the place of every byte that is not part of a valid
// UTF-8 sequence.
std::string ReplaceInvalidUtf8(absl::string_view text);

}  // namespace autobreaker

#endif  // AUTOBREAKER_EXPORTER_UTF8_H_
