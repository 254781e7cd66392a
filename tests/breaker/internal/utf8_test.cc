#include "autobreaker/breaker/internal/utf8.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "absl/strings/escaping.h"

namespace autobreaker {
namespace {

// What stands for a byte that is not valid; `hex` are its two digits.
std::string Bad(const std::string& hex) { return "\xEF\xBF\xBD" + hex; }

TEST(ReplaceInvalidUtf8, KeepsWhatIsValid) {
  // Both ends of every length, and around the surrogates.
  for (const std::string text :
       {"", "shop.Shop", "quote \" backslash \\ line\n", "\x7F", "\xC2\x80",
        "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
        "caf\xC3\xA9 \xE2\x98\x95"}) {
    EXPECT_EQ(ReplaceInvalidUtf8(text), text);
  }
  EXPECT_EQ(ReplaceInvalidUtf8(std::string(1, '\0')), std::string(1, '\0'));
}

TEST(ReplaceInvalidUtf8, ReplacesEveryByteOfWhatIsNot) {
  for (const std::string text : {
           "\x80", "\xBF",                      // continuation with no start
           "\xC0\x80", "\xC1\xBF",              // overlong
           "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",  // overlong
           "\xED\xA0\x80", "\xED\xBF\xBF",      // surrogates
           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",  // above U+10FFFF
           "\xFE", "\xFF",                          // never used
           "\xC2", "\xE2\x98", "\xF0\x90\x80",      // cut off
       }) {
    std::string expected;
    for (const char byte : text) {
      char hex[3];
      std::snprintf(hex, sizeof(hex), "%02x", static_cast<unsigned char>(byte));
      expected += Bad(hex);
    }
    EXPECT_EQ(ReplaceInvalidUtf8(text), expected);
  }
}

TEST(ReplaceInvalidUtf8, GoesOnBehindWhatItReplaced) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xFF"
                               "b\xC3\xA9\xE2\x98"),
            "a" + Bad("ff") + "b\xC3\xA9" + Bad("e2") + Bad("98"));
  EXPECT_EQ(ReplaceInvalidUtf8("\xE2\xC3\xA9"), Bad("e2") + "\xC3\xA9");
}

TEST(ReplaceInvalidUtf8, KeepsDifferentTextsDifferent) {
  EXPECT_NE(ReplaceInvalidUtf8("\xFE"), ReplaceInvalidUtf8("\xFF"));
  EXPECT_NE(ReplaceInvalidUtf8(Bad("ff")), ReplaceInvalidUtf8("\xFF"));
}

// U+001B, U+007F, U+009B, U+00AD, U+061C, U+200B, U+202E, U+2028, U+2066,
// U+FEFF and U+E0041.
const char* const kHidden[] = {
    "\x1B",         "\x7F",         "\xC2\x9B",        "\xC2\xAD",
    "\xD8\x9C",     "\xE2\x80\x8B", "\xE2\x80\xAE",    "\xE2\x80\xA8",
    "\xE2\x81\xA6", "\xEF\xBB\xBF", "\xF3\xA0\x81\x81"};

TEST(Printable, LeavesWhatShows) {
  for (const std::string text :
       {"", "größe \"a\" \\", "caf\xC3\xA9 \xE2\x98\x95", "\xC2\xA0",
        "\xE2\x80\xAF", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(Printable, EscapesTheWholeTextIfAnyOfItDoesMore) {
  EXPECT_EQ(Printable("é\"\n"), "é\\\"\\n");
  EXPECT_EQ(Printable("x\r\nINFO all is well"), "x\\r\\nINFO all is well");
  EXPECT_EQ(Printable("\xFF"), "\\377");
  for (const std::string hidden : kHidden) {
    EXPECT_EQ(Printable("a" + hidden), "a" + absl::CEscape(hidden));
  }
}

TEST(Escape, EscapesQuotesAndWhatDoesNotShow) {
  EXPECT_EQ(Escape("é\"\\"), "é\\\"\\\\");
  EXPECT_EQ(Escape("\xC3"), "\\303");
  for (const std::string hidden : kHidden) {
    EXPECT_EQ(Escape(hidden), absl::CEscape(hidden));
  }
}

}  // namespace
}  // namespace autobreaker
