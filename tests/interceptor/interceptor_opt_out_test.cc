// Calls that are left alone, what that costs, and methods with odd names.

#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "autobreaker/tests/support/allocation_count.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

constexpr char kGetPrice[] = "/autobreaker.shop.Shop/GetPrice";

ShopOptions Unguarded(std::vector<std::string> patterns) {
  ShopOptions options;
  options.interceptor.unguarded = std::move(patterns);
  return options;
}

// ---------------------------------------------------------------- By option

TEST(OptOut, MethodHasNoBreakerAndItsSiblingsDo) {
  GuardedShop shop(Unguarded({"autobreaker.shop.Shop/GetPrice"}));
  EXPECT_TRUE(shop.GetPrice().ok());
  EXPECT_TRUE(
      CallGeneric(shop.channel, "/autobreaker.shop.Shop/PlaceOrder").ok());
  ASSERT_EQ(shop.registry->Breakers().size(), 1u);
  EXPECT_EQ(shop.registry->Breakers().front()->key().method, "PlaceOrder");
}

TEST(OptOut, ServiceHasNoBreakers) {
  GuardedShop shop(Unguarded({"autobreaker.shop.Shop"}));
  EXPECT_TRUE(shop.GetPrice().ok());
  EXPECT_TRUE(shop.registry->Breakers().empty());
}

TEST(OptOut, StarMeansEverythingThatBeginsSo) {
  GuardedShop shop(Unguarded({"autobreaker.shop.Shop/Get*"}));
  EXPECT_TRUE(shop.GetPrice().ok());
  EXPECT_TRUE(
      CallGeneric(shop.channel, "/autobreaker.shop.Shop/PlaceOrder").ok());
  EXPECT_EQ(shop.registry->Breakers().size(), 1u);
}

TEST(OptOut, StarAloneMeansEverything) {
  GuardedShop shop(Unguarded({"*"}));
  EXPECT_TRUE(shop.GetPrice().ok());
  EXPECT_TRUE(shop.registry->Breakers().empty());
}

TEST(OptOut, ServiceIsNotOneWhoseNameBeginsAlike) {
  GuardedShop shop(Unguarded({"autobreaker.shop.Sho", "autobreaker.shop"}));
  EXPECT_TRUE(shop.GetPrice().ok());
  EXPECT_EQ(shop.registry->Breakers().size(), 1u);
}

TEST(OptOut, HealthChecksAndReflectionAreLeftAloneByDefault) {
  GuardedShop shop;
  for (const char* const method :
       {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
    CallGeneric(shop.channel, method);
  }
  EXPECT_TRUE(shop.registry->Breakers().empty());
}

TEST(OptOut, PassesWhileABreakerOfItsNameIsOpen) {
  GuardedShop shop(Unguarded({"autobreaker.shop.Shop/GetPrice"}));
  shop.ForceOpen("GetPrice");
  EXPECT_TRUE(shop.GetPrice().ok());
}

// ------------------------------------------------------------------ By call

class Bypass : public ::testing::TestWithParam<ShopCall> {
 protected:
  Observed Run() {
    grpc::ClientContext context;
    context.AddMetadata(kBypassMetadataKey, "because");
    return GetParam().run({shop_.channel, &context});
  }

  GuardedShop shop_;
};

TEST_P(Bypass, PassesUncountedEvenWhileOpen) {
  shop_.ForceOpen(GetParam().method);
  shop_.service.AnswerWith(Unavailable());

  EXPECT_EQ(Run().status.error_message(), "the shop burned down");

  const RegisteredSnapshot s = shop_.SnapshotOf(GetParam().method);
  EXPECT_EQ(s.requests, 0u);
  EXPECT_EQ(s.failures, 0u);
  EXPECT_EQ(s.refused[static_cast<int>(RefusalReason::kForcedOpen)], 0u);
}

TEST_P(Bypass, IsNotSentToTheServer) {
  EXPECT_TRUE(Run().status.ok());
  EXPECT_EQ(shop_.service.calls(), 1);
  EXPECT_EQ(shop_.service.last_metadata().count(kBypassMetadataKey), 0u);
}

TEST_P(Bypass, IsNotSentWhereThereIsNoBreaker) {
  GuardedShop shop(Unguarded({"*"}));
  grpc::ClientContext context;
  context.AddMetadata(kBypassMetadataKey, "because");
  GetParam().run({shop.channel, &context});
  EXPECT_EQ(shop.service.last_metadata().count(kBypassMetadataKey), 0u);
}

TEST_P(Bypass, IsNotSentOfACallThatIsUnguardedByConfiguration) {
  GuardedShop shop;
  BreakerPolicy policy;
  policy.unguarded = true;
  ASSERT_TRUE(shop.registry->Apply({{{}, policy}}).ok());
  grpc::ClientContext context;
  context.AddMetadata(kBypassMetadataKey, "because");
  GetParam().run({shop.channel, &context});
  EXPECT_EQ(shop.service.last_metadata().count(kBypassMetadataKey), 0u);
}

TEST_P(Bypass, TakesNoPlaceFromProbes) {
  shop_.MakeHalfOpen(GetParam().method);
  Run();
  EXPECT_EQ(shop_.SnapshotOf(GetParam().method).probe_successes, 0);
  EXPECT_EQ(shop_.SnapshotOf(GetParam().method).state, State::kHalfOpen);
}

INSTANTIATE_TEST_SUITE_P(, Bypass, ::testing::ValuesIn(PlainShopCalls()),
                         [](const ::testing::TestParamInfo<ShopCall>& info) {
                           return info.param.name;
                         });

// --------------------------------------------------------------------- Costs

class Passing final : public grpc::experimental::Interceptor {
  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    methods->Proceed();
  }
};

class PassingFactory final
    : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo*) override {
    return new Passing();
  }
};

// The allocations this thread makes for a call, at the least: now and then gRPC
// makes one more.
int64_t AllocationsPerCall(const std::shared_ptr<grpc::Channel>& channel) {
  const auto stub = shop::Shop::NewStub(channel);
  const shop::PriceRequest request;
  shop::PriceReply reply;
  int64_t least = INT64_MAX;
  for (int i = 0; i < 200; ++i) {
    const int64_t before = AllocationsOfThisThread();
    {
      grpc::ClientContext context;
      stub->GetPrice(&context, request, &reply);
    }
    least = std::min(least, AllocationsOfThisThread() - before);
  }
  return least;
}

TEST(OptOut, AllocatesAnInterceptorAndNoMore) {
  GuardedShop opted_out(Unguarded({"other.Service", "autobreaker.*"}));
  GuardedShop guarded;
  InterceptorFactories passing;
  passing.push_back(std::make_unique<PassingFactory>());
  const auto baseline = grpc::experimental::CreateCustomChannelWithInterceptors(
      guarded.address, grpc::InsecureChannelCredentials(),
      grpc::ChannelArguments(), std::move(passing));

  const int64_t of_passing = AllocationsPerCall(baseline);
  EXPECT_EQ(AllocationsPerCall(opted_out.channel), of_passing);
  // Or this would measure nothing.
  EXPECT_GT(of_passing,
            AllocationsPerCall(grpc::CreateChannel(
                guarded.address, grpc::InsecureChannelCredentials())));
}

// -------------------------------------------------------------- Odd methods

TEST(OddMethod, GenericCallIsGuardedByTheMethodsBreaker) {
  GuardedShop shop;
  shop.ForceOpen("GetPrice");
  EXPECT_TRUE(ParseRefusal(CallGeneric(shop.channel, kGetPrice)).has_value());
}

TEST(OddMethod, NameMayDieBeforeTheCallEnds) {
  GuardedShop shop;
  grpc::TemplatedGenericStub<shop::PriceRequest, shop::PriceReply> stub(
      shop.channel);
  const auto context = GuardedShop::Context();
  grpc::CompletionQueue queue;
  auto method = std::make_unique<std::string>(kGetPrice);
  const auto call = stub.PrepareUnaryCall(context.get(), *method, {}, &queue);
  method.reset();
  call->StartCall();
  shop::PriceReply reply;
  grpc::Status status;
  call->Finish(&reply, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(shop.SnapshotOf("GetPrice").successes, 1u);
}

TEST(OddMethod, WithoutServiceOrWithoutANameDoesNotCrash) {
  GuardedShop shop;
  for (const char* const method : {"NoSlash", "/", "//", "", "/a/b/c", "*"}) {
    EXPECT_FALSE(CallGeneric(shop.channel, method).ok()) << method;
  }
  EXPECT_EQ(shop.registry->overflow_total(), 0u);
}

TEST(OddMethod, OfTenKilobytesIsLeftUnguarded) {
  GuardedShop shop;
  EXPECT_FALSE(
      CallGeneric(shop.channel, "/" + std::string(10'000, 'x') + "/y").ok());
  EXPECT_TRUE(shop.registry->Breakers().empty());
  EXPECT_EQ(shop.registry->overflow_total(), 1u);
}

TEST(OddMethod, TenThousandNamesTakeNoMoreThanTheirChannelsPart) {
  constexpr int kNames = 10'000;
  GuardedShop shop;
  // Lame, so that ten thousand calls are quick.
  InterceptorFactories factories;
  factories.push_back(MakeCircuitBreakerInterceptorFactory(
      shop.registry, InterceptorOptions::WithName("odd")));
  const auto channel = grpc::experimental::CreateCustomChannelWithInterceptors(
      shop.address, nullptr, grpc::ChannelArguments(), std::move(factories));
  for (int i = 0; i < kNames; ++i) {
    CallGeneric(channel, absl::StrCat("/service/", i));
  }
  EXPECT_EQ(shop.registry->Breakers().size(), 512u + 1);
  EXPECT_EQ(shop.registry->overflow_total(), 0u);
  // What has a breaker keeps it, and the others share one.
  EXPECT_EQ(shop.registry->Find({"odd"})->Snapshot().requests, kNames - 512u);
  CallGeneric(channel, "/service/0");
  EXPECT_EQ(shop.registry->Find({"odd", "service", "0"})->Snapshot().requests,
            2u);
}

}  // namespace
}  // namespace autobreaker
