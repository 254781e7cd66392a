// The breaker's interceptor among others, and breakers of several channels.

#include <grpcpp/create_channel.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;

// What an interceptor beside the breaker's saw of the calls of a channel.
class Seen {
 public:
  void Sent() {
    absl::MutexLock lock(&mu_);
    ++sent_;
  }
  void Ended(const grpc::Status& status, bool marked) {
    absl::MutexLock lock(&mu_);
    ends_.push_back(status);
    marked_ += marked ? 1 : 0;
  }

  int sent() const {
    absl::MutexLock lock(&mu_);
    return sent_;
  }
  std::vector<grpc::Status> ends() const {
    absl::MutexLock lock(&mu_);
    return ends_;
  }
  int marked() const {
    absl::MutexLock lock(&mu_);
    return marked_;
  }

 private:
  mutable absl::Mutex mu_;
  int sent_ ABSL_GUARDED_BY(mu_) = 0;
  int marked_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<grpc::Status> ends_ ABSL_GUARDED_BY(mu_);
};

class Observer final : public Interceptor {
 public:
  explicit Observer(Seen* seen) : seen_(seen) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      seen_->Sent();
    }
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_STATUS)) {
      seen_->Ended(
          *methods->GetRecvStatus(),
          methods->GetRecvTrailingMetadata()->count(kRefusalMetadataKey) > 0);
    }
    methods->Proceed();
  }

 private:
  Seen* const seen_;
};

// Makes its interceptors with a function, which may answer null.
class Factory final : public ClientInterceptorFactoryInterface {
 public:
  explicit Factory(std::function<Interceptor*(ClientRpcInfo*)> make)
      : make_(std::move(make)) {}
  Interceptor* CreateClientInterceptor(ClientRpcInfo* info) override {
    return make_(info);
  }

 private:
  const std::function<Interceptor*(ClientRpcInfo*)> make_;
};

std::unique_ptr<Factory> Observing(Seen* seen) {
  return std::make_unique<Factory>(
      [seen](ClientRpcInfo*) { return new Observer(seen); });
}

std::unique_ptr<Factory> AnsweringNull() {
  return std::make_unique<Factory>(
      [](ClientRpcInfo*) -> Interceptor* { return nullptr; });
}

class Chain : public ::testing::TestWithParam<ShopCall> {
 protected:
  Observed Run() {
    grpc::ClientContext context;
    return GetParam().run({shop_.channel, &context});
  }
  // Whether a refusal hijacks the call; else it cancels it.
  bool IsHijacked() const {
    return GetParam().method == "GetPrice" || GetParam().method == "WatchStock";
  }

  ShopOptions Options() {
    ShopOptions options;
    options.outer.push_back(AnsweringNull());
    options.outer.push_back(Observing(&outer_));
    options.inner.push_back(AnsweringNull());
    options.inner.push_back(Observing(&inner_));
    return options;
  }

  const Watchdog watchdog_{GetParam().name};
  Seen outer_;
  Seen inner_;
  GuardedShop shop_{Options()};
};

TEST_P(Chain, OuterSeesARefusalAsTheEndOfTheCall) {
  shop_.ForceOpen(GetParam().method);
  const Observed observed = Run();

  EXPECT_TRUE(ParseRefusal(observed.status).has_value());
  EXPECT_EQ(observed.steps, GetParam().steps_of_refusal);
  EXPECT_EQ(outer_.sent(), 1);
  ASSERT_EQ(outer_.ends().size(), 1u);
  EXPECT_TRUE(ParseRefusal(outer_.ends().front()).has_value());
  EXPECT_EQ(outer_.marked(), 1);
}

TEST_P(Chain, InnerHasNothingOfARefusalThatHijacks) {
  if (!IsHijacked()) return;
  shop_.ForceOpen(GetParam().method);
  Run();

  EXPECT_EQ(inner_.sent(), 0);
  EXPECT_TRUE(inner_.ends().empty());
}

TEST_P(Chain, InnerSeesARefusedStreamAsCancelled) {
  if (IsHijacked()) return;
  shop_.ForceOpen(GetParam().method);
  Run();

  EXPECT_EQ(inner_.sent(), 1);
  ASSERT_EQ(inner_.ends().size(), 1u);
  EXPECT_EQ(inner_.ends().front().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_P(Chain, AllSeeAnAnsweredCall) {
  shop_.service.AnswerWith(Broken());
  Run();

  for (const Seen* const seen : {&outer_, &inner_}) {
    EXPECT_EQ(seen->sent(), 1);
    ASSERT_EQ(seen->ends().size(), 1u);
    EXPECT_EQ(seen->ends().front().error_message(), "the shop burned down");
    EXPECT_EQ(seen->marked(), 0);
  }
  EXPECT_EQ(shop_.SnapshotOf(GetParam().method).failures, 1u);
}

INSTANTIATE_TEST_SUITE_P(, Chain, ::testing::ValuesIn(PlainShopCalls()),
                         [](const ::testing::TestParamInfo<ShopCall>& info) {
                           return info.param.name;
                         });

// ----------------------------------------------------- Those that interfere

// Ends every call with a status of its own and sends nothing.
class Hijacker final : public Interceptor {
 public:
  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_RECV_STATUS)) {
      *methods->GetRecvStatus() = Unavailable();
    }
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->Hijack();
    } else {
      methods->Proceed();
    }
  }
};

std::unique_ptr<Factory> Hijacking() {
  return std::make_unique<Factory>([](ClientRpcInfo*) { return new Hijacker; });
}

TEST(Hijacker, InnerOneAnswersInPlaceOfTheServer) {
  ShopOptions options;
  options.inner.push_back(Hijacking());
  GuardedShop shop(std::move(options));
  EXPECT_EQ(shop.GetPrice().error_message(), "the shop burned down");
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

TEST(Hijacker, OuterOneKeepsTheCallFromTheBreaker) {
  ShopOptions options;
  options.outer.push_back(Hijacking());
  GuardedShop shop(std::move(options));
  EXPECT_EQ(shop.GetPrice().error_message(), "the shop burned down");
  EXPECT_EQ(shop.SnapshotOf("GetPrice").requests, 0u);
}

TEST(TwoBreakers, InOneChannelBothCountAndTheOuterRefusesFirst) {
  const auto second = BreakerRegistry::Create().value();
  ShopOptions options;
  options.inner.push_back(MakeCircuitBreakerInterceptorFactory(
      second, InterceptorOptions::WithName("default")));
  GuardedShop shop(std::move(options));
  EXPECT_TRUE(shop.GetPrice().ok());
  shop.ForceOpen("GetPrice");
  EXPECT_TRUE(ParseRefusal(shop.GetPrice()).has_value());

  const RegisteredSnapshot s =
      second->GetOrCreate({"default", "autobreaker.shop.Shop", "GetPrice"})
          ->Snapshot();
  EXPECT_EQ(s.successes, 1u);
  EXPECT_EQ(s.requests, 1u);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").successes, 1u);
}

// A refusal of a breaker further in is a failure to the outer one: it is what
// its calls end with.
TEST(TwoBreakers, RefusalOfTheInnerOneIsAnUnavailableServerToTheOuterOne) {
  const auto second = BreakerRegistry::Create().value();
  ShopOptions options;
  options.inner.push_back(MakeCircuitBreakerInterceptorFactory(
      second, InterceptorOptions::WithName("default")));
  GuardedShop shop(std::move(options));
  second->GetOrCreate({"default", "autobreaker.shop.Shop", "GetPrice"})
      ->SetMode(Mode::kForcedOpen);
  const std::optional<RefusalInfo> refusal = ParseRefusal(shop.GetPrice());

  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->key.name, "default");
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

// ------------------------------------------------------------- Two channels

TEST(TwoChannels, WithoutANameShareNoBreakers) {
  GuardedShop shop;
  const auto call = [&shop] {
    InterceptorFactories factories;
    factories.push_back(MakeCircuitBreakerInterceptorFactory(shop.registry));
    const auto stub = shop::Shop::NewStub(
        grpc::experimental::CreateCustomChannelWithInterceptors(
            shop.address, grpc::InsecureChannelCredentials(),
            grpc::ChannelArguments(), std::move(factories)));
    const auto context = GuardedShop::Context();
    shop::PriceReply reply;
    return stub->GetPrice(context.get(), {}, &reply);
  };
  EXPECT_TRUE(call().ok());
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(shop.registry->Breakers().size(), 2u);
}

TEST(TwoChannels, ToTwoTargetsShareARegistryUnderTwoNames) {
  GuardedShop east;
  GuardedShop west;
  InterceptorFactories factories;
  factories.push_back(MakeCircuitBreakerInterceptorFactory(
      east.registry, InterceptorOptions::WithName("west")));
  const auto channel = grpc::experimental::CreateCustomChannelWithInterceptors(
      west.address, grpc::InsecureChannelCredentials(),
      grpc::ChannelArguments(), std::move(factories));
  const auto call_west = [stub = shop::Shop::NewStub(channel)] {
    const auto context = GuardedShop::Context();
    shop::PriceReply reply;
    return stub->GetPrice(context.get(), {}, &reply);
  };
  east.ForceOpen("GetPrice");

  EXPECT_TRUE(ParseRefusal(east.GetPrice()).has_value());
  EXPECT_TRUE(call_west().ok());

  EXPECT_EQ(east.service.calls(), 0);
  EXPECT_EQ(west.service.calls(), 1);
  const auto of_west =
      east.registry->GetOrCreate({"west", "autobreaker.shop.Shop", "GetPrice"});
  EXPECT_EQ(of_west->Snapshot().successes, 1u);
}

}  // namespace
}  // namespace autobreaker
