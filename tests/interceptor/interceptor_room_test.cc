// Channels that come and go, and channels that make up names.
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

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
  // The server knows no such method.
  static void CallMadeUp(const std::shared_ptr<grpc::Channel>& channel, int i) {
    const auto context = GuardedShop::Context();
    grpc::CompletionQueue queue;
    grpc::TemplatedGenericStub<shop::PriceRequest, shop::PriceReply> stub(
        channel);
    const auto call = stub.PrepareUnaryCall(
        context.get(), absl::StrCat("/made.Up/", i), {}, &queue);
    call->StartCall();
    shop::PriceReply reply;
    grpc::Status status;
    call->Finish(&reply, &status, nullptr);
    void* tag;
    bool ok;
    queue.Next(&tag, &ok);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
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

TEST_F(Room, AChannelThatMakesUpNamesLeavesOthersTheirBreakers) {
  InterceptorOptions options = InterceptorOptions::WithName("gateway");
  options.max_methods = 2;
  const auto gateway = Create(options);
  for (int i = 0; i < 20; ++i) CallMadeUp(gateway, i);
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
