// Half-open: probes, their places, their leases and their verdict.
#include <cmath>
#include <deque>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(HalfOpenTest, AdmitsAsManyProbesAtOnceAsAllowed) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  const std::vector<Permit> probes = breaker.Acquire(3);
  const Refusal refusal = breaker.Refused();
  EXPECT_EQ(refusal.reason, RefusalReason::kHalfOpen);
  EXPECT_EQ(refusal.retry_after, std::nullopt);
}

TEST(HalfOpenTest, CallThatEndsTheOpenTimeIsAProbe) {
  BreakerOptions options = ExactOptions();
  options.half_open.max_calls = 1;
  TestBreaker breaker(options);
  breaker.Trip();
  breaker.clock().Advance(absl::Seconds(5));
  const Permit probe = breaker.Acquire();
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kHalfOpen);
  EXPECT_EQ(breaker.Snapshot().probes_in_flight, 1);
}

TEST(HalfOpenTest, SettledProbeMakesRoom) {
  TestBreaker breaker(EndlessProbingOptions(1));
  breaker.TripAndWaitForProbes();
  for (int i = 0; i < 10; ++i) breaker.Succeed();
  EXPECT_EQ(breaker.Snapshot().probe_successes, 10);
}

TEST(HalfOpenTest, EnoughSuccessesClose) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Succeed(2);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  breaker.Succeed();
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(HalfOpenTest, OneFailureReopens) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Succeed(2);
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.Snapshot().last_trip->reason,
            TransitionReason::kProbeFailed);
}

TEST(HalfOpenTest, SuccessesAreCountedAfreshEachTime) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Succeed(2);
  breaker.Fail();
  breaker.WaitForProbes();
  breaker.Succeed(2);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST(HalfOpenTest, SlowProbeReopens) {
  TestBreaker breaker(SlowCallOptions());
  breaker.TripAndWaitForProbes();
  breaker.Finish(Outcome::kSuccess, absl::Seconds(1));
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.Snapshot().last_trip->reason, TransitionReason::kProbeSlow);
}

TEST(HalfOpenTest, SlowFailedProbeReopensAsFailed) {
  TestBreaker breaker(SlowCallOptions());
  breaker.TripAndWaitForProbes();
  breaker.Finish(Outcome::kFailure, absl::Seconds(1));
  EXPECT_EQ(breaker.Snapshot().last_trip->reason,
            TransitionReason::kProbeFailed);
}

TEST(HalfOpenTest, IgnoredProbeIsNoVerdictAndFreesItsPlace) {
  TestBreaker breaker(EndlessProbingOptions(1));
  breaker.TripAndWaitForProbes();
  breaker.Finish(Outcome::kIgnored);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.probe_successes, 0);
  EXPECT_EQ(s.probes_in_flight, 0);
  EXPECT_TRUE(breaker.Acquire());
}

TEST(HalfOpenTest, AbandonedProbeIsNoVerdictAndFreesItsPlace) {
  TestBreaker breaker(EndlessProbingOptions(1));
  breaker.TripAndWaitForProbes();
  breaker.Finish(Outcome::kAbandoned);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.probe_successes, 0);
  EXPECT_EQ(s.probes_in_flight, 0);
  EXPECT_TRUE(breaker.Acquire());
}

TEST(HalfOpenTest, WindowAndRateOfProbesDoNotTrip) {
  BreakerOptions options = EndlessProbingOptions(3);
  options.trip.minimum_calls = 1;
  TestBreaker breaker(options);
  breaker.TripAndWaitForProbes();
  breaker.Succeed(100);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST(HalfOpenTest, ProbesAreNotInTheWindowAfterClosing) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Recover();
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 0));
}

TEST(HalfOpenTest, ProbesUnderWayAtTheReopeningAreLate) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit late = breaker.Acquire();
  breaker.Fail();
  const BreakerSnapshot before = breaker.Snapshot();
  EXPECT_EQ(before.probes_in_flight, 0);
  late.Record(Outcome::kSuccess);
  const BreakerSnapshot after = breaker.Snapshot();
  EXPECT_EQ(after.state, State::kOpen);
  EXPECT_EQ(after.late_results, before.late_results + 1);
}

TEST(HalfOpenTest, ProbeOfAnEarlierHalfOpenTimeIsNoVerdict) {
  TestBreaker breaker(EndlessProbingOptions(3));
  breaker.TripAndWaitForProbes();
  Permit late_success = breaker.Acquire();
  Permit late_failure = breaker.Acquire();
  breaker.Fail();
  breaker.WaitForProbes();
  const Permit probe = breaker.Acquire();
  late_success.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().probe_successes, 0);
  late_failure.Record(Outcome::kFailure);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST(HalfOpenTest, ProbeOfAnEarlierHalfOpenTimeFreesNoPlace) {
  for (const Outcome outcome : {Outcome::kSuccess, Outcome::kFailure,
                                Outcome::kIgnored, Outcome::kAbandoned}) {
    TestBreaker breaker(EndlessProbingOptions(2));
    breaker.TripAndWaitForProbes();
    Permit late = breaker.Acquire();
    breaker.Fail();
    breaker.WaitForProbes();
    const std::vector<Permit> probes = breaker.Acquire(2);
    late.Record(outcome);
    breaker.Refused();
  }
}

TEST(HalfOpenTest, CallOfTheClosedTimeIsNoVerdict) {
  TestBreaker breaker;
  std::vector<Permit> late = breaker.Acquire(10);
  breaker.TripAndWaitForProbes();
  const Permit probe = breaker.Acquire();
  for (int i = 0; i < 5; ++i) late[i].Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().probe_successes, 0);
  for (int i = 5; i < 10; ++i) late[i].Record(Outcome::kFailure);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

// ------------------------------------------------------------------- Leases

TEST(HalfOpenTest, ProbeHoldsItsPlaceUntilItsLeaseEnds) {
  BreakerOptions options = ExactOptions();
  options.half_open.max_calls = 1;
  TestBreaker breaker(options);
  breaker.TripAndWaitForProbes();
  const Permit probe = breaker.Acquire();
  breaker.clock().Advance(absl::Seconds(60) - absl::Nanoseconds(1));
  breaker.Refused();
  breaker.clock().Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(breaker.Acquire());
}

TEST(HalfOpenTest, FailureAfterTheLeaseIsLate) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit probe = breaker.Acquire();
  breaker.clock().Advance(absl::Seconds(60));
  probe.Record(Outcome::kFailure);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.late_results, 1);
}

TEST(HalfOpenTest, SuccessAfterTheLeaseCounts) {
  BreakerOptions options = ExactOptions();
  options.half_open.successes_to_close = 1;
  TestBreaker breaker(options);
  breaker.TripAndWaitForProbes();
  Permit probe = breaker.Acquire();
  breaker.clock().Advance(absl::Seconds(60));
  probe.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.Snapshot().late_results, 0);
}

// V8: a minute is not enough for any call, and all succeed.
TEST(HalfOpenTest, CallsThatAllOutliveTheirLeaseCloseTheRamp) {
  TestBreaker breaker{BreakerOptions()};
  while (breaker.state() == State::kClosed) {
    breaker.Fail();
    breaker.clock().Advance(absl::Seconds(1));
  }
  std::deque<std::pair<absl::Time, Permit>> under_way;
  const absl::Time start = breaker.clock().WallNow();
  for (absl::Time now = start; now < start + absl::Hours(1);
       now = breaker.clock().WallNow()) {
    while (!under_way.empty() && under_way.front().first <= now) {
      under_way.front().second.Record(Outcome::kSuccess);
      under_way.pop_front();
    }
    if (Permit permit = breaker->TryAcquire()) {
      under_way.emplace_back(now + absl::Seconds(61), std::move(permit));
    }
    if (breaker.state() == State::kClosed) break;
    breaker.clock().Advance(absl::Milliseconds(100));
  }
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_LT(breaker.clock().WallNow(), start + absl::Minutes(20));
}

TEST(HalfOpenTest, ResultBeforeTheLeaseEndsCounts) {
  BreakerOptions options = ExactOptions();
  options.half_open.successes_to_close = 1;
  TestBreaker breaker(options);
  breaker.TripAndWaitForProbes();
  Permit probe = breaker.Acquire();
  breaker.clock().Advance(absl::Seconds(60) - absl::Nanoseconds(1));
  probe.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(HalfOpenTest, EndedLeaseFreesOnePlaceOnly) {
  TestBreaker breaker(EndlessProbingOptions(2));
  breaker.TripAndWaitForProbes();
  const Permit first = breaker.Acquire();
  breaker.clock().Advance(absl::Hours(1));
  const Permit second = breaker.Acquire();
  breaker.clock().Advance(absl::Hours(23));
  const Permit third = breaker.Acquire();
  breaker.Refused();
}

TEST(HalfOpenTest, SettlingAfterTheLeaseFreesNoPlace) {
  for (const Outcome outcome : {Outcome::kSuccess, Outcome::kFailure,
                                Outcome::kIgnored, Outcome::kAbandoned}) {
    TestBreaker breaker(EndlessProbingOptions(1));
    breaker.TripAndWaitForProbes();
    Permit late = breaker.Acquire();
    breaker.clock().Advance(absl::Hours(24));
    const Permit next = breaker.Acquire();
    late.Record(outcome);
    breaker.Refused();
    EXPECT_EQ(breaker.Snapshot().probes_in_flight, 1);
  }
}

TEST(HalfOpenTest, LeakedProbesNeverPinIt) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  std::vector<Permit> leaked = breaker.Acquire(3);
  breaker.clock().Advance(absl::Seconds(60));
  breaker.Succeed(3);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(HalfOpenTest, FirstProbeFindsOut) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit first = breaker.Acquire();
  EXPECT_TRUE(first.finds_out());
  first.Record(Outcome::kSuccess);
  EXPECT_FALSE(breaker.Acquire().finds_out());
}

TEST(HalfOpenTest, NoOrdinaryCallFindsOut) {
  TestBreaker breaker;
  EXPECT_FALSE(breaker.Acquire().finds_out());
}

TEST(HalfOpenTest, NoCallOfShadowModeFindsOut) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kShadow);
  breaker.TripAndWaitForProbes();
  EXPECT_FALSE(breaker.Acquire().finds_out());
}

TEST(HalfOpenTest, CallAfterOneThatLeavesItToCallsFindsOutUnasked) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit first = breaker.Acquire();
  ASSERT_TRUE(first.finds_out());
  first.LeaveToCalls();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.probes_in_flight, 0);
  EXPECT_EQ(s.probe_successes, 0);
  EXPECT_EQ(s.ignored, 1);
  EXPECT_FALSE(breaker.Acquire().finds_out());
}

TEST(HalfOpenTest, LeavingItToCallsLastsUntilTheBreakerOpensAgain) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  breaker.Acquire().LeaveToCalls();
  breaker.Fail();
  breaker.WaitForProbes();
  EXPECT_TRUE(breaker.Acquire().finds_out());
}

TEST(HalfOpenTest, LeavingItToCallsTooLateChangesNothing) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit late = breaker.Acquire();
  breaker.Fail();
  breaker.WaitForProbes();
  late.LeaveToCalls();
  EXPECT_TRUE(breaker.Acquire().finds_out());
  EXPECT_EQ(breaker.Snapshot().ignored, 1);
}

TEST(HalfOpenTest, OrdinaryPermitThatLeavesItToCallsIsIgnored) {
  TestBreaker breaker;
  breaker.Acquire().LeaveToCalls();
  EXPECT_EQ(breaker.Snapshot().ignored, 1);
  Permit().LeaveToCalls();
}

TEST(HalfOpenTest, CallWhosePermitIsUsedOtherwiseCountsAsRefused) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  const Permit probe = breaker.Acquire();
  const Refusal refusal = breaker->RefuseForProbe();
  EXPECT_EQ(refusal.reason, RefusalReason::kHalfOpen);
  EXPECT_EQ(Refusals(breaker.Snapshot(), RefusalReason::kHalfOpen), 1);
}

// ----------------------------------------------------------------- Progress

TEST(HalfOpenProgressTest, IsASuccessOfAProbeThatGoesOn) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  std::vector<Permit> streams = breaker.Acquire(3);
  breaker.Refused();
  streams[0].Progressed();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.probe_successes, 1);
  EXPECT_EQ(s.probes_in_flight, 2);
  EXPECT_EQ(s.in_flight, 3);
  EXPECT_TRUE(breaker.Acquire());
}

TEST(HalfOpenProgressTest, ClosesTheBreaker) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  std::vector<Permit> streams = breaker.Acquire(3);
  for (Permit& stream : streams) stream.Progressed();
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(HalfOpenProgressTest, CountsOnce) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit stream = breaker.Acquire();
  for (int i = 0; i < 5; ++i) stream.Progressed();
  stream.Record(Outcome::kSuccess);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.probe_successes, 1);
}

TEST(HalfOpenProgressTest, LeavesTheCallToBeCountedWhenItEnds) {
  for (const Outcome outcome : {Outcome::kSuccess, Outcome::kFailure,
                                Outcome::kIgnored, Outcome::kAbandoned}) {
    TestBreaker breaker;
    breaker.TripAndWaitForProbes();
    const BreakerSnapshot before = breaker.Snapshot();
    Permit stream = breaker.Acquire();
    stream.Progressed();
    EXPECT_EQ(breaker.Snapshot().successes, before.successes);
    stream.Record(outcome);
    const BreakerSnapshot after = breaker.Snapshot();
    EXPECT_TRUE(Adds(after));
    EXPECT_EQ(after.in_flight, 0);
    EXPECT_EQ(after.successes,
              before.successes + (outcome == Outcome::kSuccess ? 1 : 0));
    EXPECT_EQ(after.late_results, 0);
  }
}

TEST(HalfOpenProgressTest, EndAfterClosingIsNotLate) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  std::vector<Permit> streams = breaker.Acquire(3);
  for (Permit& stream : streams) stream.Progressed();
  for (Permit& stream : streams) stream.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().late_results, 0);
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 0));
}

TEST(HalfOpenProgressTest, FailureAfterItReopens) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit stream = breaker.Acquire();
  stream.Progressed();
  stream.Record(Outcome::kFailure);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.Snapshot().last_trip->reason,
            TransitionReason::kProbeFailed);
}

TEST(HalfOpenProgressTest, FailureAfterClosingIsLate) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  std::vector<Permit> streams = breaker.Acquire(3);
  for (Permit& stream : streams) stream.Progressed();
  streams[0].Record(Outcome::kFailure);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.Snapshot().late_results, 1);
}

TEST(HalfOpenProgressTest, OfAnEarlierTimeCountsForNothing) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit late = breaker.Acquire();
  breaker.Fail();
  breaker.WaitForProbes();
  const Permit probe = breaker.Acquire();
  late.Progressed();
  EXPECT_EQ(breaker.Snapshot().probe_successes, 0);
  late.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().late_results, 1);
}

TEST(HalfOpenProgressTest, AfterTheLeaseCountsToo) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit stream = breaker.Acquire();
  breaker.clock().Advance(absl::Seconds(60));
  stream.Progressed();
  EXPECT_EQ(breaker.Snapshot().probe_successes, 1);
  stream.Record(Outcome::kFailure);
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(HalfOpenProgressTest, OfAProbeThatIsSlowSaysNothing) {
  TestBreaker breaker(SlowCallOptions());
  breaker.TripAndWaitForProbes();
  Permit stream = breaker.Acquire();
  breaker.clock().Advance(absl::Seconds(1));
  stream.Progressed();
  EXPECT_EQ(breaker.Snapshot().probe_successes, 0);
  stream.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().last_trip->reason, TransitionReason::kProbeSlow);
}

TEST(HalfOpenProgressTest, CallThatWasNotSlowByThenIsNoSlowProbe) {
  TestBreaker breaker(SlowCallOptions());
  breaker.TripAndWaitForProbes();
  Permit stream = breaker.Acquire();
  stream.Progressed();
  breaker.clock().Advance(absl::Hours(1));
  stream.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_EQ(breaker.Snapshot().slow_calls, 1);
}

TEST(HalfOpenProgressTest, OfACallOfTheClosedTimeIsNoResult) {
  TestBreaker breaker;
  Permit stream = breaker.Acquire();
  stream.Progressed();
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 0));
  stream.Record(Outcome::kFailure);
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 1));
}

TEST(HalfOpenProgressTest, OnASettledPermitDoesNothing) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit stream = breaker.Acquire();
  stream.Record(Outcome::kIgnored);
  stream.Progressed();
  EXPECT_EQ(breaker.Snapshot().probe_successes, 0);
  Permit().Progressed();
}

TEST(HalfOpenProgressTest, MovesWithThePermit) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  Permit stream = breaker.Acquire();
  stream.Progressed();
  Permit moved = std::move(stream);
  moved.Progressed();
  moved.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().probe_successes, 1);
}

// The defaults, with nothing random.
BreakerOptions RampOptions() {
  BreakerOptions options;
  options.open.duration_jitter = 0;
  return options;
}

// Trips, each failure a while after the one before.
void TripSlowly(TestBreaker& breaker) {
  while (breaker.state() == State::kClosed) {
    breaker.Fail();
    breaker.clock().Advance(absl::Seconds(1));
  }
}

class HalfOpenRampTest : public ::testing::Test {
 protected:
  // Successes, or failures, from one share to the next.
  static constexpr int kStep = 2;

  HalfOpenRampTest() {
    TripSlowly(breaker_);
    // No calls come meanwhile.
    breaker_.clock().Advance(RampOptions().open.duration_max);
  }

  // Of a second and more, from a half on.
  void JudgeSlowCalls() {
    BreakerOptions options = RampOptions();
    options.trip.slow_call_duration = absl::Seconds(1);
    options.trip.slow_call_rate_threshold = 0.5;
    ASSERT_TRUE(breaker_->UpdateOptions(options).ok());
  }

  // Until every call goes, which takes a probe and three steps.
  void GetToTheTop() { breaker_.Succeed(1 + 3 * kStep); }

  // As long as it stays at the top at least.
  void WaitAtTheTop() { breaker_.clock().Advance(RampOptions().open.duration); }

  TestBreaker breaker_{RampOptions()};
};

TEST_F(HalfOpenRampTest, FirstProbeGoesAlone) {
  const Permit probe = breaker_.Acquire();
  EXPECT_EQ(breaker_.Refused().reason, RefusalReason::kHalfOpen);
}

TEST_F(HalfOpenRampTest, ProbeThatHangsIsFollowedByAnother) {
  const Permit probe = breaker_.Acquire();
  breaker_.clock().Advance(RampOptions().open.duration);
  // As many calls as the breaker is open for, the first probe among them.
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(breaker_.Refused().reason, RefusalReason::kHalfOpen);
    breaker_.clock().Advance(absl::Milliseconds(1));
  }
  const Permit second = breaker_.Acquire();
  EXPECT_EQ(breaker_.Snapshot().probes_in_flight, 2);
}

TEST_F(HalfOpenRampTest, FailedProbeReopens) {
  breaker_.Fail();
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_EQ(breaker_.Snapshot().last_trip->reason,
            TransitionReason::kProbeFailed);
}

TEST_F(HalfOpenRampTest, SlowProbeReopens) {
  JudgeSlowCalls();
  breaker_.Finish(Outcome::kSuccess, absl::Seconds(1));
  EXPECT_EQ(breaker_.Snapshot().last_trip->reason,
            TransitionReason::kProbeSlow);
}

TEST_F(HalfOpenRampTest, FewSlowCallsAreSuccesses) {
  JudgeSlowCalls();
  breaker_.Succeed(4);
  for (int i = 0; i < 5 && breaker_.state() == State::kHalfOpen; ++i) {
    breaker_.Finish(Outcome::kSuccess, absl::Seconds(1));
    breaker_.Succeed(4);
  }
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(HalfOpenRampTest, ManySlowCallsReopen) {
  JudgeSlowCalls();
  breaker_.Succeed(2);
  breaker_.Finish(Outcome::kSuccess, absl::Seconds(1));
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  breaker_.Finish(Outcome::kSuccess, absl::Seconds(1));
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_EQ(breaker_.Snapshot().last_trip->reason,
            TransitionReason::kProbeSlow);
}

TEST_F(HalfOpenRampTest, CallWhoseTurnItIsNotIsRefusedByTheRamp) {
  breaker_.Succeed();
  const std::vector<Permit> few = breaker_.Acquire(3);
  const Refusal refusal = breaker_.Refused();
  EXPECT_EQ(refusal.reason, RefusalReason::kRamp);
  EXPECT_EQ(refusal.retry_after, std::nullopt);
  EXPECT_EQ(Refusals(breaker_.Snapshot(), RefusalReason::kRamp), 1);
}

TEST_F(HalfOpenRampTest, ShadowModeLetsThroughWhatTheRampWouldRefuse) {
  breaker_->SetMode(Mode::kShadow);
  breaker_.Succeed();
  const std::vector<Permit> few = breaker_.Acquire(3);
  breaker_.Acquire().Record(Outcome::kSuccess);
  const BreakerSnapshot s = breaker_.Snapshot();
  EXPECT_EQ(ShadowRefusals(s, RefusalReason::kRamp), 1);
  EXPECT_EQ(AllRefusals(s), 0);
}

TEST_F(HalfOpenRampTest, NineSuccessesCloseIt) {
  GetToTheTop();
  WaitAtTheTop();
  breaker_.Succeed();
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  breaker_.Succeed();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(HalfOpenRampTest, RefusesNothingAtTheTop) {
  GetToTheTop();
  breaker_.Succeed(1'000);
  const std::vector<Permit> under_way = breaker_.Acquire(500);
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_EQ(AllRefusals(breaker_.Snapshot()), 0);
}

TEST_F(HalfOpenRampTest, ClosedBeginsWithoutEvidence) {
  GetToTheTop();
  WaitAtTheTop();
  breaker_.Succeed(kStep);
  ASSERT_EQ(breaker_.state(), State::kClosed);
  EXPECT_EQ(breaker_.Snapshot().evidence, 0);
}

TEST_F(HalfOpenRampTest, EvidenceIsTheShareOfCallsThatIsHeldBack) {
  EXPECT_EQ(breaker_.Snapshot().evidence, 1);
  breaker_.Succeed();
  EXPECT_NEAR(breaker_.Snapshot().evidence, 2.0 / 3, 1e-9);
  for (const double evidence : {0.5, 0.25, 0.0}) {
    breaker_.Succeed(kStep);
    EXPECT_EQ(breaker_.Snapshot().evidence, evidence);
  }
}

TEST_F(HalfOpenRampTest, FewerFailuresThanBreakEvenLetItClose) {
  for (int i = 0; i < 30 && breaker_.state() != State::kClosed; ++i) {
    breaker_.Succeed(2);
    breaker_.Fail();
    breaker_.clock().Advance(absl::Milliseconds(10));
  }
  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_EQ(breaker_.Snapshot().reopenings, 0);
}

TEST_F(HalfOpenRampTest, MoreFailuresThanBreakEvenReopenItStepByStep) {
  GetToTheTop();
  for (const double evidence : {0.25, 0.5, 2.0 / 3}) {
    breaker_.Fail(kStep);
    ASSERT_EQ(breaker_.state(), State::kHalfOpen);
    EXPECT_NEAR(breaker_.Snapshot().evidence, evidence, 1e-9);
  }
  breaker_.Fail(kStep);
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(HalfOpenRampTest, ResultsOfAnotherShareDoNotCount) {
  breaker_.Succeed();
  std::vector<Permit> early = breaker_.Acquire(2);
  breaker_.Succeed(kStep);
  for (Permit& permit : early) permit.Record(Outcome::kFailure);
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_EQ(breaker_.Snapshot().evidence, 0.5);
}

TEST_F(HalfOpenRampTest, CallsThatHangKeepItFromClosing) {
  GetToTheTop();
  const std::vector<Permit> hanging = breaker_.Acquire(2);
  WaitAtTheTop();
  breaker_.Succeed(kStep);
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
}

TEST_F(HalfOpenRampTest, CallsThatHangLowerTheShare) {
  breaker_.Succeed(1 + 2 * kStep);
  const std::vector<Permit> hanging = breaker_.Acquire(2);
  ASSERT_EQ(breaker_.Snapshot().evidence, 0.25);
  breaker_.clock().Advance(absl::Milliseconds(1));
  const std::vector<Permit> one_more = breaker_.Acquire(1);
  breaker_->TryAcquire();
  EXPECT_EQ(breaker_.Snapshot().evidence, 0.5);
}

// A call in twelve takes a minute, the others no time.
TEST_F(HalfOpenRampTest, FewLongCallsDoNotHoldItUp) {
  std::vector<Permit> long_calls;
  int calls = 0;
  for (; calls < 100 && breaker_.state() != State::kClosed; ++calls) {
    if (calls % 12 == 3) {
      long_calls.push_back(breaker_->TryAcquire());
    } else if (Permit permit = breaker_->TryAcquire()) {
      permit.Record(Outcome::kSuccess);
    }
    breaker_.clock().Advance(absl::Milliseconds(10));
  }
  EXPECT_EQ(breaker_.state(), State::kClosed) << calls << " calls";
}

TEST_F(HalfOpenRampTest, ThoseThatMakeProgressLetItClose) {
  GetToTheTop();
  std::vector<Permit> streams = breaker_.Acquire(2);
  WaitAtTheTop();
  for (Permit& stream : streams) stream.Progressed();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(HalfOpenRampTest, ThoseThatMadeProgressAreNeverOverdue) {
  breaker_.Succeed();
  std::vector<Permit> streams = breaker_.Acquire(2);
  for (Permit& stream : streams) stream.Progressed();
  breaker_.clock().Advance(absl::Seconds(50));
  breaker_.Succeed(3 * kStep);
  WaitAtTheTop();
  breaker_.Succeed(kStep);
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(HalfOpenRampTest, OneSlowCallAmongManyThatMadeProgressDoesNotReopen) {
  JudgeSlowCalls();
  std::vector<Permit> streams;
  for (int i = 0; i < 3; ++i) {
    streams.push_back(breaker_.Acquire());
    streams.back().Progressed();
  }
  breaker_.Finish(Outcome::kSuccess, absl::Seconds(1));
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
}

TEST_F(HalfOpenRampTest, FailureAfterProgressOfAnotherShareDoesNotCount) {
  breaker_.Succeed();
  std::vector<Permit> streams = breaker_.Acquire(2);
  for (Permit& stream : streams) stream.Progressed();
  for (Permit& stream : streams) stream.Record(Outcome::kFailure);
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_EQ(breaker_.Snapshot().evidence, 0.5);
}

// Each stream gets a first message, and then the server breaks it off.
TEST_F(HalfOpenRampTest, StreamsThatAllFailAfterTheirFirstMessageReopen) {
  for (int i = 0; i < 3 && breaker_.state() != State::kOpen; ++i) {
    Permit stream = breaker_.Acquire();
    stream.Progressed();
    stream.Record(Outcome::kFailure);
  }
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST(HalfOpenTransitionTest, CountsProbesThatMadeProgress) {
  Transition last;
  TestBreaker breaker(RampOptions(),
                      [&](const Transition& transition) { last = transition; });
  TripSlowly(breaker);
  breaker.clock().Advance(RampOptions().open.duration_max);
  std::vector<Permit> streams;
  for (int i = 0; i < 100 && breaker.state() != State::kClosed; ++i) {
    streams.push_back(breaker.Acquire());
    streams.back().Progressed();
    breaker.clock().Advance(absl::Milliseconds(100));
  }
  breaker->FlushTransitions();
  ASSERT_EQ(last.reason, TransitionReason::kProbesSucceeded);
  EXPECT_EQ(last.window.successes, streams.size());
}

// V6: only streams are asked for, and none ends.
TEST_F(HalfOpenRampTest, StreamsThatLiveForeverCloseIt) {
  std::vector<Permit> streams;
  for (int i = 0; i < 100 && breaker_.state() != State::kClosed; ++i) {
    streams.push_back(breaker_.Acquire());
    streams.back().Progressed();
    breaker_.clock().Advance(absl::Milliseconds(100));
  }
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(HalfOpenRampTest, ThoseThatEndWellLetItClose) {
  GetToTheTop();
  std::vector<Permit> hanging = breaker_.Acquire(2);
  WaitAtTheTop();
  ASSERT_EQ(breaker_.state(), State::kHalfOpen);
  for (Permit& permit : hanging) permit.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST(EvidenceTripTest, TellsItsReason) {
  TestBreaker breaker(RampOptions());
  TripSlowly(breaker);
  EXPECT_EQ(breaker.Snapshot().last_trip->reason, TransitionReason::kEvidence);
  EXPECT_EQ(breaker.Snapshot().failures, 4);
}

TEST(EvidenceTripTest, BurstOfFailuresDoesNotOpen) {
  TestBreaker breaker(RampOptions());
  breaker.Fail(10'000);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(EvidenceTripTest, ForcedClosedOpensNothing) {
  TestBreaker breaker(RampOptions());
  breaker->SetMode(Mode::kForcedClosed);
  for (int i = 0; i < 100; ++i) {
    breaker.Fail();
    breaker.clock().Advance(absl::Seconds(1));
  }
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(EvidenceTripTest, UpdateKeepsTheEvidence) {
  TestBreaker breaker(RampOptions());
  breaker.Fail();
  const double before = breaker.Snapshot().evidence;
  BreakerOptions options = RampOptions();
  options.trip.evidence->calls_per_false_opening = 1000;
  ASSERT_TRUE(breaker->UpdateOptions(options).ok());
  EXPECT_NEAR(breaker.Snapshot().evidence, before, 0.01);
}

TEST(EvidenceTripTest, NoEvidenceWhereNoneIsAskedFor) {
  TestBreaker breaker;
  EXPECT_TRUE(std::isnan(breaker.Snapshot().evidence));
}

TEST(PacedOpenTimeTest, FollowsTheCallsAskedForWhileOpen) {
  BreakerOptions options = RampOptions();
  options.trip.evidence->tolerated_burst = absl::ZeroDuration();
  TestBreaker breaker(options);
  breaker.Fail(4);
  ASSERT_EQ(breaker.state(), State::kOpen);
  ASSERT_EQ(breaker.Snapshot().open_remaining, absl::Milliseconds(100));
  // 400 calls in 4 s.
  for (int i = 0; i < 399; ++i) breaker.Refused();
  breaker.clock().Advance(absl::Seconds(4));
  breaker.Fail();
  EXPECT_EQ(breaker.Snapshot().open_remaining, absl::Milliseconds(400));
}

}  // namespace
}  // namespace autobreaker
