// How a program tests what it does while a breaker refuses its calls: see
// docs/testing.md. Prices is the program's own code.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/testing/matchers.h"
#include "autobreaker/testing/scoped_forced_open.h"
#include "autobreaker/testing/scripted_server.h"
#include "autobreaker/testing/transition_recorder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker::demo {
namespace {

// The price of an item: the shop's, or the last one known while it fails.
class Prices {
 public:
  explicit Prices(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(shop::Shop::NewStub(channel)) {}

  std::optional<int64_t> Of(const std::string& item) {
    grpc::ClientContext context;
    shop::PriceRequest request;
    request.set_item(item);
    shop::PriceReply reply;
    if (stub_->GetPrice(&context, request, &reply).ok()) {
      known_[item] = reply.cents();
    }
    const auto known = known_.find(item);
    if (known == known_.end()) return std::nullopt;
    return known->second;
  }

 private:
  const std::unique_ptr<shop::Shop::Stub> stub_;
  std::map<std::string, int64_t> known_;
};

constexpr char kGetPrice[] = "/autobreaker.shop.Shop/GetPrice";

Reply PriceOf(int64_t cents) {
  shop::PriceReply reply;
  reply.set_cents(cents);
  return Reply::Ok(reply.SerializeAsString());
}

class PricesTest : public ::testing::Test {
 protected:
  std::shared_ptr<BreakerRegistry> MakeRegistry() {
    RegistryOptions options;
    options.instruments.clock = &clock_;
    return BreakerRegistry::Create(options).value();
  }

  void Ask(int times) {
    for (int i = 0; i < times; ++i) {
      prices_.Of("teapot");
      clock_.Advance(absl::Milliseconds(100));
    }
  }

  FakeClock clock_;
  ScriptedServer server_;
  const std::shared_ptr<BreakerRegistry> registry_ = MakeRegistry();
  const std::shared_ptr<RegisteredBreaker> breaker_ =
      registry_->GetOrCreate({"shop", "autobreaker.shop.Shop", "GetPrice"});
  Prices prices_{
      server_.GuardedChannel(registry_, InterceptorOptions::WithName("shop"))};
};

TEST_F(PricesTest, AreTheLastOnesKnownWhileCallsAreRefused) {
  server_.Answer(kGetPrice, PriceOf(1200));
  ASSERT_EQ(prices_.Of("teapot"), 1200);
  const ScopedForcedOpen outage(breaker_);
  EXPECT_EQ(prices_.Of("teapot"), 1200);
  EXPECT_EQ(prices_.Of("cup"), std::nullopt);
  EXPECT_EQ(server_.calls(kGetPrice), 1);
}

TEST_F(PricesTest, LeaveAShopThatFailsAlone) {
  const TransitionRecorder recorder(registry_);
  server_.Answer(kGetPrice, Reply::Fail(grpc::StatusCode::UNAVAILABLE));
  Ask(100);
  EXPECT_THAT(breaker_, ::testing::Not(IsClosed()));
  EXPECT_THAT(recorder.transitions(),
              ::testing::Contains(IsTransition(State::kClosed, State::kOpen)));
  EXPECT_LT(server_.calls(kGetPrice), 40);
}

// What the test above is worth: without a breaker it fails.
TEST_F(PricesTest, DoNotWithoutABreaker) {
  Prices unguarded(server_.UnguardedChannel());
  server_.Answer(kGetPrice, Reply::Fail(grpc::StatusCode::UNAVAILABLE));
  for (int i = 0; i < 100; ++i) unguarded.Of("teapot");
  EXPECT_EQ(server_.calls(kGetPrice), 100);
}

TEST_F(PricesTest, AreThoseOfTheShopAgainWhenItIsBack) {
  server_.Answer(kGetPrice, Reply::Fail(grpc::StatusCode::UNAVAILABLE));
  Ask(100);
  server_.Answer(kGetPrice, PriceOf(900));
  EXPECT_THAT(breaker_,
              EventuallyCloses(&clock_, [this] { prices_.Of("teapot"); }));
  EXPECT_EQ(prices_.Of("teapot"), 900);
}

}  // namespace
}  // namespace autobreaker::demo
