#include "autobreaker/simulation/markdown_table.h"

#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

TEST(MarkdownTable, HasAHeadAndRows) {
  MarkdownTable table({"a", "b"});
  table.Add({"1", "2"});
  EXPECT_EQ(table.text(), "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
}

TEST(MarkdownTable, NumbersAreShort) {
  EXPECT_EQ(Short(0), "0");
  EXPECT_EQ(Short(0.4242), "0.42");
  EXPECT_EQ(Short(4), "4");
  EXPECT_EQ(Short(4.25), "4.2");
  EXPECT_EQ(Short(42.4), "42");
  EXPECT_EQ(Short(1234567), "1,234,567");
}

}  // namespace
}  // namespace autobreaker::decisions
