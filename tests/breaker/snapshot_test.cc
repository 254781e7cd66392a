// What a breaker tells about itself.
#include "autobreaker/breaker/snapshot.h"

#include <cmath>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(SnapshotTest, FreshBreakerHasNothingToTell) {
  TestBreaker breaker;
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_TRUE((s.key == BreakerKey{"test", "", ""}));
  EXPECT_EQ(s.requests, 0);
  EXPECT_EQ(AllRefusals(s), 0);
  EXPECT_EQ(s.window, Counts(0, 0));
  EXPECT_TRUE(std::isnan(s.failure_rate));
  EXPECT_TRUE(std::isnan(s.success_rate));
  EXPECT_EQ(s.open_remaining, absl::ZeroDuration());
  EXPECT_FALSE(s.last_trip.has_value());
  EXPECT_EQ(s.last_transition_time, breaker.clock().WallNow());
}

TEST(SnapshotTest, EveryCallHasExactlyOneFate) {
  TestBreaker breaker;
  const std::vector<Permit> in_flight = breaker.Acquire(5);
  breaker.Succeed(4);
  breaker.Fail(3);
  breaker.Finish(Outcome::kIgnored, 2);
  breaker.Finish(Outcome::kAbandoned);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.requests, 15);
  EXPECT_EQ(s.in_flight, 5);
  EXPECT_TRUE(Adds(s));
}

TEST(SnapshotTest, RefusalsAreCountedByReason) {
  TestBreaker breaker;
  breaker.Trip();
  for (int i = 0; i < 3; ++i) breaker.Refused();
  breaker.WaitForProbes();
  const std::vector<Permit> probes = breaker.Acquire(3);
  for (int i = 0; i < 4; ++i) breaker.Refused();
  breaker->SetMode(Mode::kForcedOpen);
  for (int i = 0; i < 5; ++i) breaker.Refused();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(Refusals(s, RefusalReason::kOpen), 3);
  EXPECT_EQ(Refusals(s, RefusalReason::kHalfOpen), 4);
  EXPECT_EQ(Refusals(s, RefusalReason::kForcedOpen), 5);
}

TEST(SnapshotTest, RatesAreSharesOfTheWindow) {
  TestBreaker breaker;
  breaker.Fail();
  breaker.Succeed(3);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.failure_rate, 0.25);
  EXPECT_EQ(s.success_rate, 0.75);
}

TEST(SnapshotTest, WindowMovesOnWithoutCalls) {
  TestBreaker breaker;
  breaker.Fail(5);
  breaker.clock().Advance(absl::Seconds(11));
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 0));
  EXPECT_EQ(breaker.Snapshot().failures, 5);
}

TEST(SnapshotTest, RowsOfFailuresAndSuccesses) {
  TestBreaker breaker;
  breaker.Succeed(5);
  EXPECT_EQ(breaker.Snapshot().consecutive_successes, 5);
  EXPECT_EQ(breaker.Snapshot().consecutive_failures, 0);
  breaker.Fail(2);
  EXPECT_EQ(breaker.Snapshot().consecutive_successes, 0);
  EXPECT_EQ(breaker.Snapshot().consecutive_failures, 2);
  breaker.Succeed();
  EXPECT_EQ(breaker.Snapshot().consecutive_successes, 1);
  EXPECT_EQ(breaker.Snapshot().consecutive_failures, 0);
}

TEST(SnapshotTest, TransitionStartsTheRowOfSuccessesOver) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Succeed(2);
  EXPECT_EQ(breaker.Snapshot().consecutive_successes, 2);
  breaker.Succeed();
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.Snapshot().consecutive_successes, 0);
}

// ---------------------------------------------------------------- Prediction

TEST(SnapshotTest, FailuresUntilTripCountsDown) {
  TestBreaker breaker;
  for (int64_t left = 20; left >= 1; --left) {
    const BreakerSnapshot s = breaker.Snapshot();
    EXPECT_EQ(s.failures_until_trip, left);
    EXPECT_EQ(s.will_trip_next, left == 1);
    breaker.Fail();
  }
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(SnapshotTest, FailuresUntilTripSeesTheNearerRule) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 5;
  TestBreaker breaker(options);
  EXPECT_EQ(breaker.Snapshot().failures_until_trip, 5);
  breaker.Succeed(18);
  EXPECT_EQ(breaker.Snapshot().failures_until_trip, 2);
}

TEST(SnapshotTest, FailuresUntilTripIsForClosedOnly) {
  TestBreaker breaker;
  breaker.Trip();
  EXPECT_EQ(breaker.Snapshot().failures_until_trip, std::nullopt);
  EXPECT_FALSE(breaker.Snapshot().will_trip_next);
  breaker.WaitForProbes();
  EXPECT_EQ(breaker.Snapshot().failures_until_trip, std::nullopt);
}

TEST(SnapshotTest, FailuresUntilTripHoldsInShadowMode) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  EXPECT_EQ(breaker.Snapshot().failures_until_trip, 20);
}

// --------------------------------------------------------------- After a trip

// 6 failures in 40 calls, opened by the last.
void TripAt15Percent(TestBreaker& breaker) {
  BreakerOptions options = ExactOptions();
  options.trip.minimum_calls = 40;
  ASSERT_TRUE(breaker->UpdateOptions(options).ok());
  breaker.Succeed(34);
  breaker.Fail(6);
  ASSERT_EQ(breaker.state(), State::kOpen);
}

TEST(SnapshotTest, WindowAndRateOfTheTripStayWhileOpen) {
  TestBreaker breaker;
  TripAt15Percent(breaker);
  breaker.clock().Advance(absl::Seconds(4));
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.window, Counts(34, 6));
  EXPECT_EQ(s.failure_rate, 0.15);
  EXPECT_EQ(s.success_rate, 0.85);
  EXPECT_EQ(s.consecutive_failures, 6);
}

TEST(SnapshotTest, WindowAndRateOfTheTripStayWhileHalfOpen) {
  TestBreaker breaker;
  TripAt15Percent(breaker);
  breaker.WaitForProbes();
  breaker.clock().Advance(absl::Seconds(30));
  breaker.Succeed();
  const BreakerSnapshot s = breaker.Snapshot();
  ASSERT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.window, Counts(34, 6));
  EXPECT_EQ(s.failure_rate, 0.15);
  EXPECT_EQ(s.consecutive_failures, 6);
}

TEST(SnapshotTest, WindowAndRateOfTheTripStayWhenAProbeFails) {
  TestBreaker breaker;
  TripAt15Percent(breaker);
  breaker.WaitForProbes();
  breaker.Fail();
  const BreakerSnapshot s = breaker.Snapshot();
  ASSERT_EQ(s.state, State::kOpen);
  EXPECT_EQ(s.window, Counts(34, 6));
  EXPECT_EQ(s.failure_rate, 0.15);
  EXPECT_EQ(s.consecutive_failures, 6);
}

TEST(SnapshotTest, LastTripIsTheFailedProbe) {
  TestBreaker breaker;
  TripAt15Percent(breaker);
  breaker.WaitForProbes();
  breaker.Succeed();
  breaker.Fail();
  const Transition trip = breaker.Snapshot().last_trip.value();
  EXPECT_EQ(trip.reason, TransitionReason::kProbeFailed);
  EXPECT_EQ(trip.window, Counts(1, 1));
  EXPECT_EQ(trip.failure_rate, 0.5);
  EXPECT_EQ(trip.consecutive_failures, 1);
  EXPECT_EQ(trip.open_for, absl::Seconds(10));
}

TEST(SnapshotTest, WindowAndRateStartOverWhenItCloses) {
  TestBreaker breaker;
  TripAt15Percent(breaker);
  breaker.WaitForProbes();
  breaker.Recover();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.window, Counts(0, 0));
  EXPECT_TRUE(std::isnan(s.failure_rate));
  EXPECT_EQ(s.consecutive_failures, 0);
}

TEST(SnapshotTest, LastTripOutlastsTheRecovery) {
  TestBreaker breaker;
  TripAt15Percent(breaker);
  breaker.WaitForProbes();
  breaker.Recover();
  const Transition trip = breaker.Snapshot().last_trip.value();
  EXPECT_EQ(trip.from, State::kClosed);
  EXPECT_EQ(trip.to, State::kOpen);
  EXPECT_EQ(trip.reason, TransitionReason::kFailureRate);
  EXPECT_EQ(trip.window, Counts(34, 6));
  EXPECT_EQ(trip.failure_rate, 0.15);
  EXPECT_EQ(trip.consecutive_failures, 6);
  EXPECT_EQ(trip.open_for, absl::Seconds(5));
}

TEST(SnapshotTest, LateResultsChangeNothingButTheirCounts) {
  TestBreaker breaker;
  std::vector<Permit> late = breaker.Acquire(2);
  TripAt15Percent(breaker);
  late[0].Record(Outcome::kSuccess);
  late[1].Record(Outcome::kFailure);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.window, Counts(34, 6));
  EXPECT_EQ(s.successes, 35);
  EXPECT_EQ(s.failures, 7);
  EXPECT_EQ(s.late_results, 2);
}

TEST(SnapshotTest, LateSlowCallsAreCountedSlow) {
  TestBreaker breaker(SlowCallOptions());
  Permit late = breaker.Acquire();
  breaker.Trip();
  breaker.clock().Advance(absl::Seconds(1));
  late.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().slow_calls, 1);
}

TEST(SnapshotTest, OpenRemainingCountsDownToHalfOpen) {
  TestBreaker breaker;
  breaker.Trip();
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::Seconds(5));
  breaker.clock().Advance(absl::Seconds(4));
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::Seconds(1));
  breaker.clock().Advance(absl::Seconds(1));
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::ZeroDuration());
}

TEST(SnapshotTest, IsHalfOpenOnceTheOpenTimeIsOver) {
  TestBreaker breaker;
  breaker.Trip();
  breaker.clock().Advance(absl::Seconds(5));
  EXPECT_EQ(breaker.Snapshot().state, State::kHalfOpen);
}

TEST(SnapshotTest, MakesNoTransition) {
  TestBreaker breaker;
  breaker.Trip();
  breaker.clock().Advance(absl::Hours(1));
  breaker.Snapshot();
  EXPECT_EQ(breaker.Snapshot().transition_count, 1);
  const Permit probe = breaker.Acquire();
  EXPECT_EQ(breaker.Snapshot().transition_count, 2);
}

TEST(SnapshotTest, RunsNoCallback) {
  int calls = 0;
  TestBreaker breaker(ExactOptions(), [&](const Transition&) { ++calls; });
  breaker.Trip();
  breaker->SetMode(Mode::kForcedOpen, absl::Seconds(1));
  breaker.clock().Advance(absl::Hours(1));
  breaker.Snapshot();
  breaker->FlushTransitions();
  EXPECT_EQ(calls, 1);
}

TEST(SnapshotTest, ModeWhoseTimeIsOverIsTheOneThatFollows) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow, absl::Seconds(1));
  breaker.clock().Advance(absl::Milliseconds(999));
  EXPECT_EQ(breaker.Snapshot().mode, Mode::kShadow);
  EXPECT_EQ(breaker.Snapshot().mode_remaining, absl::Milliseconds(1));
  breaker.clock().Advance(absl::Milliseconds(1));
  EXPECT_EQ(breaker.Snapshot().mode, Mode::kAutomatic);
  EXPECT_EQ(breaker.Snapshot().mode_remaining, absl::InfiniteDuration());
}

TEST(SnapshotTest, IsHalfOpenOnceAForcedOpeningIsOver) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen, absl::Seconds(1));
  breaker.clock().Advance(absl::Seconds(2));
  EXPECT_EQ(breaker.Snapshot().state, State::kHalfOpen);
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::ZeroDuration());
}

TEST(SnapshotTest, OpenTimeRunsOnWhenAModeIsOver) {
  TestBreaker breaker;
  breaker.Trip();
  breaker->SetMode(Mode::kShadow, absl::Seconds(1));
  breaker.clock().Advance(absl::Seconds(2));
  EXPECT_EQ(breaker.Snapshot().state, State::kOpen);
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::Seconds(3));
}

TEST(SnapshotTest, WindowLosesCallsByTimeAlone) {
  TestBreaker breaker;
  breaker.Fail(5);
  breaker.clock().Advance(absl::Seconds(10));
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 5));
  breaker.clock().Advance(absl::Seconds(1));
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 0));
}

TEST(SnapshotTest, ReopeningsCountFailedProbesUntilItCloses) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Fail();
  breaker.WaitForProbes();
  breaker.Fail();
  EXPECT_EQ(breaker.Snapshot().reopenings, 2);
  breaker.WaitForProbes();
  breaker.Recover();
  EXPECT_EQ(breaker.Snapshot().reopenings, 0);
}

TEST(SnapshotTest, TransitionsAndTripsAreCountedByKind) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Fail();
  breaker.WaitForProbes();
  breaker.Recover();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(Transitions(s, State::kClosed, State::kOpen), 1);
  EXPECT_EQ(Transitions(s, State::kOpen, State::kHalfOpen), 2);
  EXPECT_EQ(Transitions(s, State::kHalfOpen, State::kOpen), 1);
  EXPECT_EQ(Transitions(s, State::kHalfOpen, State::kClosed), 1);
  EXPECT_EQ(Trips(s, TransitionReason::kFailureRate), 1);
  EXPECT_EQ(Trips(s, TransitionReason::kProbeFailed), 1);
}

TEST(SnapshotTest, ProbesInFlightLeaveOutEndedLeases) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  const std::vector<Permit> probes = breaker.Acquire(2);
  EXPECT_EQ(breaker.Snapshot().probes_in_flight, 2);
  breaker.clock().Advance(absl::Seconds(60));
  EXPECT_EQ(breaker.Snapshot().probes_in_flight, 0);
}

}  // namespace
}  // namespace autobreaker
