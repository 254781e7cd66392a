// A server that asks to be left alone for a while, heard by the breaker core.

#include <memory>

#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

class Pushback : public ::testing::Test {
 protected:
  static BreakerOptions Options() {
    BreakerOptions options = RateOptions();
    options.trip.consecutive_failures = 2;
    options.open.duration = absl::Seconds(5);
    options.open.duration_max = absl::Seconds(60);
    options.open.duration_jitter = 0;
    options.half_open.successes_to_close = 1;
    return options;
  }

  std::shared_ptr<CircuitBreaker> Make() {
    auto instruments = std::make_shared<Instruments>();
    instruments->clock = &clock_;
    return CircuitBreaker::Create({"n", "s", "m"}, Options(), instruments)
        .value();
  }

  void Fail(absl::Duration retry_after = absl::ZeroDuration()) {
    breaker_->TryAcquire().Record(Outcome::kFailure, retry_after);
  }
  // The first of the two failures, and the one that opens the breaker.
  void Trip(absl::Duration retry_after) {
    Fail();
    Fail(retry_after);
  }
  absl::Duration OpenRemaining() { return breaker_->Snapshot().open_remaining; }

  FakeClock clock_;
  const std::shared_ptr<CircuitBreaker> breaker_ = Make();
};

TEST_F(Pushback, LongerThanTheOpenTimeIsTheOpenTime) {
  Trip(absl::Seconds(20));
  EXPECT_EQ(OpenRemaining(), absl::Seconds(20));
}

TEST_F(Pushback, RefusesUntilItIsOverAndThenProbes) {
  Trip(absl::Seconds(20));
  clock_.Advance(absl::Seconds(20) - absl::Nanoseconds(1));
  EXPECT_FALSE(breaker_->TryAcquire());
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(breaker_->TryAcquire());
}

TEST_F(Pushback, IsWhatARefusalTellsTheCaller) {
  Trip(absl::Seconds(20));
  Refusal refusal;
  breaker_->TryAcquire(&refusal);
  EXPECT_EQ(refusal.retry_after, absl::Seconds(20));
}

TEST_F(Pushback, IsInTheTransitionThatIsTold) {
  Trip(absl::Seconds(20));
  EXPECT_EQ(breaker_->Snapshot().last_trip->open_for, absl::Seconds(20));
}

TEST_F(Pushback, ShorterThanTheOpenTimeChangesNothing) {
  Trip(absl::Seconds(1));
  EXPECT_EQ(OpenRemaining(), absl::Seconds(5));
}

TEST_F(Pushback, IsCappedByOpenDurationMax) {
  Trip(absl::Hours(24));
  EXPECT_EQ(OpenRemaining(), absl::Seconds(60));
}

TEST_F(Pushback, InfiniteIsCappedByOpenDurationMax) {
  Trip(absl::InfiniteDuration());
  EXPECT_EQ(OpenRemaining(), absl::Seconds(60));
}

TEST_F(Pushback, NegativeChangesNothing) {
  Trip(-absl::InfiniteDuration());
  EXPECT_EQ(OpenRemaining(), absl::Seconds(5));
}

TEST_F(Pushback, OfAFailureThatDoesNotOpenIsForgotten) {
  Fail(absl::Seconds(20));
  Fail();
  EXPECT_EQ(OpenRemaining(), absl::Seconds(5));
}

TEST_F(Pushback, OfASuccessIsNotHeard) {
  breaker_->TryAcquire().Record(Outcome::kSuccess, absl::Seconds(20));
  EXPECT_EQ(breaker_->Snapshot().state, State::kClosed);
}

TEST_F(Pushback, OfALateFailureIsNotHeard) {
  Permit late = breaker_->TryAcquire();
  Trip(absl::ZeroDuration());
  late.Record(Outcome::kFailure, absl::Seconds(20));
  EXPECT_EQ(OpenRemaining(), absl::Seconds(5));
}

TEST_F(Pushback, OfAFailedProbeIsHeard) {
  Trip(absl::ZeroDuration());
  clock_.Advance(absl::Seconds(5));
  Fail(absl::Seconds(30));
  EXPECT_EQ(OpenRemaining(), absl::Seconds(30));
}

TEST_F(Pushback, OfOneTripDoesNotLastToTheNext) {
  Trip(absl::Seconds(30));
  clock_.Advance(absl::Seconds(30));
  breaker_->TryAcquire().Record(Outcome::kSuccess);
  ASSERT_EQ(breaker_->Snapshot().state, State::kClosed);
  Trip(absl::ZeroDuration());
  EXPECT_EQ(OpenRemaining(), absl::Seconds(5));
}

TEST_F(Pushback, SurvivesAChangeOfOpenDurationsWithinTheNewMaximum) {
  Trip(absl::Seconds(30));
  BreakerOptions options = Options();
  options.open.duration = absl::Seconds(1);
  options.open.duration_max = absl::Seconds(25);
  ASSERT_TRUE(breaker_->UpdateOptions(options).ok());
  EXPECT_EQ(OpenRemaining(), absl::Seconds(25));
}

}  // namespace
}  // namespace autobreaker
