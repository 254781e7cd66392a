// A server that hands on the refusal of a breaker, or makes one up.
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

const BreakerKey kKey = {"payments", "shop.Orders", "Place"};

grpc::Status RefusalOf(absl::Duration retry_after) {
  Refusal refusal;
  refusal.reason = RefusalReason::kForcedOpen;
  refusal.retry_after = retry_after;
  return MakeRefusalStatus(kKey, refusal);
}

class Relayed : public ::testing::TestWithParam<ShopCall> {
 protected:
  static grpc::Status CallOf(GuardedShop& shop) {
    shop.service.AnswerWith(RefusalOf(absl::Seconds(1)));
    shop.service.SetTrailingMetadata({{kRefusalMetadataKey, "forced_open"}});
    grpc::ClientContext context;
    return GetParam().run({shop.channel, &context}).status;
  }
};

TEST_P(Relayed, IsNotTakenForARefusalOfThisCall) {
  GuardedShop shop;
  const grpc::Status status = CallOf(shop);
  EXPECT_FALSE(ParseRefusal(status).has_value());
  const std::optional<RefusalInfo> relayed = ParseRelayedRefusal(status);
  ASSERT_TRUE(relayed.has_value());
  EXPECT_EQ(relayed->key, kKey);
  EXPECT_EQ(relayed->reason, RefusalReason::kForcedOpen);
  EXPECT_EQ(relayed->retry_after, absl::Seconds(1));
}

TEST_P(Relayed, IsAFailureByDefault) {
  GuardedShop shop;
  CallOf(shop);
  EXPECT_EQ(shop.SnapshotOf(GetParam().method).failures, 1u);
}

TEST_P(Relayed, IsKnownToTheFunctionThatClassifies) {
  ShopOptions options;
  options.interceptor.classification.function = [](const CallEnd& end) {
    return end.relayed_refusal ? Outcome::kIgnored : Outcome::kFailure;
  };
  GuardedShop shop(std::move(options));
  CallOf(shop);
  EXPECT_EQ(shop.SnapshotOf(GetParam().method).ignored, 1u);
}

TEST_P(Relayed, IsNotTakenForOneInAnUnguardedCall) {
  ShopOptions options;
  options.interceptor.unguarded = {"*"};
  GuardedShop shop(std::move(options));
  const grpc::Status status = CallOf(shop);
  EXPECT_FALSE(ParseRefusal(status).has_value());
  EXPECT_TRUE(ParseRelayedRefusal(status).has_value());
}

TEST_P(Relayed, IsNotTakenForOneInACallThatPassesItsBreaker) {
  GuardedShop shop;
  shop.service.AnswerWith(RefusalOf(absl::Seconds(1)));
  grpc::ClientContext context;
  context.AddMetadata(kBypassMetadataKey, "1");
  const grpc::Status status = GetParam().run({shop.channel, &context}).status;
  EXPECT_FALSE(ParseRefusal(status).has_value());
}

INSTANTIATE_TEST_SUITE_P(, Relayed, ::testing::ValuesIn(PlainShopCalls()),
                         [](const auto& info) { return info.param.name; });

TEST(RelayedStatus, OtherDetailsOfAServerStayAsTheyAre) {
  GuardedShop shop;
  const std::string details = "\x0a\x01 anything, as \x00 it is";
  shop.service.AnswerWith({grpc::StatusCode::UNAVAILABLE, "busy", details});
  const grpc::Status status = shop.GetPrice();
  EXPECT_EQ(status.error_message(), "busy");
  EXPECT_EQ(status.error_details(), details);
}

}  // namespace
}  // namespace autobreaker
