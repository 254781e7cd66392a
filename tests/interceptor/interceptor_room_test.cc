// Channels that come and go, and channels that make up names.
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/interceptor/circuit_breaker_interceptor.h"
#include "autobreaker/interceptor/guarded_channel.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

constexpr char kService[] = "autobreaker.shop.Shop";

class Room : public ::testing::Test {
 protected:
  explicit Room(int64_t max_breakers = 4) {
    RegistryOptions options;
    options.max_breakers = max_breakers;
    registry_ = BreakerRegistry::Create(options).value();
  }

  std::shared_ptr<grpc::Channel> Create(const InterceptorOptions& options) {
    return CreateGuardedChannel(
        shop_.address, grpc::InsecureChannelCredentials(), registry_, options);
  }
  static grpc::Status GetPrice(const std::shared_ptr<grpc::Channel>& channel) {
    const auto context = GuardedShop::Context();
    shop::PriceReply reply;
    return shop::Shop::NewStub(channel)->GetPrice(context.get(), {}, &reply);
  }
  GuardedShop shop_;
  std::shared_ptr<BreakerRegistry> registry_;
};

TEST_F(Room, TheNewestOfManyChannelsIsGuarded) {
  for (int i = 0; i < 50; ++i) {
    const std::string name = absl::StrCat("channel", i);
    const auto channel = Create(InterceptorOptions::WithName(name));
    ASSERT_TRUE(GetPrice(channel).ok());
    const auto breaker = registry_->Find({name, kService, "GetPrice"});
    ASSERT_NE(breaker, nullptr) << i;
    EXPECT_EQ(breaker->Snapshot().successes, 1u);
  }
  EXPECT_EQ(registry_->overflow_total(), 0u);
  EXPECT_EQ(registry_->Breakers().size(), 4u);
  EXPECT_EQ(registry_->removed_breakers().successes, 46u);
}

// Which statuses are failures is said for methods, whoever guards them.
TEST_F(Room, MethodsThatShareABreakerKeepTheirClassifications) {
  InterceptorOptions options = InterceptorOptions::WithName("gateway");
  options.max_methods = 1;
  options.classification_for["made.Up"].failures = {
      grpc::StatusCode::UNIMPLEMENTED};
  const auto gateway = Create(options);
  EXPECT_TRUE(GetPrice(gateway).ok());
  CallGeneric(gateway, "/made.Up/Method");
  EXPECT_EQ(registry_->Find({"gateway"})->Snapshot().failures, 1u);
}

TEST_F(Room, AChannelThatMakesUpNamesLeavesOthersTheirBreakers) {
  InterceptorOptions options = InterceptorOptions::WithName("gateway");
  options.max_methods = 2;
  const auto gateway = Create(options);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(CallGeneric(gateway, absl::StrCat("/made.Up/", i)).error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }
  // Its own real method shares a breaker with what else is too much.
  EXPECT_TRUE(GetPrice(gateway).ok());
  const auto shared = registry_->Find({"gateway"});
  ASSERT_NE(shared, nullptr);
  EXPECT_EQ(shared->Snapshot().requests, 19u);
  shared->SetMode(Mode::kForcedOpen);
  EXPECT_TRUE(ParseRefusal(GetPrice(gateway)).has_value());

  const auto other = Create(InterceptorOptions::WithName("other"));
  EXPECT_TRUE(GetPrice(other).ok());
  EXPECT_NE(registry_->Find({"other", kService, "GetPrice"}), nullptr);
  EXPECT_EQ(registry_->overflow_total(), 0u);
}

}  // namespace
}  // namespace autobreaker
