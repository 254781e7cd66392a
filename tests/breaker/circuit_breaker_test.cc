// Closed and open: what trips a breaker, and for how long. Half-open, modes,
// updates, snapshots and callbacks have test files of their own.
#include "autobreaker/breaker/circuit_breaker.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;

TransitionReason TripReason(TestBreaker& breaker) {
  return breaker.Snapshot().last_trip.value().reason;
}

// ----------------------------------------------------------------- Creation

TEST(CircuitBreakerTest, CreateRefusesInvalidOptions) {
  BreakerOptions options = RateOptions();
  options.trip.minimum_calls = 0;
  const auto breaker = CircuitBreaker::Create(BreakerKey(), options);
  EXPECT_EQ(breaker.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(breaker.status().message()),
              HasSubstr("trip.minimum_calls is 0"));
}

TEST(CircuitBreakerTest, CreateRefusesANullClock) {
  auto instruments = std::make_shared<Instruments>();
  instruments->clock = nullptr;
  const auto breaker =
      CircuitBreaker::Create(BreakerKey(), RateOptions(), instruments);
  EXPECT_EQ(breaker.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(breaker.status().message()), HasSubstr("clock"));
}

TEST(CircuitBreakerTest, WorksWithoutAnEnvironment) {
  const auto breaker =
      CircuitBreaker::Create(BreakerKey{"a", "b", "c"}, RateOptions());
  ASSERT_TRUE(breaker.ok());
  (*breaker)->TryAcquire().Record(Outcome::kSuccess);
  EXPECT_EQ((*breaker)->Snapshot().successes, 1);
}

TEST(CircuitBreakerTest, KnowsItsKey) {
  const BreakerKey key{"a", "b", "c"};
  const auto breaker = CircuitBreaker::Create(key, RateOptions());
  EXPECT_TRUE((*breaker)->key() == key);
}

TEST(CircuitBreakerTest, StartsClosed) {
  TestBreaker breaker;
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_TRUE(breaker.Acquire());
}

// ------------------------------------------------------------- Failure rate

TEST(CircuitBreakerTest, StaysClosedBelowTheMinimum) {
  TestBreaker breaker;
  breaker.Fail(19);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(CircuitBreakerTest, OpensAtTheMinimum) {
  TestBreaker breaker;
  breaker.Fail(20);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(TripReason(breaker), TransitionReason::kFailureRate);
}

TEST(CircuitBreakerTest, RateAtTheThresholdDoesNotOpen) {
  TestBreaker breaker;
  breaker.Succeed(19);
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(CircuitBreakerTest, RateAboveTheThresholdOpens) {
  TestBreaker breaker;
  breaker.Succeed(37);
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kClosed);
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreakerTest, SuccessThatCompletesTheMinimumDoesNotOpen) {
  TestBreaker breaker;
  breaker.Fail(19);
  breaker.Succeed();
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(CircuitBreakerTest, NextFailureOpensOnceTheMinimumIsMet) {
  TestBreaker breaker;
  breaker.Fail(19);
  breaker.Succeed();
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreakerTest, IgnoredCallsAreNeutral) {
  TestBreaker breaker;
  breaker.Fail(19);
  breaker.Finish(Outcome::kIgnored, 1000);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 19));
}

TEST(CircuitBreakerTest, FailuresThatLeftTheWindowDoNotCount) {
  TestBreaker breaker;
  breaker.Fail(19);
  breaker.clock().Advance(absl::Seconds(11));
  breaker.Fail(19);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(CircuitBreakerTest, FailuresOneWindowApartCountTogether) {
  TestBreaker breaker;
  breaker.clock().Advance(absl::Milliseconds(999));
  breaker.Fail(19);
  breaker.clock().Advance(absl::Seconds(10));
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreakerTest, SuccessesThatLeftTheWindowDoNotProtect) {
  TestBreaker breaker;
  breaker.Succeed(10'000);
  breaker.clock().Advance(absl::Seconds(11));
  breaker.Fail(20);
  EXPECT_EQ(breaker.state(), State::kOpen);
}

// ----------------------------------------------------- Consecutive failures

TEST(CircuitBreakerTest, ConsecutiveFailuresOpen) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 5;
  TestBreaker breaker(options);
  breaker.Fail(4);
  EXPECT_EQ(breaker.state(), State::kClosed);
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(TripReason(breaker), TransitionReason::kConsecutiveFailures);
}

TEST(CircuitBreakerTest, SuccessBreaksTheRow) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 5;
  TestBreaker breaker(options);
  breaker.Fail(4);
  breaker.Succeed();
  breaker.Fail(4);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(CircuitBreakerTest, NeutralCallsDoNotBreakTheRow) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 5;
  TestBreaker breaker(options);
  breaker.Fail(4);
  breaker.Finish(Outcome::kIgnored);
  breaker.Finish(Outcome::kAbandoned);
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreakerTest, RowOutlastsTheWindow) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 5;
  TestBreaker breaker(options);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(breaker.state(), State::kClosed);
    breaker.Fail();
    breaker.clock().Advance(absl::Hours(1));
  }
  EXPECT_EQ(
      breaker.Snapshot()
          .trips[static_cast<int>(TransitionReason::kConsecutiveFailures)],
      1);
}

TEST(CircuitBreakerTest, OneFailureOpensIfOneIsEnough) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 1;
  TestBreaker breaker(options);
  breaker.Succeed(1000);
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreakerTest, RowStartsOverWhenTheBreakerCloses) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 5;
  TestBreaker breaker(options);
  breaker.TripAndWaitForProbes();
  breaker.Recover();
  breaker.Fail(4);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

// --------------------------------------------------------------- Slow calls

TEST(CircuitBreakerTest, SlowSuccessesOpen) {
  TestBreaker breaker(SlowCallOptions());
  breaker.Succeed(10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(breaker.state(), State::kClosed);
    Permit permit = breaker.Acquire();
    breaker.clock().Advance(absl::Seconds(1));
    permit.Record(Outcome::kSuccess);
  }
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(TripReason(breaker), TransitionReason::kSlowCallRate);
}

TEST(CircuitBreakerTest, CallOfExactlyTheSlowDurationIsSlow) {
  TestBreaker breaker(SlowCallOptions());
  breaker.Finish(Outcome::kSuccess, absl::Seconds(1));
  EXPECT_EQ(breaker.Snapshot().slow_calls, 1);
}

TEST(CircuitBreakerTest, CallBelowTheSlowDurationIsNotSlow) {
  TestBreaker breaker(SlowCallOptions());
  breaker.Finish(Outcome::kSuccess, absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_EQ(breaker.Snapshot().slow_calls, 0);
}

TEST(CircuitBreakerTest, SlowFailureIsAFailureAndSlow) {
  TestBreaker breaker(SlowCallOptions());
  breaker.Finish(Outcome::kFailure, absl::Seconds(1));
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 1, 1));
}

TEST(CircuitBreakerTest, SlowNeutralCallsAreNotCountedSlow) {
  TestBreaker breaker(SlowCallOptions());
  breaker.Finish(Outcome::kIgnored, absl::Seconds(1));
  breaker.Finish(Outcome::kAbandoned, absl::Seconds(1));
  EXPECT_EQ(breaker.Snapshot().slow_calls, 0);
}

TEST(CircuitBreakerTest, SlowCallsAreNotJudgedByDefault) {
  TestBreaker breaker;
  for (int i = 0; i < 100; ++i) {
    breaker.Finish(Outcome::kSuccess, absl::Milliseconds(90));
  }
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.Snapshot().slow_calls, 0);
}

TEST(CircuitBreakerTest, ShortestSlowDurationMakesCallsSlow) {
  BreakerOptions options = SlowCallOptions();
  options.trip.slow_call_duration = absl::Nanoseconds(1);
  TestBreaker breaker(options);
  breaker.Finish(Outcome::kSuccess, absl::Nanoseconds(1));
  EXPECT_EQ(breaker.Snapshot().slow_calls, 1);
}

// --------------------------------------------------------------------- Open

TEST(CircuitBreakerTest, OpenRefusesAndSaysUntilWhen) {
  TestBreaker breaker;
  breaker.Trip();
  breaker.clock().Advance(absl::Seconds(2));
  const Refusal refusal = breaker.Refused();
  EXPECT_EQ(refusal.reason, RefusalReason::kOpen);
  EXPECT_EQ(refusal.retry_after, absl::Seconds(3));
}

TEST(CircuitBreakerTest, RefusesWithoutSayingWhyIfNobodyAsks) {
  TestBreaker breaker;
  breaker.Trip();
  EXPECT_FALSE(breaker->TryAcquire());
}

TEST(CircuitBreakerTest, AdmittedLeavesTheRefusalAlone) {
  TestBreaker breaker;
  Refusal refusal;
  refusal.reason = RefusalReason::kForcedOpen;
  refusal.retry_after = absl::Seconds(7);
  EXPECT_TRUE(breaker->TryAcquire(&refusal));
  EXPECT_EQ(refusal.reason, RefusalReason::kForcedOpen);
  EXPECT_EQ(refusal.retry_after, absl::Seconds(7));
}

TEST(CircuitBreakerTest, RefusesUntilTheOpenTimeEnds) {
  TestBreaker breaker;
  breaker.Trip();
  breaker.clock().Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  EXPECT_EQ(breaker.Refused().retry_after, absl::Nanoseconds(1));
}

TEST(CircuitBreakerTest, AdmitsAtTheVeryEndOfTheOpenTime) {
  TestBreaker breaker;
  breaker.Trip();
  breaker.clock().Advance(absl::Seconds(5));
  EXPECT_TRUE(breaker.Acquire());
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST(CircuitBreakerTest, RefusedCallsDoNotProlongTheOpenTime) {
  TestBreaker breaker;
  breaker.Trip();
  for (int i = 0; i < 49; ++i) {
    breaker.clock().Advance(absl::Milliseconds(100));
    breaker.Refused();
  }
  breaker.clock().Advance(absl::Milliseconds(100));
  EXPECT_TRUE(breaker.Acquire());
}

TEST(CircuitBreakerTest, LateResultsDoNotProlongTheOpenTime) {
  TestBreaker breaker;
  std::vector<Permit> late = breaker.Acquire(100);
  breaker.Trip();
  breaker.clock().Advance(absl::Seconds(4));
  for (Permit& permit : late) permit.Record(Outcome::kFailure);
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::Seconds(1));
}

// ------------------------------------------------------------------ Backoff

TEST(CircuitBreakerTest, EveryFailedProbeDoublesTheOpenTimeUpToTheMaximum) {
  TestBreaker breaker;
  breaker.Trip();
  for (const int seconds : {5, 10, 20, 40, 60, 60}) {
    EXPECT_EQ(breaker.Snapshot().open_remaining, absl::Seconds(seconds));
    breaker.WaitForProbes();
    breaker.Fail();
  }
}

TEST(CircuitBreakerTest, ClosingStartsTheOpenTimeOver) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Fail();
  breaker.WaitForProbes();
  breaker.Recover();
  breaker.Trip();
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::Seconds(5));
}

// The open times of five trips in a row.
std::vector<absl::Duration> OpenTimes(const std::string& name,
                                      std::optional<uint64_t> seed) {
  FakeClock clock;
  auto instruments = std::make_shared<Instruments>();
  instruments->clock = &clock;
  instruments->seed = seed;
  const auto breaker = CircuitBreaker::Create(BreakerKey{name, "", ""},
                                              RateOptions(), instruments)
                           .value();
  std::vector<absl::Duration> times;
  for (int i = 0; i < 5; ++i) {
    for (int k = 0; k < 20; ++k) {
      breaker->TryAcquire().Record(Outcome::kFailure);
    }
    times.push_back(breaker->Snapshot().open_remaining);
    breaker->SetMode(Mode::kForcedClosed);
    breaker->SetMode(Mode::kAutomatic);
  }
  return times;
}

TEST(CircuitBreakerTest, SameSeedAndKeyRepeatTheOpenTimes) {
  EXPECT_EQ(OpenTimes("a", 42), OpenTimes("a", 42));
}

TEST(CircuitBreakerTest, OtherSeedGivesOtherOpenTimes) {
  EXPECT_NE(OpenTimes("a", 42), OpenTimes("a", 43));
  EXPECT_NE(OpenTimes("a", 42), OpenTimes("a", 42 + (uint64_t{1} << 40)));
}

TEST(CircuitBreakerTest, OtherKeyGivesOtherOpenTimes) {
  EXPECT_NE(OpenTimes("a", 42), OpenTimes("b", 42));
}

TEST(CircuitBreakerTest, NoSeedGivesOtherOpenTimesEveryTime) {
  EXPECT_NE(OpenTimes("a", std::nullopt), OpenTimes("a", std::nullopt));
}

TEST(CircuitBreakerTest, JitterShortensEveryOpenTimeByItsOwnShare) {
  const std::vector<absl::Duration> times = OpenTimes("a", 42);
  for (size_t i = 0; i < times.size(); ++i) {
    EXPECT_GT(times[i], absl::Seconds(4));
    EXPECT_LE(times[i], absl::Seconds(5));
    EXPECT_NE(times[i], times[(i + 1) % times.size()]);
  }
}

TEST(CircuitBreakerTest, RefusalTripAndSnapshotAgreeOnTheJitteredTime) {
  BreakerOptions options = RateOptions();  // with jitter
  TestBreaker breaker(options);
  breaker.Trip();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(breaker.Refused().retry_after, s.open_remaining);
  EXPECT_EQ(s.last_trip->open_for, s.open_remaining);
}

// --------------------------------------------------------------- Wall clock

TEST(CircuitBreakerTest, TransitionsShowWallTime) {
  TestBreaker breaker;
  const absl::Time created = breaker.clock().WallNow();
  EXPECT_EQ(breaker.Snapshot().last_transition_time, created);
  breaker.clock().Advance(absl::Seconds(30));
  breaker.Trip();
  EXPECT_EQ(breaker.Snapshot().last_transition_time,
            created + absl::Seconds(30));
  EXPECT_EQ(breaker.Snapshot().last_trip->time, created + absl::Seconds(30));
}

}  // namespace
}  // namespace autobreaker
