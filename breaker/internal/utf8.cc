#include "autobreaker/breaker/internal/utf8.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace autobreaker {
namespace {

// The length of the valid sequence that `text` begins with, or 0. Only the
// second byte tells an overlong form, a surrogate or a code point above
// U+10FFFF from a valid one (table 3-7 of the Unicode standard).
size_t SequenceLength(absl::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto in = [](int value, int first, int last) {
    return first <= value && value <= last;
  };
  const int lead = byte(0);
  if (lead <= 0x7F) return 1;
  if (in(lead, 0xC2, 0xDF)) return in(byte(1), 0x80, 0xBF) ? 2 : 0;
  if (!in(byte(2), 0x80, 0xBF)) return 0;
  if (in(lead, 0xE0, 0xEF)) {
    const int first = lead == 0xE0 ? 0xA0 : 0x80;
    const int last = lead == 0xED ? 0x9F : 0xBF;
    return in(byte(1), first, last) ? 3 : 0;
  }
  if (!in(lead, 0xF0, 0xF4) || !in(byte(3), 0x80, 0xBF)) return 0;
  const int first = lead == 0xF0 ? 0x90 : 0x80;
  const int last = lead == 0xF4 ? 0x8F : 0xBF;
  return in(byte(1), first, last) ? 4 : 0;
}

// U+FFFD.
constexpr absl::string_view kReplaced = "\xEF\xBF\xBD";

}  // namespace

std::string ReplaceInvalidUtf8(absl::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    // The sign itself is replaced too, or it could be taken for another byte's.
    const size_t length =
        absl::StartsWith(text, kReplaced) ? 0 : SequenceLength(text);
    if (length == 0) {
      absl::StrAppend(&valid, kReplaced,
                      absl::Hex(static_cast<unsigned char>(text.front())));
      text.remove_prefix(1);
    } else {
      valid.append(text.data(), length);
      text.remove_prefix(length);
    }
  }
  return valid;
}

}  // namespace autobreaker
