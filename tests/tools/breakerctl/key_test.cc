#include "autobreaker/tools/breakerctl/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace autobreaker::breakerctl {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

v1::BreakerKey MakeKey(const std::string& name, const std::string& service,
                       const std::string& method) {
  v1::BreakerKey key;
  key.set_name(name);
  key.set_service(service);
  key.set_method(method);
  return key;
}

v1::BreakerKey OrderKey() {
  return MakeKey("dns:///payments:443", "shop.v2.Orders", "PlaceOrder");
}

// The whole forms of what `text` means among these keys.
std::vector<std::string> Find(const std::string& text, bool all,
                              const std::vector<v1::BreakerKey>& keys) {
  const auto found = FindKeys(text, all, keys);
  std::vector<std::string> texts;
  if (!found.ok()) return {found.status().ToString()};
  for (const v1::BreakerKey& key : *found) texts.push_back(KeyText(key));
  return texts;
}

TEST(KeyText, HasAllParts) {
  EXPECT_EQ(KeyText(OrderKey()),
            "dns:///payments:443/shop.v2.Orders/PlaceOrder");
  EXPECT_EQ(KeyText(MakeKey("batch", "", "")), "batch//");
}

TEST(KeyText, HasThePartitionIfThereIsOne) {
  v1::BreakerKey key = OrderKey();
  key.set_partition("tenant-7");
  EXPECT_EQ(KeyText(key),
            "dns:///payments:443/shop.v2.Orders/PlaceOrder@tenant-7");
}

TEST(KeyText, EscapesWhatWouldDoMoreThanShow) {
  EXPECT_EQ(KeyText(MakeKey("a\n", "b\x1b[31m", "c\xC2\x9B")),
            "a\\n/b\\033[31m/c\\302\\233");
}

TEST(IsPartOf, TakesWholeParts) {
  for (const char* text :
       {"dns:///payments:443/shop.v2.Orders/PlaceOrder", "dns:///payments:443",
        "dns:///payments:443/shop.v2.Orders", "shop.v2.Orders",
        "shop.v2.Orders/PlaceOrder", "v2.Orders/PlaceOrder", "Orders",
        "Orders/PlaceOrder", "PlaceOrder", "payments:443", ""}) {
    EXPECT_TRUE(IsPartOf(text, OrderKey())) << text;
  }
}

TEST(IsPartOf, TakesNoPieces) {
  for (const char* text : {"Place", "Order", "shop", "dns", "payments",
                           "Orders/Place", "placeorder", "/", "."}) {
    EXPECT_FALSE(IsPartOf(text, OrderKey())) << text;
  }
}

TEST(IsPartOf, LooksAtEveryOccurrence) {
  EXPECT_TRUE(IsPartOf("Order", MakeKey("OrderOrder", "x.Order", "")));
}

TEST(FindKeys, TakesTheOnlyOneOfThisPart) {
  EXPECT_THAT(Find("PlaceOrder", false, {OrderKey(), MakeKey("a", "b", "c")}),
              ElementsAre(KeyText(OrderKey())));
}

TEST(FindKeys, TakesTheWholeKeyBeforeOthersThatItIsPartOf) {
  EXPECT_THAT(
      Find("a/b/c", false, {MakeKey("x/a", "b", "c"), MakeKey("a", "b", "c")}),
      ElementsAre("a/b/c"));
}

TEST(FindKeys, FindsTheBreakerOfAPartition) {
  const v1::BreakerKey shared = OrderKey();
  v1::BreakerKey seven = OrderKey();
  seven.set_partition("seven");
  v1::BreakerKey eight = OrderKey();
  eight.set_partition("eight");
  const std::vector<v1::BreakerKey> keys = {shared, seven, eight};
  for (const char* text : {"seven", "PlaceOrder@seven"}) {
    EXPECT_THAT(Find(text, false, keys), ElementsAre(KeyText(seven)));
  }
  EXPECT_THAT(Find(KeyText(shared), false, keys), ElementsAre(KeyText(shared)));
  EXPECT_THAT(Find("PlaceOrder", true, keys), testing::SizeIs(3));
}

TEST(FindKeys, ListsThoseItCouldBe) {
  const auto found = FindKeys(
      "c", false,
      {MakeKey("1", "b", "c"), MakeKey("2", "b", "c"), MakeKey("2", "b", "d")});
  EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(found.status().message(),
            "\"c\" could be 2 breakers: 1/b/c, 2/b/c");
}

TEST(FindKeys, ListsOnlyTheFirstOfMany) {
  std::vector<v1::BreakerKey> keys;
  for (int i = 0; i < 25; ++i)
    keys.push_back(MakeKey(absl::StrCat(i), "b", "c"));
  EXPECT_THAT(std::string(FindKeys("c", false, keys).status().message()),
              EndsWith(", 9/b/c and 15 more"));
}

TEST(FindKeys, DoesNotGuessBetweenKeysThatReadTheSame) {
  EXPECT_EQ(FindKeys("a/b/c/d", false,
                     {MakeKey("a/b", "c", "d"), MakeKey("a", "b/c", "d")})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(FindKeys, TakesAllOnDemand) {
  EXPECT_THAT(Find("2", true,
                   {MakeKey("1", "b", "c"), MakeKey("2", "b", "c"),
                    MakeKey("2", "b", "d")}),
              ElementsAre("2/b/c", "2/b/d"));
}

TEST(FindKeys, SaysThatThereIsNone) {
  const absl::Status status = FindKeys("Refund", true, {OrderKey()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no breaker is named \"Refund\""));
  EXPECT_THAT(std::string(FindKeys("Refund", true, {}).status().message()),
              HasSubstr("the program has none yet"));
}

}  // namespace
}  // namespace autobreaker::breakerctl
