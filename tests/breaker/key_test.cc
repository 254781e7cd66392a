#include "autobreaker/breaker/key.h"

#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(KeyTest, TextNamesThePartsThatAreNotEmpty) {
  EXPECT_EQ(ToString(BreakerKey{"payments", "shop.Orders", "Place"}),
            "{name \"payments\", service \"shop.Orders\", method \"Place\"}");
  EXPECT_EQ(ToString(BreakerKey{"", "shop.Orders", ""}),
            "{service \"shop.Orders\"}");
  EXPECT_EQ(ToString(BreakerKey{"", "shop.Orders", "Place", "tenant 7"}),
            "{service \"shop.Orders\", method \"Place\", partition \"tenant "
            "7\"}");
  EXPECT_EQ(ToString(BreakerKey()), "{}");
}

TEST(KeyTest, TextIsOneLineWhateverTheParts) {
  EXPECT_EQ(ToString(BreakerKey{"a\n\"b\"", "", ""}),
            "{name \"a\\n\\\"b\\\"\"}");
}

}  // namespace
}  // namespace autobreaker
