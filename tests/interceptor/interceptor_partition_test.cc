// A breaker for each partition of a service.
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/interceptor/partition.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

constexpr char kTenant[] = "x-tenant";

ShopOptions ByTenant(PartitionFunction function = PartitionByMetadata(kTenant),
                     int64_t most = 256) {
  ShopOptions options;
  options.breaker = BreakerOptions();
  options.interceptor.partition = std::move(function);
  options.interceptor.max_partitions = most;
  return options;
}

class Partition : public ::testing::Test {
 protected:
  // One GetPrice() for a tenant, 10 ms after the one before; the server fails
  // or answers it.
  static grpc::Status GetPrice(GuardedShop& shop, const std::string& tenant,
                               bool fails = false) {
    shop.clock.Advance(absl::Milliseconds(10));
    if (fails) shop.service.AnswerOnceWith(Unavailable());
    const auto context = GuardedShop::Context();
    if (!tenant.empty()) context->AddMetadata(kTenant, tenant);
    shop::PriceReply reply;
    return shop.stub->GetPrice(context.get(), shop::PriceRequest(), &reply);
  }

  static RegisteredSnapshot SnapshotOf(GuardedShop& shop,
                                       const std::string& tenant) {
    const auto breaker = shop.registry->Find(
        {"shop", "autobreaker.shop.Shop", "GetPrice", tenant});
    EXPECT_NE(breaker, nullptr) << tenant;
    return breaker == nullptr ? RegisteredSnapshot() : breaker->Snapshot();
  }

 private:
  const Watchdog watchdog_{
      ::testing::UnitTest::GetInstance()->current_test_info()->name()};
};

// Of three tenants, one fails whenever its calls get through.
int AnsweredOfOthers(GuardedShop& shop) {
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    // In rows, which open a breaker that all share.
    const bool bad = i % 20 < 10;
    shop.clock.Advance(absl::Milliseconds(50));
    const auto context = GuardedShop::Context();
    context->AddMetadata(kTenant, bad ? "bad" : absl::StrCat("good", i % 2));
    shop.service.AnswerWith(bad ? Unavailable() : grpc::Status::OK);
    shop::PriceReply reply;
    const grpc::Status status =
        shop.stub->GetPrice(context.get(), shop::PriceRequest(), &reply);
    answered += !bad && status.ok() ? 1 : 0;
  }
  return answered;
}

TEST_F(Partition, ThatFailsDoesNotTakeTheOthersAway) {
  GuardedShop apart(ByTenant());
  EXPECT_EQ(AnsweredOfOthers(apart), 50);
  EXPECT_NE(SnapshotOf(apart, "bad").state, State::kClosed);
  EXPECT_EQ(SnapshotOf(apart, "good0").state, State::kClosed);

  GuardedShop together{BreakerOptions()};
  EXPECT_LT(AnsweredOfOthers(together), 45);
}

TEST_F(Partition, IsPartOfTheKeyAndOfTheRefusal) {
  GuardedShop shop(ByTenant());
  GetPrice(shop, "seven");
  shop.registry->Find({"shop", "autobreaker.shop.Shop", "GetPrice", "seven"})
      ->SetMode(Mode::kForcedOpen);
  const grpc::Status status = GetPrice(shop, "seven");
  EXPECT_EQ(status.error_message(),
            "circuit breaker shop for autobreaker.shop.Shop/GetPrice of "
            "partition seven is forced open by the operator");
  ASSERT_TRUE(ParseRefusal(status).has_value());
  EXPECT_EQ(ParseRefusal(status)->key.partition, "seven");
  EXPECT_TRUE(GetPrice(shop, "eight").ok());
}

TEST_F(Partition, CallsWithoutOneShareABreaker) {
  GuardedShop shop(ByTenant());
  GetPrice(shop, "");
  GetPrice(shop, "");
  EXPECT_EQ(SnapshotOf(shop, "").requests, 2);
  EXPECT_EQ(SnapshotOf(shop, "").unpartitioned, 0);
}

TEST_F(Partition, IsFoundInEveryKindOfCall) {
  for (const ShopCall& call : PlainShopCalls()) {
    SCOPED_TRACE(call.name);
    GuardedShop shop(ByTenant());
    const auto context = GuardedShop::Context();
    context->AddMetadata(kTenant, "seven");
    CallSite site;
    site.channel = shop.channel;
    site.context = context.get();
    call.run(site);
    const auto breaker = shop.registry->Find(
        {"shop", "autobreaker.shop.Shop", call.method, "seven"});
    ASSERT_NE(breaker, nullptr);
    EXPECT_EQ(breaker->Snapshot().requests, 1);
  }
}

TEST_F(Partition, IsToldTheMethodAndTheMetadata) {
  std::string seen;
  GuardedShop shop(ByTenant([&](const CallStart& call) {
    seen =
        absl::StrCat(call.method, " of ", call.metadata.find(kTenant)->second);
    return std::string();
  }));
  GetPrice(shop, "seven");
  EXPECT_EQ(seen, "/autobreaker.shop.Shop/GetPrice of seven");
}

TEST_F(Partition, MetadataOfThePartitionAreSent) {
  GuardedShop shop(ByTenant());
  GetPrice(shop, "seven");
  EXPECT_EQ(shop.service.last_metadata().find(kTenant)->second, "seven");
}

TEST_F(Partition, OptionsOfTheMethodAreItsOptions) {
  GuardedShop shop(ByTenant());
  GetPrice(shop, "seven");
  BreakerOptions options;
  options.open.duration = absl::Seconds(7);
  ASSERT_TRUE(
      shop.registry
          ->SetOptions({"", "autobreaker.shop.Shop", "GetPrice"}, options)
          .ok());
  EXPECT_EQ(SnapshotOf(shop, "seven").options.open.duration, absl::Seconds(7));
  GetPrice(shop, "eight");
  EXPECT_EQ(SnapshotOf(shop, "eight").options.open.duration, absl::Seconds(7));
}

TEST_F(Partition, ThatIsUnguardedIsLeftAlone) {
  GuardedShop shop(ByTenant());
  GetPrice(shop, "seven");
  BreakerPolicy policy;
  policy.unguarded = true;
  ASSERT_TRUE(shop.registry->Apply({{BreakerKey(), policy}}).ok());
  GetPrice(shop, "seven");
  EXPECT_EQ(SnapshotOf(shop, "seven").requests, 1);
  EXPECT_EQ(SnapshotOf(shop, "").requests, 0);
}

TEST_F(Partition, BreakerThatWasRemovedIsMadeAnew) {
  GuardedShop shop(ByTenant({PartitionByMetadata(kTenant)}, /*most=*/1));
  GetPrice(shop, "seven");
  ASSERT_TRUE(shop.registry->Remove(
      {"shop", "autobreaker.shop.Shop", "GetPrice", "seven"}));
  GetPrice(shop, "seven");
  EXPECT_EQ(SnapshotOf(shop, "seven").requests, 1);
}

// ---------------------------------------------------------------- Bad input

TEST_F(Partition, FunctionThatThrowsLeavesTheCallToTheSharedBreaker) {
  GuardedShop shop(ByTenant([](const CallStart&) -> std::string {
    throw std::runtime_error("no tenant");
  }));
  EXPECT_TRUE(GetPrice(shop, "seven").ok());
  const RegisteredSnapshot s = SnapshotOf(shop, "");
  EXPECT_EQ(s.requests, 1);
  EXPECT_EQ(s.unpartitioned, 1);
  EXPECT_EQ(s.callback_exceptions, 1);
}

TEST_F(Partition, NamesThatAreTooLongOrNotUtf8AreNotUsed) {
  const std::string kNames[] = {std::string(257, 'x'), std::string(10'000, 'x'),
                                "\xff", "a\xc0\x80"};
  for (const std::string& name : kNames) {
    GuardedShop shop(ByTenant([&](const CallStart&) { return name; }));
    EXPECT_TRUE(GetPrice(shop, "seven").ok());
    EXPECT_EQ(shop.registry->Breakers().size(), 1);
    EXPECT_EQ(SnapshotOf(shop, "").unpartitioned, 1);
  }
}

TEST_F(Partition, LongestNameIsUsed) {
  const std::string longest(kMaxPartitionLength, 'x');
  GuardedShop shop(ByTenant());
  GetPrice(shop, longest);
  EXPECT_EQ(SnapshotOf(shop, longest).requests, 1);
}

TEST_F(Partition, OnesThatAreMadeUpTakeNoMoreRoomThanTheirBound) {
  constexpr int kCalls = 10'000;
  int64_t next = 0;
  ShopOptions options =
      ByTenant([&](const CallStart&) { return absl::StrCat(next++); }, 100);
  options.in_process = true;
  GuardedShop shop(std::move(options));
  for (int i = 0; i < kCalls; ++i) ASSERT_TRUE(shop.GetPrice().ok());
  EXPECT_EQ(shop.registry->Breakers().size(), 101);
  const RegisteredSnapshot s = SnapshotOf(shop, "");
  EXPECT_EQ(s.requests, kCalls - 100);
  EXPECT_EQ(s.unpartitioned, kCalls - 100);
  EXPECT_EQ(shop.registry->overflow_total(), 0);
}

TEST_F(Partition, OnesBeyondTheBoundLeaveThoseThatAreKnown) {
  GuardedShop shop(ByTenant({PartitionByMetadata(kTenant)}, /*most=*/2));
  for (const char* const tenant : {"a", "b", "c", "a", "c"}) {
    GetPrice(shop, tenant);
  }
  EXPECT_EQ(SnapshotOf(shop, "a").requests, 2);
  EXPECT_EQ(SnapshotOf(shop, "b").requests, 1);
  EXPECT_EQ(SnapshotOf(shop, "").requests, 2);
}

}  // namespace
}  // namespace autobreaker
