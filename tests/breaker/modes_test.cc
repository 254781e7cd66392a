// What an operator may force, and shadow mode.
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(ModesTest, StartsAutomatic) {
  TestBreaker breaker;
  EXPECT_EQ(breaker.Snapshot().mode, Mode::kAutomatic);
}

TEST(ModesTest, SameModeAgainChangesNothing) {
  TestBreaker breaker;
  for (const Mode mode : {Mode::kAutomatic, Mode::kForcedOpen,
                          Mode::kForcedClosed, Mode::kShadow}) {
    breaker->SetMode(mode);
    const BreakerSnapshot before = breaker.Snapshot();
    breaker->SetMode(mode);
    const BreakerSnapshot after = breaker.Snapshot();
    EXPECT_EQ(after.mode, mode);
    EXPECT_EQ(after.state, before.state);
    EXPECT_EQ(after.transitions, before.transitions);
  }
}

// -------------------------------------------------------------- Forced open

TEST(ForcedOpenTest, RefusesEveryCall) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen);
  const Refusal refusal = breaker.Refused();
  EXPECT_EQ(refusal.reason, RefusalReason::kForcedOpen);
  EXPECT_EQ(refusal.retry_after, std::nullopt);
}

TEST(ForcedOpenTest, NeverEndsByItself) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen);
  breaker.clock().Advance(absl::Hours(24 * 365 * 10));
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kForcedOpen);
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::InfiniteDuration());
}

TEST(ForcedOpenTest, IsATripByForce) {
  TestBreaker breaker;
  breaker.Fail(3);
  breaker->SetMode(Mode::kForcedOpen);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kOpen);
  EXPECT_EQ(Trips(s, TransitionReason::kForced), 1);
  EXPECT_EQ(s.last_trip->reason, TransitionReason::kForced);
  EXPECT_EQ(s.last_trip->open_for, absl::InfiniteDuration());
  EXPECT_EQ(s.last_trip->window, Counts(0, 3));
}

TEST(ForcedOpenTest, TripShowsNoCallsThatLeftTheWindow) {
  TestBreaker breaker;
  breaker.Fail(3);
  breaker.clock().Advance(absl::Hours(1));
  breaker->SetMode(Mode::kForcedOpen);
  EXPECT_EQ(breaker.Snapshot().last_trip->window, Counts(0, 0));
}

TEST(ForcedOpenTest, HoldsABreakerThatIsOpen) {
  TestBreaker breaker;
  breaker.Trip();
  breaker->SetMode(Mode::kForcedOpen);
  breaker.clock().Advance(absl::Hours(1));
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kForcedOpen);
}

TEST(ForcedOpenTest, OnAnOpenBreakerIsNoTransition) {
  TestBreaker breaker;
  breaker.Trip();
  breaker->SetMode(Mode::kForcedOpen);
  EXPECT_EQ(Trips(breaker.Snapshot(), TransitionReason::kForced), 0);
}

TEST(ForcedOpenTest, OpensHalfOpenWithoutCountingAReopening) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker->SetMode(Mode::kForcedOpen);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.Snapshot().reopenings, 0);
}

TEST(ForcedOpenTest, LeavingItLetsTheNextCallProbe) {
  for (const Mode next : {Mode::kAutomatic, Mode::kShadow}) {
    TestBreaker breaker;
    breaker->SetMode(Mode::kForcedOpen);
    breaker->SetMode(next);
    EXPECT_EQ(breaker.state(), State::kHalfOpen);
    const Permit probe = breaker.Acquire();
    EXPECT_EQ(breaker.Snapshot().probes_in_flight, 1);
  }
}

TEST(ForcedOpenTest, LeavingItThenRecovers) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen);
  breaker->SetMode(Mode::kAutomatic);
  breaker.Recover();
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(ForcedOpenTest, LeavingItForForcedClosedCloses) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen);
  breaker->SetMode(Mode::kForcedClosed);
  EXPECT_EQ(breaker.state(), State::kClosed);
  breaker.Succeed();
}

TEST(ForcedOpenTest, UpdateOfOptionsKeepsItForced) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen);
  ASSERT_TRUE(breaker->UpdateOptions(RateOptions()).ok());
  breaker.clock().Advance(absl::Hours(1));
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kForcedOpen);
}

TEST(ForcedOpenTest, CallsUnderWayAreLate) {
  TestBreaker breaker;
  Permit permit = breaker.Acquire();
  breaker->SetMode(Mode::kForcedOpen);
  permit.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().late_results, 1);
}

// ------------------------------------------------------------ Forced closed

TEST(ForcedClosedTest, NothingTrips) {
  BreakerOptions options = SlowCallOptions();
  options.trip.consecutive_failures = 3;
  TestBreaker breaker(options);
  breaker->SetMode(Mode::kForcedClosed);
  for (int i = 0; i < 100; ++i) {
    breaker.Finish(Outcome::kFailure, absl::Seconds(1));
  }
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(ForcedClosedTest, StillCounts) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedClosed);
  breaker.Fail(100);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.failures, 100);
  EXPECT_EQ(s.window, Counts(0, 100));
}

TEST(ForcedClosedTest, ClosesABreakerThatIsOpen) {
  TestBreaker breaker;
  breaker.Trip();
  breaker->SetMode(Mode::kForcedClosed);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 0));
  breaker.Succeed();
}

TEST(ForcedClosedTest, ClosesABreakerThatIsHalfOpen) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Fail();
  breaker.WaitForProbes();
  breaker->SetMode(Mode::kForcedClosed);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.Snapshot().reopenings, 0);
}

TEST(ForcedClosedTest, LeavingItKeepsTheWindowAndTheNextFailureTrips) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedClosed);
  breaker.Fail(100);
  breaker->SetMode(Mode::kAutomatic);
  EXPECT_EQ(breaker.state(), State::kClosed);
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(ForcedClosedTest, LeavingItForForcedOpenOpens) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedClosed);
  breaker->SetMode(Mode::kForcedOpen);
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kForcedOpen);
}

TEST(ForcedClosedTest, WillNotTripNext) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedClosed);
  breaker.Fail(100);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.failures_until_trip, std::nullopt);
  EXPECT_FALSE(s.will_trip_next);
}

// ------------------------------------------------------------------- Shadow

TEST(ShadowTest, RefusesNothingWhenOpen) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker.Trip();
  breaker.Succeed(100);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(AllRefusals(s), 0);
  EXPECT_EQ(s.successes, 100);
}

TEST(ShadowTest, CountsWhatItWouldHaveRefusedWhenOpen) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker.Trip();
  breaker.Succeed(100);
  EXPECT_EQ(ShadowRefusals(breaker.Snapshot(), RefusalReason::kOpen), 100);
}

TEST(ShadowTest, CountsWhatItWouldHaveRefusedWhenHalfOpen) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker.TripAndWaitForProbes();
  const std::vector<Permit> permits = breaker.Acquire(3 + 7);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(ShadowRefusals(s, RefusalReason::kHalfOpen), 7);
  EXPECT_EQ(s.probes_in_flight, 3);
}

TEST(ShadowTest, AskedForAReasonGivesNone) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker.Trip();
  Refusal refusal;
  refusal.retry_after = absl::Seconds(77);
  EXPECT_TRUE(breaker->TryAcquire(&refusal));
  EXPECT_EQ(refusal.retry_after, absl::Seconds(77));
}

TEST(ShadowTest, CallsLetThroughMoveNoState) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker.TripAndWaitForProbes();
  const std::vector<Permit> probes = breaker.Acquire(3);
  breaker.Succeed(100);
  breaker.Fail(100);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.probe_successes, 0);
  EXPECT_EQ(s.late_results, 0);
}

TEST(ShadowTest, CallsLetThroughAreNotInTheNextWindow) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker.TripAndWaitForProbes();
  std::vector<Permit> probes = breaker.Acquire(3);
  std::vector<Permit> unjudged = breaker.Acquire(100);
  for (Permit& probe : probes) probe.Record(Outcome::kSuccess);
  ASSERT_EQ(breaker.state(), State::kClosed);
  for (Permit& permit : unjudged) permit.Record(Outcome::kFailure);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 0));
}

TEST(ShadowTest, SlowCallsLetThroughAreCountedSlow) {
  TestBreaker breaker(SlowCallOptions());
  breaker->SetMode(Mode::kShadow);
  breaker.Trip();
  breaker.Finish(Outcome::kSuccess, absl::Seconds(1));
  EXPECT_EQ(breaker.Snapshot().slow_calls, 1);
}

TEST(ShadowTest, TheStateMachineRunsAllTheWayRound) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker.TripAndWaitForProbes();
  breaker.Recover();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(Transitions(s, State::kClosed, State::kOpen), 1);
  EXPECT_EQ(Transitions(s, State::kOpen, State::kHalfOpen), 1);
  EXPECT_EQ(Transitions(s, State::kHalfOpen, State::kClosed), 1);
}

TEST(ShadowTest, LeavingItWhileOpenRefuses) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker.Trip();
  breaker->SetMode(Mode::kAutomatic);
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kOpen);
}

TEST(ShadowTest, EnteringItWhileOpenAdmits) {
  TestBreaker breaker;
  breaker.Trip();
  breaker->SetMode(Mode::kShadow);
  EXPECT_TRUE(breaker.Acquire());
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(ShadowTest, EnteringAndLeavingItKeepsTheWindow) {
  TestBreaker breaker;
  breaker.Fail(10);
  breaker->SetMode(Mode::kShadow);
  breaker.Fail(5);
  breaker->SetMode(Mode::kAutomatic);
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 15));
}

// ------------------------------------------------------------ For a time

TEST(ModeForATimeTest, ForcedOpenEndsByItselfInHalfOpen) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen, absl::Minutes(10));
  breaker.clock().Advance(absl::Minutes(10) - absl::Nanoseconds(1));
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kForcedOpen);
  breaker.clock().Advance(absl::Nanoseconds(1));
  breaker.Acquire().Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().mode, Mode::kAutomatic);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST(ModeForATimeTest, RefusalWhileForcedOpenSaysHowLong) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen, absl::Minutes(10));
  breaker.clock().Advance(absl::Minutes(4));
  EXPECT_EQ(breaker.Refused().retry_after, absl::Minutes(6));
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::Minutes(6));
}

TEST(ModeForATimeTest, ForcedClosedEndsAtTheNextCall) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedClosed, absl::Minutes(10));
  breaker.clock().Advance(absl::Minutes(10));
  for (int i = 0; i < 1000 && breaker->TryAcquire(); ++i) breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(ModeForATimeTest, ShadowEndsByRefusing) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow, absl::Seconds(1));
  breaker.Trip();
  breaker.Acquire();
  breaker.clock().Advance(absl::Seconds(1));
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kOpen);
}

TEST(ModeForATimeTest, SnapshotAloneEndsIt) {
  for (const Mode mode :
       {Mode::kForcedOpen, Mode::kForcedClosed, Mode::kShadow}) {
    TestBreaker breaker;
    breaker->SetMode(mode, absl::Seconds(1));
    EXPECT_EQ(breaker.Snapshot().mode, mode);
    EXPECT_EQ(breaker.Snapshot().mode_remaining, absl::Seconds(1));
    breaker.clock().Advance(absl::Seconds(1));
    EXPECT_EQ(breaker.Snapshot().mode, Mode::kAutomatic);
    EXPECT_EQ(breaker.Snapshot().mode_remaining, absl::InfiniteDuration());
  }
}

TEST(ModeForATimeTest, LaterCallOfSetModeReplacesTheTime) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen, absl::Seconds(1));
  breaker->SetMode(Mode::kForcedOpen, absl::Hours(1));
  breaker.clock().Advance(absl::Minutes(59));
  EXPECT_EQ(breaker.Refused().retry_after, absl::Minutes(1));
  breaker->SetMode(Mode::kForcedOpen);
  breaker.clock().Advance(absl::Hours(1));
  EXPECT_EQ(breaker.Refused().retry_after, std::nullopt);
}

TEST(ModeForATimeTest, AutomaticForATimeIsForGood) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker->SetMode(Mode::kAutomatic, absl::Seconds(1));
  EXPECT_EQ(breaker.Snapshot().mode_remaining, absl::InfiniteDuration());
}

TEST(ModeForATimeTest, OpenTimeIsItsOwnWhileInShadowForATime) {
  TestBreaker breaker;
  breaker.Trip();
  const absl::Duration before = breaker.Snapshot().open_remaining;
  breaker->SetMode(Mode::kShadow, absl::Nanoseconds(1));
  EXPECT_EQ(breaker.Snapshot().open_remaining, before);
}

TEST(ModeForATimeTest, TheLongestTimesAreForGood) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen, absl::Hours(24 * 365 * 1000));
  EXPECT_EQ(breaker.Snapshot().mode_remaining, absl::InfiniteDuration());
}

}  // namespace
}  // namespace autobreaker
