// What a registry's configuration says about calls, seen by the calls.
#include <map>
#include <string>

#include "autobreaker/breaker/policy.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

const BreakerKey kAnyMethod = {"", "autobreaker.shop.Shop", ""};

BreakerPolicy Policy() {
  BreakerPolicy policy;
  policy.options = RateOptions();
  return policy;
}

void Apply(GuardedShop& shop, const BreakerPolicy& policy) {
  const absl::Status status = shop.registry->Apply({{kAnyMethod, policy}});
  ASSERT_TRUE(status.ok()) << status;
}

TEST(InterceptorPolicy, CallsPassAnUnguardedBreakerUncounted) {
  GuardedShop shop;
  ASSERT_TRUE(shop.GetPrice().ok());
  shop.ForceOpen("GetPrice");
  ASSERT_TRUE(ParseRefusal(shop.GetPrice()).has_value());
  BreakerPolicy policy = Policy();
  policy.unguarded = true;
  Apply(shop, policy);
  const RegisteredSnapshot before = shop.SnapshotOf("GetPrice");
  EXPECT_TRUE(shop.GetPrice().ok());
  EXPECT_EQ(shop.SnapshotOf("GetPrice").requests, before.requests);
}

TEST(InterceptorPolicy, GuardsAgainWhenTheOptOutIsGone) {
  GuardedShop shop;
  BreakerPolicy policy = Policy();
  policy.unguarded = true;
  Apply(shop, policy);
  ASSERT_TRUE(shop.GetPrice().ok());
  ASSERT_EQ(shop.SnapshotOf("GetPrice").requests, 0u);
  Apply(shop, Policy());
  ASSERT_TRUE(shop.GetPrice().ok());
  EXPECT_EQ(shop.SnapshotOf("GetPrice").requests, 1u);
}

TEST(InterceptorPolicy, CodesOfTheConfigurationComeBeforeTheProgramsSets) {
  GuardedShop shop;
  shop.service.AnswerWith(
      grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no"));
  shop.GetPrice();
  ASSERT_EQ(shop.SnapshotOf("GetPrice").successes, 1u);
  BreakerPolicy policy = Policy();
  policy.status_classes = {{grpc::StatusCode::PERMISSION_DENIED}, {}};
  Apply(shop, policy);
  shop.GetPrice();
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
  policy.status_classes = {{}, {grpc::StatusCode::PERMISSION_DENIED}};
  Apply(shop, policy);
  shop.GetPrice();
  EXPECT_EQ(shop.SnapshotOf("GetPrice").ignored, 1u);
}

TEST(InterceptorPolicy, CodesOfTheConfigurationComeBeforeTheProgramsFunction) {
  InterceptorOptions options = InterceptorOptions::WithName("shop");
  options.classification.function = [](const CallEnd&) {
    return Outcome::kIgnored;
  };
  GuardedShop shop(RateOptions(), options);
  shop.service.AnswerWith(Unavailable());
  shop.GetPrice();
  ASSERT_EQ(shop.SnapshotOf("GetPrice").ignored, 1u);
  BreakerPolicy policy = Policy();
  policy.status_classes = {{grpc::StatusCode::UNAVAILABLE}, {}};
  Apply(shop, policy);
  shop.GetPrice();
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

TEST(InterceptorPolicy, MethodsFirstCalledLaterGetWhatApplies) {
  GuardedShop shop;
  BreakerPolicy policy = Policy();
  policy.mode = Mode::kForcedOpen;
  Apply(shop, policy);
  const auto refusal = ParseRefusal(shop.GetPrice());
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reason, RefusalReason::kForcedOpen);
}

TEST(InterceptorPolicy, RefusalWhileForcedOpenForATimeSaysHowLong) {
  GuardedShop shop;
  shop.BreakerOf("GetPrice")->SetMode(Mode::kForcedOpen, absl::Minutes(10));
  const auto refusal = ParseRefusal(shop.GetPrice());
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->retry_after, absl::Minutes(10));
}

}  // namespace
}  // namespace autobreaker
