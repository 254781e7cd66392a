// Single facts of the state machine by itself: no calls, no clock, no threads.
// What each event does in each state is in state_machine_table_test.cc.
#include "autobreaker/breaker/internal/state_machine.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/breaker/internal/state_machine_driver.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::hours;
using ::std::chrono::nanoseconds;
using ::std::chrono::seconds;

// ------------------------------------------------------------------ To begin

TEST(StateMachineTest, BeginsClosedAutomaticAndForGood) {
  const Driven driven;
  const BreakerSnapshot s = driven.Describe();
  EXPECT_EQ(s.state, State::kClosed);
  EXPECT_EQ(s.mode, Mode::kAutomatic);
  EXPECT_EQ(s.next_mode, Mode::kAutomatic);
  EXPECT_EQ(s.mode_remaining, absl::InfiniteDuration());
  EXPECT_EQ(s.last_transition_time, kWallStart);
  EXPECT_EQ(s.transition_count, 0);
  EXPECT_EQ(s.open_remaining, absl::ZeroDuration());
  EXPECT_EQ(driven->history(), nullptr);
  EXPECT_TRUE(driven->terms().admission.word.plain());
}

TEST(StateMachineTest, TermsAreThoseOfItsRules) {
  Driven driven(SlowCallOptions(0.25));
  const Terms terms = driven->terms();
  EXPECT_EQ(terms.judgment.trip.minimum_calls, 20);
  EXPECT_EQ(terms.judgment.trip.slow_call_rate_threshold, 0.25);
  EXPECT_TRUE(terms.judgment.evidence == driven->rules().evidence);
  EXPECT_EQ(terms.slow_call_duration, seconds(1));
}

TEST(StateMachineTest, CallsAreTimedIfSlowOnesAreJudgedOrIfAskedFor) {
  EXPECT_FALSE(Driven()->terms().admission.word.timed());
  EXPECT_TRUE(Driven(SlowCallOptions())->terms().admission.word.timed());
  EXPECT_TRUE(Driven(ExactOptions(), /*times_calls=*/true)
                  ->terms()
                  .admission.word.timed());
  EXPECT_EQ(
      Driven(ExactOptions(), /*times_calls=*/true)->terms().slow_call_duration,
      seconds(0));
}

// -------------------------------------------------------------------- Trips

TEST(StateMachineTest, SuspicionOfAnOlderGenerationIsNoMove) {
  Driven driven;
  driven.Fail(20);
  const StateMachine::Suspicion suspicion = driven.Suspicion();
  driven.Commit(driven->DecideReset());
  driven.Fail(20);
  EXPECT_FALSE(
      driven->DecideTrip(suspicion, driven.totals.judged).starts_generation());
  EXPECT_TRUE(driven.DecideTrip().starts_generation());
}

TEST(StateMachineTest, SuspicionThatDoesNotHoldIsNoMove) {
  Driven driven;
  driven.Fail(19);
  EXPECT_FALSE(driven.DecideTrip().starts_generation());
  driven.Fail(1);
  EXPECT_TRUE(driven.DecideTrip().starts_generation());
}

TEST(StateMachineTest, WhatLeftTheWindowDoesNotTrip) {
  Driven driven;
  driven.Fail(10);
  for (int i = 0; i < 20; ++i) {
    driven.Wait(absl::Seconds(1));
    driven->MoveWindow(driven.totals.judged, driven.now);
  }
  driven.Fail(10);
  EXPECT_FALSE(driven.DecideTrip().starts_generation());
}

TEST(StateMachineTest, TripsForWhatTheSuspicionSays) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 3;
  Driven driven(options);
  StateMachine::Suspicion suspicion = driven.Suspicion();
  EXPECT_FALSE(driven->DecideTrip(suspicion, CallCounts()).to.has_value());
  suspicion.failures_in_a_row = 3;
  EXPECT_EQ(driven->DecideTrip(suspicion, CallCounts()).reason,
            TransitionReason::kConsecutiveFailures);
  suspicion.failures_in_a_row = 0;
  suspicion.evidence_is_complete = true;
  EXPECT_EQ(driven->DecideTrip(suspicion, CallCounts()).reason,
            TransitionReason::kEvidence);
}

TEST(StateMachineTest, ForcedClosedNeverTrips) {
  Driven driven;
  driven.SetMode(Mode::kForcedClosed);
  driven.Fail(1'000'000);
  StateMachine::Suspicion suspicion = driven.Suspicion();
  suspicion.evidence_is_complete = true;
  EXPECT_FALSE(
      driven->DecideTrip(suspicion, driven.totals.judged).starts_generation());
}

TEST(StateMachineTest, TripStaysOpenAsLongAsTheServerAsked) {
  Driven driven;
  driven.Fail(20);
  StateMachine::Suspicion suspicion = driven.Suspicion();
  suspicion.retry_after = absl::Seconds(17);
  driven.Commit(driven->DecideTrip(suspicion, driven.totals.judged));
  EXPECT_EQ(driven.Refuses(), absl::Seconds(17));
}

TEST(StateMachineTest, FailedProbeStaysOpenAsLongAsTheServerAsked) {
  Driven driven;
  driven.Trip();
  driven.Try();
  driven.EndProbe(/*failed=*/true, /*slow=*/true);
  driven.Commit(
      driven.DecideRecovery(/*failed=*/true, /*slow=*/true, absl::Seconds(17)));
  EXPECT_EQ(driven.Refuses(), absl::Seconds(17));
  EXPECT_EQ(
      driven.Describe().trips[static_cast<int>(TransitionReason::kProbeFailed)],
      1);
}

TEST(StateMachineTest, ServersTimeCountsOnlyForProbesThatFailed) {
  Driven driven;
  driven.Trip();
  driven.Try();
  driven.EndProbe(/*failed=*/false, /*slow=*/true);
  driven.Commit(driven.DecideRecovery(/*failed=*/false, /*slow=*/true,
                                      absl::Seconds(17)));
  EXPECT_EQ(driven.Refuses(), absl::Seconds(10));
}

TEST(StateMachineTest, FirstOpeningExpectsCallsAsInTheWindow) {
  BreakerOptions options = ExactOptions();
  options.open.duration = absl::Milliseconds(1);
  options.open.pace_by_calls = CallPacing{0.1};
  Driven driven(options);
  driven.totals.asked = 1'000'000;
  driven.Wait(absl::Seconds(8));
  driven.Trip();  // 20 calls in 8 s: ten take 4 s
  EXPECT_EQ(driven.Refuses(), absl::Milliseconds(1));
  EXPECT_EQ(driven->terms().admission.expected_end, driven.now + seconds(4));
  EXPECT_EQ(driven.Describe().open_remaining, absl::Seconds(4));
}

TEST(StateMachineTest, LaterOpeningExpectsCallsAsWhileItWasOpen) {
  BreakerOptions options = ExactOptions();
  options.open.duration = absl::Seconds(4);
  options.open.duration_multiplier = 1;
  options.open.pace_by_calls = CallPacing{0.1};
  Driven driven(options);
  driven.Trip();
  driven.Try();     // 4 s later, after 1000 calls
  driven.Reopen();  // 2 sqrt(1000) calls, at 250 a second
  EXPECT_EQ(driven->terms().admission.expected_end, driven.now + seconds(4));
  driven.Wait(absl::Seconds(4));
  EXPECT_FALSE(driven->DecideHalfOpen(driven.totals.asked + 62, driven.now)
                   .to.has_value());
  EXPECT_EQ(driven->DecideHalfOpen(driven.totals.asked + 63, driven.now).to,
            State::kHalfOpen);
}

TEST(StateMachineTest, SameSeedDrawsTheSameOpenTimesAndEachAnew) {
  BreakerOptions options = ExactOptions();
  options.open.duration_jitter = 0.5;
  options.open.duration_multiplier = 1;
  Driven one(options);
  Driven other(options);
  one.Trip();
  other.Trip();
  const absl::Duration first = one.Refuses();
  EXPECT_EQ(first, other.Refuses());
  EXPECT_LT(first, absl::Seconds(5));
  one.Try();
  one.Reopen();
  EXPECT_NE(one.Refuses(), first);
}

// -------------------------------------------------------------------- Modes

TEST(StateMachineTest, TimedModeFallsBackToTheConfiguredOneForGood) {
  Driven driven;
  driven.Configure(Mode::kShadow);
  const MonotonicTime end = driven.now + seconds(60);
  driven.SetMode(Mode::kForcedClosed, end);
  EXPECT_FALSE(driven->DecideModeEnd(end - nanoseconds(1)).mode.has_value());
  driven.now = end;
  driven.Commit(driven->DecideModeEnd(end));
  EXPECT_EQ(driven->mode(), Mode::kShadow);
  EXPECT_FALSE(driven->terms().admission.word.mode_ends());
}

TEST(StateMachineTest, ModeThatEndsInForcedOpenOpens) {
  Driven driven;
  driven.Configure(Mode::kForcedOpen);
  driven.SetMode(Mode::kForcedClosed, driven.now + seconds(60));
  driven.Wait(absl::Seconds(60));
  driven.Commit(driven->DecideModeEnd(driven.now));
  EXPECT_EQ(driven->state(), State::kOpen);
  EXPECT_EQ(driven->mode(), Mode::kForcedOpen);
}

TEST(StateMachineTest, ModeForGoodDoesNotEnd) {
  Driven driven;
  driven.SetMode(Mode::kForcedClosed);
  EXPECT_FALSE(driven->terms().admission.word.mode_ends());
  EXPECT_FALSE(driven->DecideModeEnd(MonotonicTime::max()).mode.has_value());
}

TEST(StateMachineTest, ConfiguredModeIsForGoodThoughATimeIsGiven) {
  for (const Mode mode : {Mode::kAutomatic, Mode::kForcedOpen,
                          Mode::kForcedClosed, Mode::kShadow}) {
    Driven driven;
    driven.Configure(mode);
    driven.SetMode(mode, driven.now + seconds(60));
    EXPECT_FALSE(driven->terms().admission.word.mode_ends()) << ToString(mode);
    EXPECT_FALSE(driven->DecideModeEnd(MonotonicTime::max()).mode.has_value());
  }
}

TEST(StateMachineTest, OtherTimeForTheSameModeIsItsTime) {
  Driven driven;
  driven.SetMode(Mode::kForcedOpen, driven.now + seconds(60));
  driven.SetMode(Mode::kForcedOpen, driven.now + seconds(90));
  EXPECT_EQ(driven->terms().admission.mode_until, driven.now + seconds(90));
  EXPECT_EQ(driven.Describe().transition_count, 1);
  driven.SetMode(Mode::kForcedOpen);
  EXPECT_FALSE(driven->terms().admission.word.mode_ends());
}

TEST(StateMachineTest, NewConfiguredModeEndsATimedOne) {
  Driven driven;
  driven.SetMode(Mode::kForcedClosed, driven.now + seconds(60));
  driven.Configure(Mode::kShadow);
  EXPECT_FALSE(driven->terms().admission.word.mode_ends());
}

TEST(StateMachineTest, LeavingForcedOpenIsHalfOpenEvenIfItTrippedBefore) {
  Driven driven;
  driven.Trip();
  driven.SetMode(Mode::kForcedOpen);
  driven.SetMode(Mode::kAutomatic);
  EXPECT_EQ(driven->state(), State::kHalfOpen);
}

TEST(StateMachineTest, NoCallEndsForcedOpen) {
  Driven driven;
  driven.SetMode(Mode::kForcedOpen);
  driven.Wait(absl::Hours(1));
  EXPECT_FALSE(driven->DecideHalfOpen(driven.totals.asked, driven.now)
                   .starts_generation());
}

TEST(StateMachineTest, OpenTimeIsOverFromItsEndOnWhenACallAsks) {
  Driven driven;
  driven.Trip();
  const MonotonicTime end = driven.now + seconds(5);
  EXPECT_EQ(driven->terms().admission.refuse_until, end);
  const uint64_t asked = driven.totals.asked;
  EXPECT_FALSE(
      driven->DecideHalfOpen(asked, end - nanoseconds(1)).to.has_value());
  EXPECT_EQ(driven->DecideHalfOpen(asked, end).to, State::kHalfOpen);
  // Time alone changes nothing.
  driven.now = end + hours(1);
  EXPECT_EQ(driven->state(), State::kOpen);
}

// ------------------------------------------------------------------- Resets

TEST(StateMachineTest, ResetInClosedMakesNoTransition) {
  Driven driven;
  driven.Fail(19);
  driven.Wait(absl::Seconds(3));
  EXPECT_EQ(driven.CommitAndTell(driven->DecideReset()), nullptr);
  EXPECT_EQ(driven->generation(), 1);
  EXPECT_EQ(driven.Describe().window, Counts(0, 0));
  EXPECT_EQ(driven.Describe().transition_count, 0);
  EXPECT_EQ(driven.Describe().last_transition_time, kWallStart);
  EXPECT_EQ(driven->history(), nullptr);
}

TEST(StateMachineTest, ResetWhileForcedOpenDoesNothing) {
  Driven driven;
  driven.SetMode(Mode::kForcedOpen, driven.now + seconds(60));
  const std::string before = Seen(driven);
  driven.Commit(driven->DecideReset());
  EXPECT_EQ(Seen(driven), before);
}

TEST(StateMachineTest, ResetLeavesTheMode) {
  Driven driven;
  driven.SetMode(Mode::kShadow, driven.now + seconds(60));
  driven.Trip();
  driven.Commit(driven->DecideReset());
  EXPECT_EQ(driven->mode(), Mode::kShadow);
  EXPECT_TRUE(driven->terms().admission.word.mode_ends());
}

// -------------------------------------------------------------- Other rules

TEST(StateMachineTest, RulesAloneLeaveTheMode) {
  Driven driven;
  driven.SetMode(Mode::kForcedOpen, driven.now + seconds(60));
  const uint64_t word = driven->terms().admission.word.bits();
  const std::shared_ptr<const Rules> rules = Rules::Of(SlowCallOptions());
  driven.Commit(driven->DecidePolicy(rules, std::nullopt));
  EXPECT_EQ(driven->shared_rules(), rules);
  EXPECT_EQ(driven->mode(), Mode::kForcedOpen);
  EXPECT_EQ(driven->terms().admission.mode_until, driven.now + seconds(60));
  EXPECT_EQ(driven->generation(), StateWord(word).generation());
}

TEST(StateMachineTest, RulesAndModeComeIntoForceTogether) {
  Driven driven;
  driven.Commit(
      driven->DecidePolicy(Rules::Of(SlowCallOptions()), Mode::kShadow));
  EXPECT_TRUE(driven->rules().options.trip.JudgesSlowCalls());
  EXPECT_EQ(driven->mode(), Mode::kShadow);
}

TEST(StateMachineTest, OtherRulesKeepTheWindow) {
  Driven driven;
  driven.Fail(7);
  BreakerOptions options = ExactOptions();
  options.trip.minimum_calls = 100;
  driven.Commit(driven->DecidePolicy(Rules::Of(options), std::nullopt));
  EXPECT_EQ(driven.Describe().window, Counts(0, 7));
}

TEST(StateMachineTest, WindowOfOtherLengthOrBucketsBeginsAfresh) {
  BreakerOptions longer = ExactOptions();
  longer.trip.window = absl::Seconds(20);
  BreakerOptions finer = ExactOptions();
  finer.trip.window_buckets = 5;
  for (const BreakerOptions& options : {longer, finer}) {
    Driven driven;
    driven.Fail(7);
    driven.Commit(driven->DecidePolicy(Rules::Of(options), std::nullopt));
    EXPECT_EQ(driven.Describe().window, Counts(0, 0));
    EXPECT_EQ(driven->terms().window_moves_at, driven.now + seconds(2));
    EXPECT_EQ(driven->generation(), 0);
  }
}

TEST(StateMachineTest, OtherDurationHoldsForTheOpeningUnderWay) {
  Driven driven;
  driven.Trip();
  BreakerOptions options = ExactOptions();
  options.open.duration = absl::Seconds(20);
  driven.Commit(driven->DecidePolicy(Rules::Of(options), std::nullopt));
  EXPECT_EQ(driven.Refuses(), absl::Seconds(20));
}

// ------------------------------------------------------------------- Window

TEST(StateMachineTest, WindowMovesAtItsBoundary) {
  Driven driven;
  EXPECT_EQ(driven->terms().window_moves_at, kStart + seconds(1));
  driven.Wait(absl::Seconds(1) - kInstant);
  driven->MoveWindow(driven.totals.judged, driven.now);
  EXPECT_EQ(driven->terms().window_moves_at, kStart + seconds(1));
  driven.Wait(kInstant);
  driven->MoveWindow(driven.totals.judged, driven.now);
  EXPECT_EQ(driven->terms().window_moves_at, kStart + seconds(2));
}

TEST(StateMachineTest, WindowMovesOnlyWhileClosed) {
  Driven driven;
  driven.Trip();
  driven.Try();
  const std::string before = Seen(driven);
  driven->MoveWindow(Counts(100, 100), driven.now + hours(1));
  EXPECT_EQ(Seen(driven), before);
}

TEST(StateMachineTest, DescribesTheWindowAsIfItHadMoved) {
  Driven driven;
  driven.Fail(7);
  driven.Wait(absl::Seconds(10));
  EXPECT_EQ(driven.Describe().window, Counts(0, 7));
  driven.Wait(absl::Seconds(1));
  EXPECT_EQ(driven.Describe().window, Counts(0, 0));
  EXPECT_EQ(driven->terms().window_moves_at, kStart + seconds(1));
}

// ------------------------------------------------------------------- Probes

TEST(StateMachineTest, NoProbeUnlessHalfOpen) {
  Driven driven;
  EXPECT_EQ(driven->TakeProbe(driven.totals.asked, driven.now).has_value(),
            false);
  driven.Trip();
  EXPECT_EQ(driven->TakeProbe(driven.totals.asked, driven.now).has_value(),
            false);
  driven.Try();
  EXPECT_EQ(driven->TakeProbe(driven.totals.asked, driven.now).has_value(),
            true);
}

TEST(StateMachineTest, ProbeOfAnotherGenerationIsNone) {
  Driven driven;
  driven.Trip();
  driven.Try();
  const uint64_t probe =
      driven->TakeProbe(driven.totals.asked, driven.now)->probe;
  const uint64_t other = driven->generation() - 1;
  EXPECT_FALSE(driven->EndProbe(other, probe, false, false, driven.now));
  driven->FreeProbe(other, probe, driven.now);
  EXPECT_EQ(driven.Describe().probes_in_flight, 1);
  EXPECT_EQ(driven.Describe().probe_successes, 0);
  driven->FreeProbe(driven->generation(), probe, driven.now);
  EXPECT_EQ(driven.Describe().probes_in_flight, 0);
}

TEST(StateMachineTest, ProbeThatOutlivesHalfOpenIsNone) {
  Driven driven;
  driven.Trip();
  driven.Try();
  const uint64_t generation = driven->generation();
  const uint64_t probe =
      driven->TakeProbe(driven.totals.asked, driven.now)->probe;
  driven.Reopen();
  EXPECT_FALSE(driven->EndProbe(generation, probe, true, false, driven.now));
  driven->FreeProbe(generation, probe, driven.now);
  driven.Try();
  driven.Recover();
  EXPECT_FALSE(driven->EndProbe(generation, probe, true, false, driven.now));
  driven->FreeProbe(generation, probe, driven.now);
}

TEST(StateMachineTest, DescribesProbes) {
  Driven driven;
  driven.Trip();
  driven.Try();
  driven.EndProbe(/*failed=*/false, /*slow=*/false);
  driven->TakeProbe(driven.totals.asked, driven.now);
  driven->TakeProbe(driven.totals.asked, driven.now);
  EXPECT_EQ(driven.Describe().probes_in_flight, 2);
  EXPECT_EQ(driven.Describe().probe_successes, 1);
}

// --------------------------------------------------------------------- Ramp

// The defaults, so that half-open is a ramp, without jitter.
BreakerOptions RampOptions() {
  BreakerOptions options;
  options.open.duration_jitter = 0;
  return options;
}

void TripOnEvidence(Driven* driven) {
  driven->Fail(10);
  StateMachine::Suspicion suspicion = driven->Suspicion();
  suspicion.evidence_is_complete = true;
  driven->Commit((*driven)->DecideTrip(suspicion, driven->totals.judged));
  ASSERT_EQ((*driven)->state(), State::kOpen);
}

TEST(StateMachineTest, PacedOpenTimeIsOverAfterSoManyCalls) {
  Driven driven(RampOptions());
  TripOnEvidence(&driven);
  const uint64_t asked = driven.totals.asked;
  driven.Wait(absl::Seconds(10));
  EXPECT_FALSE(driven->DecideHalfOpen(asked + 9, driven.now).to.has_value());
  EXPECT_EQ(driven->DecideHalfOpen(asked + 10, driven.now).to,
            State::kHalfOpen);
}

TEST(StateMachineTest, CallIsNotedOnlyWhileOpen) {
  Driven driven(RampOptions());
  std::string before = Seen(driven);
  driven->NoteAsked(driven.totals.asked, driven.now);
  EXPECT_EQ(Seen(driven), before);
  // Half-open before the calls came that it was to stay open for.
  TripOnEvidence(&driven);
  driven.SetMode(Mode::kForcedOpen);
  driven.SetMode(Mode::kAutomatic);
  ASSERT_EQ(driven->state(), State::kHalfOpen);
  before = Seen(driven);
  driven->NoteAsked(driven.totals.asked + 1, driven.now + seconds(1));
  EXPECT_EQ(Seen(driven), before);
}

TEST(StateMachineTest, CallThatIsAskedForTellsWhenTheNextMayLook) {
  Driven driven(RampOptions());
  TripOnEvidence(&driven);
  driven.Wait(absl::Seconds(1));
  driven->NoteAsked(driven.totals.asked + 5, driven.now);
  EXPECT_EQ(driven.Refuses(), absl::Milliseconds(1));
  // Five in a second.
  EXPECT_EQ(driven->terms().admission.expected_end, driven.now + seconds(1));
}

TEST(StateMachineTest, DescribesAsOpenWhatTheNextCallFindsOpen) {
  Driven driven(RampOptions());
  TripOnEvidence(&driven);
  driven.Wait(absl::Seconds(1));
  driven->NoteAsked(driven.totals.asked, driven.now);
  driven.totals.asked += 100;
  EXPECT_EQ(driven.Describe().state, State::kOpen);
  EXPECT_EQ(driven.Describe().open_remaining, absl::Milliseconds(1));
  driven.Wait(absl::Milliseconds(1));
  EXPECT_EQ(driven.Describe().state, State::kHalfOpen);
}

TEST(StateMachineTest, RampClosesAfterNineSuccessesAndAnOpenTime) {
  Driven driven(RampOptions());
  TripOnEvidence(&driven);
  driven.Try();
  for (int i = 0; i < 9; ++i) driven.EndProbe(/*failed=*/false, /*slow=*/false);
  EXPECT_FALSE(driven.DecideRecovery(false, false).to.has_value());
  driven.Wait(absl::Milliseconds(100));
  EXPECT_EQ(driven.DecideRecovery(false, false).to, State::kClosed);
}

TEST(StateMachineTest, RampCountsCallsFromWhenHalfOpenBegan) {
  Driven driven(RampOptions());
  driven.totals.asked = 1'000'000;
  TripOnEvidence(&driven);
  driven.Try();
  const uint64_t asked = driven.totals.asked;
  driven->TakeProbe(asked, driven.now);
  driven.Wait(absl::Seconds(1));
  EXPECT_EQ(driven->TakeProbe(asked + 9, driven.now)->probe,
            ProbeLeases::kNoProbe);
  EXPECT_NE(driven->TakeProbe(asked + 10, driven.now)->probe,
            ProbeLeases::kNoProbe);
}

TEST(StateMachineTest, OpeningIsToldWithTheTimeThatItIsExpectedToTake) {
  Driven driven(RampOptions());
  driven.totals.asked = 1'000'000;
  driven.Wait(absl::Seconds(5));
  TripOnEvidence(&driven);  // ten failures in 5 s, and ten calls to come
  EXPECT_EQ(driven->history()->last_trip->open_for, absl::Seconds(5));
}

TEST(StateMachineTest, EvidenceIsCompleteWhileOpenAndFallsOnARamp) {
  Driven driven(RampOptions());
  TripOnEvidence(&driven);
  EXPECT_EQ(driven.Describe().evidence, 1);
  driven.Try();
  EXPECT_EQ(driven.Describe().evidence, 1);
  driven.EndProbe(/*failed=*/false, /*slow=*/false);
  EXPECT_LT(driven.Describe().evidence, 1);
}

TEST(StateMachineTest, ShareOfSlowProbesIsOfThoseSinceHalfOpenBegan) {
  BreakerOptions options = RampOptions();
  options.trip.slow_call_duration = absl::Seconds(1);
  options.trip.slow_call_rate_threshold = 0.5;
  Driven driven(options);
  driven.totals.judged.slow = 0;
  TripOnEvidence(&driven);
  driven.totals.judged.successes += 1000;  // before half-open
  driven.Try();
  driven.EndProbe(/*failed=*/false, /*slow=*/true);
  EXPECT_EQ(driven.DecideRecovery(false, /*slow=*/true).reason,
            TransitionReason::kProbeSlow);
}

TEST(StateMachineTest, RefusalsOnARampAreCountedByWhetherTheyWereMade) {
  for (const Mode mode : {Mode::kAutomatic, Mode::kShadow}) {
    Driven driven(RampOptions());
    driven.SetMode(mode);
    TripOnEvidence(&driven);
    driven.Try();
    // The first goes alone: the second is refused, but not on a ramp.
    const uint64_t first =
        driven->TakeProbe(driven.totals.asked, driven.now)->probe;
    EXPECT_EQ(driven->TakeProbe(driven.totals.asked, driven.now)->refused,
              RefusalReason::kHalfOpen);
    EXPECT_EQ(driven->history()->ramp_refused, 0);
    EXPECT_EQ(driven->history()->ramp_shadow_refused, 0);
    driven->EndProbe(driven->generation(), first, false, false, driven.now);
    for (int i = 0; i < 3; ++i)
      driven->TakeProbe(driven.totals.asked, driven.now);  // these go
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(driven->TakeProbe(driven.totals.asked, driven.now)->refused,
                RefusalReason::kRamp);
    }
    const bool shadow = mode == Mode::kShadow;
    EXPECT_EQ(driven->history()->ramp_refused, shadow ? 0 : 2);
    EXPECT_EQ(driven->history()->ramp_shadow_refused, shadow ? 2 : 0);
  }
}

// ------------------------------------------------------------------ Answers

TEST(StateMachineTest, TransitionTellsWhatTheBreakerWasJudgedBy) {
  Driven driven;
  driven.totals.judged = Counts(5, 5, 1);
  driven.Commit(driven->DecideReset());
  driven.totals.judged = Counts(10, 20, 3);
  driven.totals.failures_in_a_row = 7;
  driven.Wait(absl::Seconds(3));
  const std::shared_ptr<const Transition> told =
      driven.CommitAndTell(driven.DecideTrip());
  EXPECT_EQ(told->window, Counts(5, 15, 2));
  EXPECT_EQ(told->failure_rate, 0.75);
  EXPECT_EQ(told->consecutive_failures, 7);
  EXPECT_EQ(told->time, kWallStart + absl::Seconds(3));
  EXPECT_EQ(told->open_for, absl::Seconds(5));
}

TEST(StateMachineTest, FailureRateOfAnEmptyWindowIsNoNumber) {
  Driven driven;
  const std::shared_ptr<const Transition> told =
      driven.CommitAndTell(driven->DecideMode({Mode::kForcedOpen, {}}));
  EXPECT_EQ(told->window, Counts(0, 0));
  EXPECT_TRUE(std::isnan(told->failure_rate));
}

TEST(StateMachineTest, ForcedOpenIsToldWithItsTime) {
  Driven for_good;
  EXPECT_EQ(
      for_good.CommitAndTell(for_good->DecideMode({Mode::kForcedOpen, {}}))
          ->open_for,
      absl::InfiniteDuration());
  EXPECT_EQ(for_good.Describe().open_remaining, absl::InfiniteDuration());
  Driven timed;
  EXPECT_EQ(timed
                .CommitAndTell(timed->DecideMode(
                    {Mode::kForcedOpen, timed.now + seconds(60)}))
                ->open_for,
            absl::Seconds(60));
  timed.Wait(absl::Seconds(20));
  EXPECT_EQ(timed.Describe().open_remaining, absl::Seconds(40));
}

TEST(StateMachineTest, OnlyOpeningsAreToldWithATime) {
  Driven driven;
  driven.Trip();
  driven.now = driven->terms().admission.refuse_until;
  EXPECT_EQ(driven
                .CommitAndTell(
                    driven->DecideHalfOpen(driven.totals.asked, driven.now))
                ->open_for,
            absl::ZeroDuration());
  EXPECT_EQ(driven.CommitAndTell(driven->DecideReset())->open_for,
            absl::ZeroDuration());
}

TEST(StateMachineTest, CountsTransitionsAndTripsByKind) {
  Driven driven;
  driven.Trip();
  driven.Try();
  driven.Reopen();
  driven.Try();
  driven.Reopen();
  driven.Try();
  driven.Recover();
  driven.SetMode(Mode::kForcedOpen);
  driven.SetMode(Mode::kAutomatic);
  driven.Commit(driven->DecideReset());
  const BreakerSnapshot s = driven.Describe();
  EXPECT_EQ(Transitions(s, State::kClosed, State::kOpen), 2);
  EXPECT_EQ(Transitions(s, State::kOpen, State::kHalfOpen), 4);
  EXPECT_EQ(Transitions(s, State::kHalfOpen, State::kOpen), 2);
  EXPECT_EQ(Transitions(s, State::kHalfOpen, State::kClosed), 2);
  EXPECT_EQ(s.transition_count, 10);
  EXPECT_EQ(Trips(s, TransitionReason::kFailureRate), 1);
  EXPECT_EQ(Trips(s, TransitionReason::kProbeFailed), 2);
  EXPECT_EQ(Trips(s, TransitionReason::kForced), 1);
}

TEST(StateMachineTest, LastTripIsTheLastOpening) {
  Driven driven;
  driven.Trip();
  driven.Try();
  driven.EndProbe(/*failed=*/true, /*slow=*/false);
  const std::shared_ptr<const Transition> reopened =
      driven.CommitAndTell(driven.DecideRecovery(true, false));
  driven.Try();
  driven.Recover();
  EXPECT_EQ(driven->history()->last_trip, reopened);
}

TEST(StateMachineTest, OutageIsDescribedByWhatItBeganWith) {
  Driven driven;
  driven.Fail(30);
  driven.Commit(driven.DecideTrip());
  driven.Try();
  driven.Reopen();
  EXPECT_EQ(driven.Describe().window, Counts(0, 30));
  EXPECT_EQ(driven.Describe().consecutive_failures, 30);
  EXPECT_EQ(driven.Describe().reopenings, 1);
  EXPECT_EQ(driven.Describe().open_remaining, absl::Seconds(10));
  driven.Try();
  EXPECT_EQ(driven.Describe().window, Counts(0, 30));
}

TEST(StateMachineTest, NextOutageBeginsAfresh) {
  Driven driven;
  driven.Trip();
  driven.Try();
  driven.Reopen();
  driven.Try();
  driven.Recover();
  driven.Trip();
  EXPECT_EQ(driven.Describe().reopenings, 0);
  EXPECT_EQ(driven.Describe().window, Counts(0, 20));
  EXPECT_EQ(driven.Refuses(), absl::Seconds(5));
}

TEST(StateMachineTest, ForcedOpenFromHalfOpenIsNoFailureOfProbes) {
  Driven driven;
  driven.Trip();
  driven.Try();
  driven.SetMode(Mode::kForcedOpen);
  EXPECT_EQ(driven.Describe().reopenings, 0);
}

TEST(StateMachineTest, DescribesWhatIsLeftOfAMode) {
  Driven driven;
  driven.Configure(Mode::kShadow);
  driven.SetMode(Mode::kForcedOpen, driven.now + seconds(60));
  driven.Wait(absl::Seconds(60) - kInstant);
  EXPECT_EQ(driven.Describe().mode, Mode::kForcedOpen);
  EXPECT_EQ(driven.Describe().mode_remaining, kInstant);
  EXPECT_EQ(driven.Describe().next_mode, Mode::kShadow);
}

TEST(StateMachineTest, ModeThatIsOverIsDescribedAsTheOneThatFollows) {
  Driven driven;
  driven.Configure(Mode::kShadow);
  driven.SetMode(Mode::kForcedOpen, driven.now + seconds(60));
  driven.Wait(absl::Seconds(60));
  const BreakerSnapshot s = driven.Describe();
  EXPECT_EQ(s.mode, Mode::kShadow);
  EXPECT_EQ(s.mode_remaining, absl::InfiniteDuration());
  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.open_remaining, absl::ZeroDuration());
  EXPECT_EQ(driven->mode(), Mode::kForcedOpen);
}

TEST(StateMachineTest, OpenTimeThatIsOverIsDescribedAsHalfOpen) {
  Driven driven;
  driven.Trip();
  driven.Wait(absl::Seconds(5) - kInstant);
  EXPECT_EQ(driven.Describe().state, State::kOpen);
  EXPECT_EQ(driven.Describe().open_remaining, kInstant);
  driven.Wait(kInstant);
  EXPECT_EQ(driven.Describe().state, State::kHalfOpen);
  EXPECT_EQ(driven.Describe().open_remaining, absl::ZeroDuration());
  EXPECT_EQ(driven->state(), State::kOpen);
  EXPECT_EQ(driven.Describe().transition_count, 1);
}

}  // namespace
}  // namespace autobreaker
