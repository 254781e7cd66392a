// The results get into the documentation, and nothing else of it changes.

#include "autobreaker/simulation/docs.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

TEST(ReplaceMarked, OnlyWhatIsMarkedChanges) {
  const std::string page =
      absl::StrCat("before\n", kBeginMark, "old\n", kEndMark, "after\n");
  EXPECT_EQ(
      ReplaceMarked(page, "new\n").value(),
      absl::StrCat("before\n", kBeginMark, "\nnew\n\n", kEndMark, "after\n"));
}

TEST(ReplaceMarked, TwiceIsAsOnce) {
  const std::string page = absl::StrCat(kBeginMark, kEndMark);
  const std::string once = ReplaceMarked(page, "new\n").value();
  EXPECT_EQ(ReplaceMarked(once, "new\n").value(), once);
}

TEST(ReplaceMarked, APageWithoutBothMarksIsRefused) {
  EXPECT_FALSE(ReplaceMarked("page", "new").ok());
  EXPECT_FALSE(ReplaceMarked(kBeginMark, "new").ok());
  EXPECT_FALSE(ReplaceMarked(absl::StrCat(kEndMark, kBeginMark), "new").ok());
}

}  // namespace
}  // namespace autobreaker::decisions
