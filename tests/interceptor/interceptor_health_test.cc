// A guarded channel whose server is asked for its health, so that no user's
// call finds out whether it is back.

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "autobreaker/examples/health/health.grpc.pb.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "autobreaker/tests/interceptor/fake_health.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using Response = FakeHealth::Response;

class ProbedShop {
 public:
  explicit ProbedShop(const BreakerOptions& breaker = RateOptions())
      : shop(Options(breaker, health)) {}

  // One GetPrice(), and whether its breaker refused it.
  bool IsRefused() { return ParseRefusal(shop.GetPrice()).has_value(); }

  // The breaker of GetPrice as it is once no check is under way.
  RegisteredSnapshot AwaitAnswer() {
    for (;;) {
      RegisteredSnapshot s = shop.SnapshotOf("GetPrice");
      if (s.in_flight == 0 && s.probes_in_flight == 0) return s;
      std::this_thread::yield();
    }
  }

  // Lets calls fail until the breaker opens.
  void Trip() {
    shop.service.AnswerWith(Unavailable());
    // Not all at one moment, which the breaker would take for a hiccup.
    while (!IsRefused()) shop.clock.Advance(absl::Milliseconds(10));
  }

  // Makes the one call after the open time, and answers how things are after
  // the check that it starts.
  RegisteredSnapshot ProbeOnce() {
    // The longest open time there is, since no calls come meanwhile.
    shop.clock.Advance(BreakerOptions().open.duration_max);
    EXPECT_TRUE(IsRefused());
    return AwaitAnswer();
  }

  FakeHealth health;
  GuardedShop shop;

 private:
  static ShopOptions Options(const BreakerOptions& breaker,
                             const FakeHealth& health) {
    ShopOptions options;
    options.breaker = breaker;
    options.interceptor.unguarded = {};
    options.interceptor.health_prober =
        HealthProber::Create(health.channel()).value();
    return options;
  }

  const Watchdog watchdog_{
      ::testing::UnitTest::GetInstance()->current_test_info()->name()};
};

// ----------------------------------------------------------- An outage

TEST(HealthProbing, AsksNothingWhileClosed) {
  ProbedShop probed;
  EXPECT_FALSE(probed.IsRefused());
  EXPECT_EQ(probed.health.checks(), 0);
}

TEST(HealthProbing, SpendsNoCallWhileTheServerIsDown) {
  ProbedShop probed;
  probed.Trip();
  probed.health.Stop();
  const int calls = probed.shop.service.calls();

  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(probed.ProbeOnce().state, State::kOpen);
  }

  EXPECT_EQ(probed.shop.service.calls(), calls);
}

TEST(HealthProbing, StaysOpenWhileTheServerSaysThatItDoesNotServe) {
  ProbedShop probed;
  probed.Trip();
  probed.shop.service.AnswerWith(grpc::Status::OK);
  probed.health.Say(Response::NOT_SERVING);

  const RegisteredSnapshot s = probed.ProbeOnce();

  EXPECT_EQ(s.state, State::kOpen);
  EXPECT_EQ(s.last_trip->reason, TransitionReason::kProbeFailed);
}

TEST(HealthProbing, LeavesItToUsersCallsToCloseTheBreaker) {
  ProbedShop probed;
  probed.Trip();
  probed.shop.service.AnswerWith(grpc::Status::OK);
  EXPECT_EQ(probed.ProbeOnce().probe_successes, 0);

  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(probed.shop.SnapshotOf("GetPrice").state, State::kHalfOpen);
    EXPECT_FALSE(probed.IsRefused());
  }

  EXPECT_EQ(probed.shop.SnapshotOf("GetPrice").state, State::kClosed);
  EXPECT_EQ(probed.health.checks(), 1);
}

TEST(HealthProbing, LeavesTheRampToUsersCalls) {
  ProbedShop probed{BreakerOptions()};
  probed.Trip();
  probed.shop.service.AnswerWith(grpc::Status::OK);
  const RegisteredSnapshot s = probed.ProbeOnce();
  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.evidence, 1);

  while (probed.shop.SnapshotOf("GetPrice").state == State::kHalfOpen) {
    probed.shop.clock.Advance(absl::Milliseconds(10));
    EXPECT_FALSE(probed.IsRefused());
  }

  EXPECT_EQ(probed.shop.SnapshotOf("GetPrice").state, State::kClosed);
  EXPECT_EQ(probed.health.checks(), 1);
}

TEST(HealthProbing, FindsAServerThatCameBack) {
  ProbedShop probed;
  probed.Trip();
  probed.health.Stop();
  EXPECT_EQ(probed.ProbeOnce().state, State::kOpen);
  probed.health.Start();

  // More than once if gRPC has not connected again yet.
  while (probed.ProbeOnce().state == State::kOpen) {
  }

  EXPECT_EQ(probed.AwaitAnswer().state, State::kHalfOpen);
}

// How many users' calls fail while one method is broken for 20 s and the health
// service says that all is well, at 100 calls a second.
int CallsLost(bool with_prober, bool paced) {
  BreakerOptions options;
  if (!paced) options.open.pace_by_calls.reset();
  std::unique_ptr<ProbedShop> probed;
  std::unique_ptr<GuardedShop> alone;
  if (with_prober) {
    probed = std::make_unique<ProbedShop>(options);
  } else {
    alone = std::make_unique<GuardedShop>(options);
  }
  GuardedShop& shop = with_prober ? probed->shop : *alone;
  shop.service.AnswerWith(Unavailable());
  for (int i = 0; i < 2000; ++i) {
    shop.GetPrice();
    if (with_prober) probed->AwaitAnswer();
    shop.clock.Advance(absl::Milliseconds(10));
  }
  return shop.service.calls();
}

// V11. The jitter of open times is random.
TEST(HealthProbing, LosesNoMoreCallsOfABrokenMethodThanWithoutIt) {
  for (const bool paced : {true, false}) {
    const int without = CallsLost(/*with_prober=*/false, paced);
    EXPECT_LE(CallsLost(/*with_prober=*/true, paced), without * 1.1 + 3)
        << (paced ? "paced" : "not paced") << ", " << without << " without";
  }
}

TEST(HealthProbing, LetsUsersCallsProbeWhereThereIsNoHealthService) {
  ProbedShop probed;
  probed.Trip();
  probed.shop.service.AnswerWith(grpc::Status::OK);
  probed.health.Fail(grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(probed.ProbeOnce().state, State::kHalfOpen);

  for (int i = 0; i < 3; ++i) EXPECT_FALSE(probed.IsRefused());

  EXPECT_EQ(probed.shop.SnapshotOf("GetPrice").state, State::kClosed);
}

TEST(HealthProbing, LetsEveryCallPassInShadowMode) {
  ProbedShop probed;
  probed.Trip();
  probed.shop.BreakerOf("GetPrice")->SetMode(Mode::kShadow);
  probed.shop.clock.Advance(probed.AwaitAnswer().open_remaining);

  EXPECT_FALSE(probed.IsRefused());

  EXPECT_EQ(probed.health.checks(), 0);
}

// Else it could wait for itself.
TEST(HealthProbing, NeverGuardsTheCheck) {
  ProbedShop probed;
  const auto context = GuardedShop::Context();
  Response response;
  grpc::health::v1::Health::NewStub(probed.shop.channel)
      ->Check(context.get(), grpc::health::v1::HealthCheckRequest(), &response);
  EXPECT_TRUE(probed.shop.registry->Breakers().empty());
}

TEST(HealthProbing, EndsWithTheChannel) {
  ProbedShop probed;
  probed.health.SetHanging(true);
  probed.shop.MakeHalfOpen("GetPrice");
  EXPECT_TRUE(probed.IsRefused());

  probed.shop.stub.reset();
  probed.shop.channel.reset();

  ExpectSettled(probed.shop.SnapshotOf("GetPrice"));
}

TEST(HealthProbing, LosesNoPermitUnderLoad) {
  ProbedShop probed;
  probed.Trip();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&probed] {
      for (int i = 0; i < 500; ++i) {
        probed.health.Say(i % 2 == 0 ? Response::SERVING
                                     : Response::NOT_SERVING);
        probed.shop.clock.Advance(absl::Seconds(1));
        probed.IsRefused();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  ExpectSettled(probed.AwaitAnswer());
  EXPECT_GT(probed.health.checks(), 0);
}

// ------------------------------------------------------- What the caller sees

class CallInPlaceOfWhichACheckIsMade
    : public ::testing::TestWithParam<ShopCall> {
 protected:
  // Makes the call; when this returns, its context is gone.
  Observed Run() {
    probed_.health.SetHanging(true);
    probed_.shop.MakeHalfOpen(GetParam().method);
    const auto context = GuardedShop::Context();
    return GetParam().run({probed_.shop.channel, context.get()});
  }

  ProbedShop probed_;
};

TEST_P(CallInPlaceOfWhichACheckIsMade, IsRefusedLikeAnyOther) {
  const Observed observed = Run();

  const std::optional<RefusalInfo> refusal = ParseRefusal(observed.status);
  ASSERT_TRUE(refusal.has_value()) << observed.status.error_message();
  EXPECT_EQ(refusal->reason, RefusalReason::kHalfOpen);
  EXPECT_EQ(observed.steps, GetParam().steps_of_refusal);
  EXPECT_EQ(observed.trailing_metadata.count(kRefusalMetadataKey), 1u);
  EXPECT_EQ(probed_.shop.service.calls(), 0);
}

TEST_P(CallInPlaceOfWhichACheckIsMade, IsCountedAsRefusedAndTheCheckAsACall) {
  Run();

  const RegisteredSnapshot s = probed_.shop.SnapshotOf(GetParam().method);
  EXPECT_EQ(s.refused[static_cast<int>(RefusalReason::kHalfOpen)], 1u);
  EXPECT_EQ(s.requests, 1u);
  EXPECT_EQ(s.in_flight, 1u);
}

INSTANTIATE_TEST_SUITE_P(Shop, CallInPlaceOfWhichACheckIsMade,
                         ::testing::ValuesIn(PlainShopCalls()),
                         [](const ::testing::TestParamInfo<ShopCall>& info) {
                           return info.param.name;
                         });

}  // namespace
}  // namespace autobreaker
