// A global interceptor, which gRPC puts innermost in every call of the process:
// therefore a program of its own.

#include <grpcpp/create_channel.h>

#include <atomic>
#include <memory>

#include "autobreaker/interceptor/circuit_breaker_interceptor.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;

class Counter final : public Interceptor {
 public:
  explicit Counter(std::atomic<int>* sent) : sent_(sent) {}
  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      ++*sent_;
    }
    methods->Proceed();
  }

 private:
  std::atomic<int>* const sent_;
};

// gRPC takes one factory for the life of the process: this one counts, or lets
// another make the interceptors.
class Global final : public ClientInterceptorFactoryInterface {
 public:
  static Global& Get() {
    static auto* const global = [] {
      auto* const made = new Global;
      grpc::experimental::RegisterGlobalClientInterceptorFactory(made);
      return made;
    }();
    return *global;
  }

  Interceptor* CreateClientInterceptor(ClientRpcInfo* info) override {
    if (delegate != nullptr) return delegate->CreateClientInterceptor(info);
    return new Counter(&sent);
  }

  std::atomic<int> sent{0};
  std::unique_ptr<ClientInterceptorFactoryInterface> delegate;
};

TEST(GlobalInterceptor, SeesWhatTheBreakerLetsThroughAndNoHijackedCall) {
  Global& global = Global::Get();
  GuardedShop shop;
  for (const ShopCall& call : PlainShopCalls()) {
    global.sent = 0;
    shop.BreakerOf(call.method)->SetMode(Mode::kAutomatic);
    shop.registry->Remove(shop.BreakerOf(call.method)->key());
    grpc::ClientContext passes;
    EXPECT_TRUE(call.run({shop.channel, &passes}).status.ok()) << call;
    EXPECT_EQ(global.sent, 1) << call;

    shop.ForceOpen(call.method);
    grpc::ClientContext refused;
    const Observed observed = call.run({shop.channel, &refused});
    EXPECT_TRUE(ParseRefusal(observed.status).has_value()) << call;
    EXPECT_EQ(observed.steps, call.steps_of_refusal) << call;
    const bool hijacked =
        call.method == "GetPrice" || call.method == "WatchStock";
    EXPECT_EQ(global.sent, hijacked ? 1 : 2) << call;
  }
}

TEST(GlobalInterceptor, MayBeTheBreakersOwn) {
  Global& global = Global::Get();
  GuardedShop shop;
  InterceptorOptions options = InterceptorOptions::WithName("global");
  // A global factory must not answer null: gRPC would call it.
  options.unguarded = {};
  global.delegate =
      MakeCircuitBreakerInterceptorFactory(shop.registry, options);
  const auto stub = shop::Shop::NewStub(
      grpc::CreateChannel(shop.address, grpc::InsecureChannelCredentials()));
  const auto call = [&stub] {
    const auto context = GuardedShop::Context();
    shop::PriceReply reply;
    return stub->GetPrice(context.get(), {}, &reply);
  };
  const auto breaker = shop.registry->GetOrCreate(
      {"global", "autobreaker.shop.Shop", "GetPrice"});

  EXPECT_TRUE(call().ok());
  EXPECT_EQ(breaker->Snapshot().successes, 1u);
  breaker->SetMode(Mode::kForcedOpen);
  EXPECT_TRUE(ParseRefusal(call()).has_value());
  global.delegate.reset();
}

}  // namespace
}  // namespace autobreaker
