#include "autobreaker/breaker/internal/utf8.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/strings/escaping.h"
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

// The code point of a valid sequence.
uint32_t CodePoint(absl::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence.front());
  if (sequence.size() == 1) return lead;
  uint32_t code = lead & (0x7Fu >> sequence.size());
  for (const char byte : sequence.substr(1)) {
    code = code << 6 | (static_cast<unsigned char>(byte) & 0x3Fu);
  }
  return code;
}

// Whether it only shows. Those that do not are of Unicode's categories Cc, Zl,
// Zp and the parts of Cf that turn text or cannot be seen.
bool Shows(uint32_t code) {
  constexpr std::pair<uint32_t, uint32_t> kOthers[] = {
      {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},      {0x61C, 0x61C},
      {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F},
      {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};
  return std::none_of(std::begin(kOthers), std::end(kOthers),
                      [code](const auto& others) {
                        return others.first <= code && code <= others.second;
                      });
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

std::string Escape(absl::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t valid = SequenceLength(text);
    const absl::string_view character =
        text.substr(0, std::max<size_t>(valid, 1));
    if (valid > 1 && Shows(CodePoint(character))) {
      absl::StrAppend(&escaped, character);
    } else {
      absl::StrAppend(&escaped, absl::CEscape(character));
    }
    text.remove_prefix(character.size());
  }
  return escaped;
}

std::string Printable(absl::string_view text) {
  absl::string_view rest = text;
  while (!rest.empty()) {
    const size_t length = SequenceLength(rest);
    if (length == 0 || !Shows(CodePoint(rest.substr(0, length)))) {
      return Escape(text);
    }
    rest.remove_prefix(length);
  }
  return std::string(text);
}

}  // namespace autobreaker
