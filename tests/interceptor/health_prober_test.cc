#include "autobreaker/interceptor/health_prober.h"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/slice.h>

#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>

#include "autobreaker/breaker/instruments.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "autobreaker/tests/interceptor/fake_health.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;
using Response = FakeHealth::Response;

class HealthProberTest : public ::testing::Test {
 protected:
  std::shared_ptr<HealthProber> Make(HealthProberOptions options = {}) {
    return HealthProber::Create(health_.channel(), std::move(options)).value();
  }

  // Half-open, and nobody has found anything out.
  std::shared_ptr<CircuitBreaker> Breaker() {
    auto instruments = std::make_shared<Instruments>();
    instruments->clock = &clock_;
    auto breaker =
        CircuitBreaker::Create({"n", "s", "m"}, RateOptions(), instruments)
            .value();
    breaker->SetMode(Mode::kForcedOpen);
    breaker->SetMode(Mode::kAutomatic);
    return breaker;
  }

  // What a call does. Whether the prober took its permit.
  static bool Probe(HealthProber* prober,
                    const std::shared_ptr<CircuitBreaker>& breaker) {
    Permit permit = breaker->TryAcquire();
    return prober->TakeOver(breaker, &permit);
  }

  // The breaker as it is once no permit of it is held.
  static BreakerSnapshot AwaitAnswer(
      const std::shared_ptr<CircuitBreaker>& breaker) {
    for (;;) {
      BreakerSnapshot s = breaker->Snapshot();
      if (s.in_flight == 0 && s.probes_in_flight == 0) return s;
      std::this_thread::yield();
    }
  }

  const Watchdog watchdog_{
      ::testing::UnitTest::GetInstance()->current_test_info()->name()};
  FakeClock clock_;
  FakeHealth health_;
};

// ------------------------------------------------------------------ Creation

std::string ErrorOf(const HealthProberOptions& options) {
  return std::string(options.Validate().message());
}

TEST(HealthProberOptionsTest, AreValidByDefault) {
  EXPECT_EQ(HealthProberOptions().Validate(), absl::OkStatus());
}

TEST(HealthProberOptionsTest, TakeTimeoutsFromAMillisecondToAnHour) {
  HealthProberOptions options;
  options.timeout = absl::Milliseconds(1);
  EXPECT_TRUE(options.Validate().ok());
  options.timeout = absl::Hours(1);
  EXPECT_TRUE(options.Validate().ok());
}

TEST(HealthProberOptionsTest, NameATimeoutOutOfRange) {
  HealthProberOptions options;
  options.timeout = absl::Milliseconds(1) - absl::Nanoseconds(1);
  EXPECT_EQ(ErrorOf(options), "timeout is 999.999us, must be in [1ms, 1h]");
  options.timeout = absl::InfiniteDuration();
  EXPECT_EQ(ErrorOf(options), "timeout is inf, must be in [1ms, 1h]");
}

TEST(HealthProberOptionsTest, NameAServiceThatIsNoText) {
  HealthProberOptions options;
  options.service = "shop\xff";
  EXPECT_EQ(ErrorOf(options),
            R"(service is "shop\xff", must be UTF-8 without U+FFFD)");
}

TEST(HealthProberOptionsTest, NameEveryFieldThatIsWrong) {
  HealthProberOptions options;
  options.service = "\xff";
  options.timeout = absl::ZeroDuration();
  EXPECT_THAT(ErrorOf(options), HasSubstr("service"));
  EXPECT_THAT(ErrorOf(options), HasSubstr("timeout"));
}

TEST_F(HealthProberTest, IsNotMadeOfInvalidOptions) {
  HealthProberOptions options;
  options.timeout = absl::ZeroDuration();
  EXPECT_EQ(HealthProber::Create(health_.channel(), options).status(),
            options.Validate());
}

TEST_F(HealthProberTest, IsNotMadeWithoutAChannel) {
  EXPECT_EQ(HealthProber::Create(nullptr).status(),
            absl::InvalidArgumentError("channel is null, must be a channel"));
}

// -------------------------------------------------------------------- Asking

TEST_F(HealthProberTest, AsksForTheServerAsAWhole) {
  const auto breaker = Breaker();
  const auto prober = Make();
  Probe(prober.get(), breaker);
  AwaitAnswer(breaker);
  EXPECT_EQ(health_.checks(), 1);
  EXPECT_EQ(health_.service(), "");
}

TEST_F(HealthProberTest, AsksForTheServiceItIsGiven) {
  HealthProberOptions options;
  options.service = "shop.Orders";
  const auto breaker = Breaker();
  const auto prober = Make(options);
  Probe(prober.get(), breaker);
  AwaitAnswer(breaker);
  EXPECT_EQ(health_.service(), "shop.Orders");
}

TEST_F(HealthProberTest, AsksAgainForEachProbe) {
  const auto breaker = Breaker();
  const auto prober = Make();
  health_.Say(Response::NOT_SERVING);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(Probe(prober.get(), breaker));
    clock_.Advance(AwaitAnswer(breaker).open_remaining);
    EXPECT_EQ(health_.checks(), i);
  }
}

// ------------------------------------------------------------------- Answers

// What the health service does, and what that is to the breaker.
struct Answer {
  std::string name;
  grpc::StatusCode code;
  Response::ServingStatus serving_status;
  Outcome outcome;

  friend std::ostream& operator<<(std::ostream& os, const Answer& answer) {
    return os << answer.name;
  }
};

class HealthAnswer : public HealthProberTest,
                     public ::testing::WithParamInterface<Answer> {};

TEST_P(HealthAnswer, IsWhatTheBreakerHears) {
  const Answer& answer = GetParam();
  const auto breaker = Breaker();
  const auto prober = Make();
  if (answer.code == grpc::StatusCode::OK) {
    health_.Say(answer.serving_status);
  } else {
    health_.Fail(answer.code);
  }

  Probe(prober.get(), breaker);

  const BreakerSnapshot s = AwaitAnswer(breaker);
  EXPECT_EQ(s.successes, answer.outcome == Outcome::kSuccess ? 1u : 0u);
  EXPECT_EQ(s.failures, answer.outcome == Outcome::kFailure ? 1u : 0u);
  EXPECT_EQ(s.ignored, answer.outcome == Outcome::kIgnored ? 1u : 0u);
}

Answer Says(std::string name, Response::ServingStatus status, Outcome outcome) {
  return {std::move(name), grpc::StatusCode::OK, status, outcome};
}
Answer Fails(std::string name, grpc::StatusCode code, Outcome outcome) {
  return {std::move(name), code, Response::SERVING, outcome};
}

INSTANTIATE_TEST_SUITE_P(
    All, HealthAnswer,
    ::testing::Values(
        Says("Serving", Response::SERVING, Outcome::kIgnored),
        Says("NotServing", Response::NOT_SERVING, Outcome::kFailure),
        Says("NotKnownYet", Response::UNKNOWN, Outcome::kFailure),
        Says("ServiceUnknown", Response::SERVICE_UNKNOWN, Outcome::kIgnored),
        Fails("Unavailable", grpc::StatusCode::UNAVAILABLE, Outcome::kFailure),
        Fails("DeadlineExceeded", grpc::StatusCode::DEADLINE_EXCEEDED,
              Outcome::kFailure),
        Fails("Internal", grpc::StatusCode::INTERNAL, Outcome::kFailure),
        Fails("Unimplemented", grpc::StatusCode::UNIMPLEMENTED,
              Outcome::kIgnored),
        Fails("NotFound", grpc::StatusCode::NOT_FOUND, Outcome::kIgnored),
        Fails("PermissionDenied", grpc::StatusCode::PERMISSION_DENIED,
              Outcome::kIgnored)),
    [](const ::testing::TestParamInfo<Answer>& info) {
      return info.param.name;
    });

// A health service that does not speak its own protocol.
class Babble final
    : public grpc::health::v1::Health::WithRawCallbackMethod_Check<
          grpc::health::v1::Health::Service> {
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer*,
                                  grpc::ByteBuffer* response) override {
    const grpc::Slice babble("\xff\xff");
    *response = grpc::ByteBuffer(&babble, 1);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

TEST_F(HealthProberTest, HearsNothingInAnAnswerThatIsNone) {
  Babble babble;
  grpc::ServerBuilder builder;
  builder.RegisterService(&babble);
  const auto server = builder.BuildAndStart();
  const auto prober =
      HealthProber::Create(server->InProcessChannel({})).value();
  const auto breaker = Breaker();

  Probe(prober.get(), breaker);

  EXPECT_EQ(AwaitAnswer(breaker).ignored, 1u);
}

TEST_F(HealthProberTest, FailsWhereNobodyListens) {
  health_.Stop();
  const auto breaker = Breaker();
  const auto prober = Make();
  Probe(prober.get(), breaker);
  EXPECT_EQ(AwaitAnswer(breaker).failures, 1u);
}

TEST_F(HealthProberTest, FailsWhenTheAnswerDoesNotComeInTime) {
  health_.SetHanging(true);
  HealthProberOptions options;
  options.timeout = absl::Milliseconds(50);
  const auto breaker = Breaker();
  const auto prober = Make(options);

  Probe(prober.get(), breaker);

  const BreakerSnapshot s = AwaitAnswer(breaker);
  EXPECT_EQ(s.failures, 1u);
  EXPECT_EQ(s.state, State::kOpen);
}

// ----------------------------------------------------------- Asking in vain

TEST_F(HealthProberTest, LeavesTheNextProbesToUsersWhenAskedInVain) {
  const auto breaker = Breaker();
  const auto prober = Make();
  health_.Fail(grpc::StatusCode::UNIMPLEMENTED);
  Probe(prober.get(), breaker);
  AwaitAnswer(breaker);

  for (int i = 0; i < 9; ++i) EXPECT_FALSE(Probe(prober.get(), breaker));

  EXPECT_EQ(health_.checks(), 1);
}

TEST_F(HealthProberTest, LeavesAPermitAloneThatItDoesNotTake) {
  const auto breaker = Breaker();
  const auto prober = Make();
  health_.Fail(grpc::StatusCode::UNIMPLEMENTED);
  Probe(prober.get(), breaker);
  AwaitAnswer(breaker);

  Permit permit = breaker->TryAcquire();
  ASSERT_FALSE(prober->TakeOver(breaker, &permit));

  EXPECT_TRUE(permit);
}

TEST_F(HealthProberTest, AsksAgainAfterSomeProbes) {
  const auto breaker = Breaker();
  const auto prober = Make();
  health_.Fail(grpc::StatusCode::NOT_FOUND);
  Probe(prober.get(), breaker);
  AwaitAnswer(breaker);
  health_.Say(Response::SERVING);
  for (int i = 0; i < 9; ++i) Probe(prober.get(), breaker);

  EXPECT_TRUE(Probe(prober.get(), breaker));

  EXPECT_EQ(AwaitAnswer(breaker).ignored, 2u);
}

// ------------------------------------------------------------ Shared answers

TEST_F(HealthProberTest, SharesAnAnswerBetweenBreakers) {
  const auto one = Breaker();
  const auto other = Breaker();
  const auto prober = Make();
  health_.SetHanging(true);
  EXPECT_TRUE(Probe(prober.get(), one));
  EXPECT_TRUE(Probe(prober.get(), other));
  health_.SetHanging(false);

  AwaitAnswer(one);
  AwaitAnswer(other);
  EXPECT_FALSE(one->TryAcquire().finds_out());
  EXPECT_FALSE(other->TryAcquire().finds_out());
  EXPECT_EQ(health_.checks(), 1);
}

// Three would reopen it at once.
TEST_F(HealthProberTest, CountsAFailureOnceHoweverManyProbesWaited) {
  const auto breaker = Breaker();
  const auto prober = Make();
  health_.Say(Response::NOT_SERVING);
  health_.SetHanging(true);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Probe(prober.get(), breaker));
  health_.SetHanging(false);

  const BreakerSnapshot s = AwaitAnswer(breaker);
  EXPECT_EQ(s.failures, 1u);
  EXPECT_EQ(s.ignored, 2u);
}

TEST_F(HealthProberTest, LeavesItToTheNextCallToFindOutWhenItServes) {
  const auto breaker = Breaker();
  const auto prober = Make();
  Probe(prober.get(), breaker);

  const BreakerSnapshot s = AwaitAnswer(breaker);

  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.probe_successes, 0);
  const Permit permit = breaker->TryAcquire();
  EXPECT_TRUE(permit);
  EXPECT_FALSE(permit.finds_out());
}

TEST_F(HealthProberTest, GivesTheAnswerToTheProbeThatStillHasItsPlace) {
  const auto breaker = Breaker();
  const auto prober = Make();
  health_.SetHanging(true);
  Probe(prober.get(), breaker);
  clock_.Advance(RateOptions().half_open.lease);
  Probe(prober.get(), breaker);
  health_.Say(Response::NOT_SERVING);
  health_.SetHanging(false);

  const BreakerSnapshot s = AwaitAnswer(breaker);
  EXPECT_EQ(s.state, State::kOpen);
  EXPECT_EQ(s.late_results, 0u);
}

// ------------------------------------------------------------------ Lifetime

TEST_F(HealthProberTest, KeepsABreakerThatWaits) {
  auto breaker = Breaker();
  const std::weak_ptr<CircuitBreaker> weak = breaker;
  const auto prober = Make();
  health_.SetHanging(true);
  Probe(prober.get(), breaker);
  breaker.reset();

  EXPECT_FALSE(weak.expired());
}

TEST_F(HealthProberTest, LetsGoOfABreakerThatWaitedForNothing) {
  auto breaker = Breaker();
  const std::weak_ptr<CircuitBreaker> weak = breaker;
  const auto prober = Make();
  health_.SetHanging(true);
  Probe(prober.get(), breaker);
  breaker.reset();
  health_.SetHanging(false);

  while (!weak.expired()) std::this_thread::yield();
}

TEST_F(HealthProberTest, GivesPermitsBackWhenItIsDestroyed) {
  const auto breaker = Breaker();
  auto prober = Make();
  health_.SetHanging(true);
  Probe(prober.get(), breaker);

  prober.reset();

  EXPECT_EQ(breaker->Snapshot().ignored, 1u);
}

TEST_F(HealthProberTest, MayBeDestroyedWheneverAnAnswerComes) {
  for (int i = 0; i < 200; ++i) {
    const auto breaker = Breaker();
    auto prober = Make();
    Probe(prober.get(), breaker);
    prober.reset();
    EXPECT_EQ(breaker->Snapshot().in_flight, 0u);
  }
}

}  // namespace
}  // namespace autobreaker
