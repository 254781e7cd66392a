// The name of a breaker may be any bytes; Prometheus and protobuf take UTF-8
// only, and refuse a whole scrape or message for one stray byte. And a terminal
// or a log takes what it should only show for commands.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_UTF8_H_
#define AUTOBREAKER_BREAKER_INTERNAL_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace autobreaker {

// `text` with U+FFFD and the byte's two hexadecimal digits in the place of
// every byte that is not part of a valid UTF-8 sequence, and of U+FFFD itself,
// so that texts that differ still do.
std::string ReplaceInvalidUtf8(absl::string_view text);

// `text` for a place between quotes: C escapes for quotes, backslashes, bytes
// that are not UTF-8, and every character that moves a cursor, turns the
// direction of text or cannot be seen: control characters such as U+001B and
// U+009B, and formats such as U+202E and U+200B. Other characters stay.
std::string Escape(absl::string_view text);

// `text` itself if a terminal and a log can show all of it, else Escape(text).
std::string Printable(absl::string_view text);

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_UTF8_H_
