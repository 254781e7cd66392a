// Half-open by itself; through a whole breaker, see ../half_open_test.cc.
#include "autobreaker/breaker/internal/half_open.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::milliseconds;
using ::std::chrono::nanoseconds;
using ::std::chrono::seconds;

constexpr MonotonicTime kStart{std::chrono::hours(1)};
constexpr uint64_t kNone = ProbeLeases::kNoProbe;

// Two probes at once, each on a lease of 10 s; three successes close.
BreakerOptions CountingOptions() {
  BreakerOptions options = ExactOptions();
  options.half_open.max_calls = 2;
  options.half_open.successes_to_close = 3;
  options.half_open.lease = absl::Seconds(10);
  return options;
}

// The same with a ramp. Calls of a second or longer are slow, and too many if
// they are half of all.
BreakerOptions RampOptions() {
  BreakerOptions options = CountingOptions();
  options.trip.evidence = EvidenceOptions();
  options.trip.slow_call_duration = absl::Seconds(1);
  options.trip.slow_call_rate_threshold = 0.5;
  options.half_open.successes_to_close.reset();
  return options;
}

// The breaker was open for ten calls and at least 4 s.
constexpr OpenTime kOpenTime{seconds(4), seconds(30), 10};

// Half-open since kStart, when 1,000 calls had been asked for.
class HalfOpenTest : public ::testing::Test {
 protected:
  explicit HalfOpenTest(const BreakerOptions& options = CountingOptions())
      : rules_(Rules::Of(options)),
        half_open_(*rules_, kOpenTime, asked_, kStart) {}

  void Wait(MonotonicTime::duration by) { now_ += by; }

  HalfOpen::Answer Ask() {
    return half_open_.TakeProbe(*rules_, asked_++, now_);
  }
  uint64_t Take() {
    const uint64_t probe = Ask().probe;
    EXPECT_NE(probe, kNone) << "refused";
    return probe;
  }
  bool End(uint64_t probe, bool failed = false, bool slow = false) {
    return half_open_.EndProbe(*rules_, probe, failed, slow, now_);
  }
  void Succeed() { EXPECT_TRUE(End(Take())); }
  void Fail() { EXPECT_TRUE(End(Take(), /*failed=*/true)); }

  // What follows from a probe that ended so.
  std::optional<State> Next(bool failed, bool slow = false,
                            const CallCounts& results = Counts(1, 0)) {
    return half_open_.Next(*rules_, failed, slow, results, now_);
  }

  // From kStart on.
  MonotonicTime::duration RefuseUntil() const {
    return half_open_.refuse_until() - kStart;
  }

  std::shared_ptr<const Rules> rules_;
  MonotonicTime now_ = kStart;
  uint64_t asked_ = 1000;
  HalfOpen half_open_;
};

// ------------------------------------------------------------ Which calls go

TEST_F(HalfOpenTest, BeginsWithNoProbesAndLetsACallAsk) {
  EXPECT_EQ(half_open_.in_flight(now_), 0);
  EXPECT_EQ(half_open_.successes(), 0);
  EXPECT_EQ(RefuseUntil(), seconds(0));
}

TEST_F(HalfOpenTest, SoManyGoAtOnce) {
  EXPECT_NE(Take(), Take());
  const HalfOpen::Answer third = Ask();
  EXPECT_EQ(third.probe, kNone);
  EXPECT_EQ(third.refused, RefusalReason::kHalfOpen);
  EXPECT_EQ(half_open_.in_flight(now_), 2);
}

TEST_F(HalfOpenTest, NextCallMayAskAtOnceWhileThereIsRoom) {
  Wait(seconds(1));
  Take();
  EXPECT_EQ(RefuseUntil(), seconds(1));
}

TEST_F(HalfOpenTest, FullUntilTheFirstLeaseEnds) {
  Take();
  Wait(seconds(3));
  Take();
  EXPECT_EQ(RefuseUntil(), seconds(10));
  Ask();
  EXPECT_EQ(RefuseUntil(), seconds(10));
}

TEST_F(HalfOpenTest, EndOfALeaseMakesRoom) {
  Take();
  Wait(seconds(3));
  Take();
  Wait(seconds(7) - nanoseconds(1));
  EXPECT_EQ(Ask().probe, kNone);
  Wait(nanoseconds(1));
  EXPECT_EQ(half_open_.in_flight(now_), 1);
  Take();
  // Full until the second lease ends.
  EXPECT_EQ(RefuseUntil(), seconds(13));
}

TEST_F(HalfOpenTest, EndOfAProbeMakesRoomAtOnce) {
  const uint64_t probe = Take();
  Take();
  Wait(seconds(2));
  EXPECT_TRUE(End(probe));
  EXPECT_EQ(RefuseUntil(), seconds(2));
  EXPECT_EQ(half_open_.in_flight(now_), 1);
  Take();
}

TEST_F(HalfOpenTest, FreedPlaceIsTakenAgainWithoutASuccess) {
  const uint64_t probe = Take();
  Take();
  Wait(seconds(2));
  half_open_.FreeProbe(probe, now_);
  EXPECT_EQ(RefuseUntil(), seconds(2));
  EXPECT_EQ(half_open_.in_flight(now_), 1);
  EXPECT_EQ(half_open_.successes(), 0);
  Take();
}

TEST_F(HalfOpenTest, ProbeFreedAfterItsLeaseFreesNothing) {
  const uint64_t late = Take();
  Wait(seconds(10));
  Take();
  Take();
  half_open_.FreeProbe(late, now_);
  EXPECT_EQ(half_open_.in_flight(now_), 2);
  EXPECT_EQ(RefuseUntil(), seconds(20));
}

TEST_F(HalfOpenTest, FindsOutUntilAProbeSucceeds) {
  EXPECT_TRUE(Ask().finds_out);
  const HalfOpen::Answer second = Ask();
  EXPECT_TRUE(second.finds_out);
  EXPECT_TRUE(End(second.probe));
  EXPECT_FALSE(Ask().finds_out);
}

TEST_F(HalfOpenTest, OtherRulesLetTheNextCallAsk) {
  Take();
  Take();
  Wait(seconds(1));
  half_open_.SetRules(*rules_, now_);
  EXPECT_EQ(RefuseUntil(), seconds(1));
  EXPECT_EQ(half_open_.in_flight(now_), 2);
}

// ------------------------------------------------------------ How they end

TEST_F(HalfOpenTest, LateFailureChangesNothing) {
  const uint64_t late = Take();
  Take();
  Wait(seconds(10));
  Take();
  Take();
  EXPECT_FALSE(End(late, /*failed=*/true));
  EXPECT_EQ(half_open_.successes(), 0);
  EXPECT_EQ(half_open_.in_flight(now_), 2);
  EXPECT_EQ(RefuseUntil(), seconds(20));
}

TEST_F(HalfOpenTest, LateSuccessCountsAndFreesNoPlace) {
  const uint64_t late = Take();
  Wait(seconds(10));
  Take();
  Take();
  EXPECT_TRUE(End(late));
  EXPECT_EQ(half_open_.successes(), 1);
  EXPECT_EQ(half_open_.in_flight(now_), 2);
  EXPECT_EQ(Ask().probe, kNone);
}

TEST_F(HalfOpenTest, ProbeFailsOnce) {
  const uint64_t probe = Take();
  EXPECT_TRUE(End(probe, /*failed=*/true));
  EXPECT_FALSE(End(probe, /*failed=*/true));
}

TEST_F(HalfOpenTest, ProgressIsASuccessAndFreesThePlace) {
  const uint64_t probe = Take();
  Take();
  Wait(seconds(2));
  half_open_.Progress(*rules_, probe, now_);
  EXPECT_EQ(half_open_.successes(), 1);
  EXPECT_EQ(half_open_.in_flight(now_), 1);
  EXPECT_EQ(RefuseUntil(), seconds(2));
  Take();
}

TEST_F(HalfOpenTest, ProbeFreedAfterItsProgressFreesNoOtherPlace) {
  const uint64_t probe = Take();
  half_open_.Progress(*rules_, probe, now_);
  Take();
  Take();
  half_open_.FreeProbe(probe, now_);
  EXPECT_EQ(half_open_.in_flight(now_), 2);
}

TEST_F(HalfOpenTest, SuccessIsNeitherFailedNorSlow) {
  const struct {
    bool failed;
    bool slow;
    int64_t successes;
  } kRows[] = {
      {false, false, 1}, {false, true, 0}, {true, false, 0}, {true, true, 0}};
  for (const auto& row : kRows) {
    HalfOpen half_open(*rules_, kOpenTime, asked_, kStart);
    const uint64_t probe = half_open.TakeProbe(*rules_, asked_, kStart).probe;
    half_open.EndProbe(*rules_, probe, row.failed, row.slow, kStart);
    EXPECT_EQ(half_open.successes(), row.successes)
        << row.failed << ", " << row.slow;
  }
}

TEST_F(HalfOpenTest, FailedOrSlowProbeReopensWhateverSucceededBefore) {
  for (int successes = 0; successes < 3; ++successes) {
    EXPECT_EQ(Next(/*failed=*/true), State::kOpen);
    EXPECT_EQ(Next(/*failed=*/false, /*slow=*/true), State::kOpen);
    EXPECT_EQ(Next(/*failed=*/true, /*slow=*/true), State::kOpen);
    Succeed();
  }
}

TEST_F(HalfOpenTest, EnoughSuccessesClose) {
  Succeed();
  EXPECT_EQ(Next(/*failed=*/false), std::nullopt);
  Succeed();
  EXPECT_EQ(Next(/*failed=*/false), std::nullopt);
  Succeed();
  EXPECT_EQ(Next(/*failed=*/false), State::kClosed);
}

// ------------------------------------------------------------------- Ramp

class RampingHalfOpenTest : public HalfOpenTest {
 protected:
  RampingHalfOpenTest() : HalfOpenTest(RampOptions()) {}

  // Until all calls go.
  void ClimbToTheTop() {
    for (int i = 0; i < 7; ++i) Succeed();
    ASSERT_EQ(half_open_.share(), 1);
  }
};

TEST_F(RampingHalfOpenTest, FirstProbeGoesAlone) {
  Take();
  const HalfOpen::Answer second = Ask();
  EXPECT_EQ(second.probe, kNone);
  EXPECT_EQ(second.refused, RefusalReason::kHalfOpen);
}

TEST_F(RampingHalfOpenTest, SecondGoesAfterAsManyCallsAndTimeAsItWasOpenFor) {
  Take();
  EXPECT_EQ(RefuseUntil(), seconds(4));
  Wait(seconds(4));
  // The second to the tenth.
  for (int i = 0; i < 9; ++i) EXPECT_EQ(Ask().probe, kNone) << i;
  EXPECT_TRUE(Ask().finds_out);
  EXPECT_EQ(half_open_.in_flight(now_), 2);
  // Full until the first lease ends.
  EXPECT_EQ(RefuseUntil(), seconds(10));
}

TEST_F(RampingHalfOpenTest, LooksOnceAMillisecondForTheCallsThatAreMissing) {
  Take();
  Wait(seconds(5));
  Ask();
  EXPECT_EQ(RefuseUntil(), seconds(5) + milliseconds(1));
}

TEST_F(RampingHalfOpenTest, CallThatMakesItTheNextOnesTurnLetsThatAsk) {
  Take();
  Wait(seconds(5));
  for (int i = 0; i < 8; ++i) Ask();
  EXPECT_GT(RefuseUntil(), seconds(5));
  Ask();  // the tenth
  EXPECT_EQ(RefuseUntil(), seconds(5));
  EXPECT_NE(Ask().probe, kNone);
}

TEST_F(RampingHalfOpenTest, SecondMayAskSoonerIfALeaseEndsBefore) {
  BreakerOptions options = RampOptions();
  options.half_open.lease = absl::Seconds(3);
  rules_ = Rules::Of(options);
  Take();
  EXPECT_EQ(RefuseUntil(), seconds(3));
  Wait(seconds(3));
  Take();
}

TEST_F(RampingHalfOpenTest, AfterASuccessEachCallMayAsk) {
  Succeed();
  Take();
  Take();
  const HalfOpen::Answer third = Ask();
  EXPECT_EQ(third.probe, kNone);
  EXPECT_EQ(third.refused, RefusalReason::kRamp);
  EXPECT_EQ(RefuseUntil(), seconds(0));
}

TEST_F(RampingHalfOpenTest, SlowProbeIsASuccess) {
  EXPECT_TRUE(End(Take(), /*failed=*/false, /*slow=*/true));
  EXPECT_EQ(half_open_.successes(), 1);
}

TEST_F(RampingHalfOpenTest, ShareRisesWithSuccessesAndFallsWithFailures) {
  EXPECT_EQ(half_open_.share(), 0);
  for (int i = 0; i < 3; ++i) Succeed();
  EXPECT_EQ(half_open_.share(), 1.0 / 2);
  Fail();
  Fail();
  EXPECT_EQ(half_open_.share(), 1.0 / 3);
}

TEST_F(RampingHalfOpenTest, ReopensBelowAThird) {
  Succeed();
  Fail();
  EXPECT_EQ(Next(/*failed=*/true), std::nullopt);
  Fail();
  EXPECT_EQ(Next(/*failed=*/true), State::kOpen);
}

TEST_F(RampingHalfOpenTest, FirstFailureReopens) {
  Fail();
  EXPECT_EQ(Next(/*failed=*/true), State::kOpen);
}

TEST_F(RampingHalfOpenTest, ClosesWhenAllCallsHaveGoneForTheShortestOpenTime) {
  ClimbToTheTop();
  Succeed();
  Succeed();
  Wait(kOpenTime.shortest - nanoseconds(1));
  EXPECT_EQ(Next(/*failed=*/false), std::nullopt);
  Wait(nanoseconds(1));
  EXPECT_EQ(Next(/*failed=*/false), State::kClosed);
}

TEST_F(RampingHalfOpenTest, ProbeOfASmallerShareSaysNothingAboutTheLargest) {
  Succeed();
  const uint64_t early = Take();
  while (half_open_.share() < 1) Succeed();
  Succeed();
  Wait(kOpenTime.shortest);
  EXPECT_TRUE(End(early));
  EXPECT_EQ(Next(/*failed=*/false), std::nullopt);
  Succeed();
  EXPECT_EQ(Next(/*failed=*/false), State::kClosed);
}

TEST_F(RampingHalfOpenTest, ShareOfSlowProbesReopensAndOneAloneDoesNot) {
  Succeed();
  const struct {
    CallCounts results;
    std::optional<State> next;
  } kRows[] = {
      {Counts(1, 0, 1), State::kOpen},    {Counts(3, 0, 1), std::nullopt},
      {Counts(1, 1, 1), State::kOpen},    {Counts(100, 0, 49), std::nullopt},
      {Counts(100, 0, 50), State::kOpen},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(Next(/*failed=*/false, /*slow=*/true, row.results), row.next)
        << row.results.slow << " of " << row.results.finished();
  }
}

TEST_F(RampingHalfOpenTest, SlowOnesBeforeDoNotReopenAtAFastSuccess) {
  Succeed();
  EXPECT_EQ(Next(/*failed=*/false, /*slow=*/false, Counts(2, 0, 2)),
            std::nullopt);
}

TEST_F(RampingHalfOpenTest, OverdueProbeKeepsItFromClosing) {
  const uint64_t slowest = Take();
  Wait(seconds(2));
  EXPECT_TRUE(End(slowest));
  while (half_open_.share() < 1) Succeed();
  const uint64_t hangs = Take();
  Succeed();
  Succeed();
  // Overdue is what takes more than twice as long as the slowest success.
  Wait(seconds(4));
  EXPECT_EQ(Next(/*failed=*/false), State::kClosed);
  Wait(nanoseconds(1));
  EXPECT_EQ(Next(/*failed=*/false), std::nullopt);
  half_open_.FreeProbe(hangs, now_);
  EXPECT_EQ(Next(/*failed=*/false), State::kClosed);
}

TEST_F(RampingHalfOpenTest, OverdueProbeWeighsOnlyWhileItsShareLasts) {
  Succeed();
  Take();  // hangs, with a third
  while (half_open_.share() < 1) Succeed();
  Succeed();
  Succeed();
  Wait(kOpenTime.shortest);
  EXPECT_EQ(Next(/*failed=*/false), State::kClosed);
}

TEST_F(RampingHalfOpenTest, OverdueProbesLeadDownWhenTheNextCallAsks) {
  ClimbToTheTop();
  Take();
  Take();
  Ask();
  EXPECT_EQ(half_open_.share(), 1);
  Wait(nanoseconds(1));  // all successes took no time
  EXPECT_EQ(Ask().probe, kNone);
  EXPECT_EQ(half_open_.share(), 3.0 / 4);
}

TEST_F(RampingHalfOpenTest, OtherRulesKeepTheShareAndWeighResultsOtherwise) {
  for (int i = 0; i < 3; ++i) Succeed();
  BreakerOptions options = RampOptions();
  options.trip.evidence->break_even_failure_rate = 0.25;
  rules_ = Rules::Of(options);
  half_open_.SetRules(*rules_, now_);
  EXPECT_EQ(half_open_.share(), 1.0 / 2);
  for (int i = 0; i < 3; ++i) Succeed();
  EXPECT_EQ(half_open_.share(), 1.0 / 2);
  Succeed();
  EXPECT_EQ(half_open_.share(), 3.0 / 4);
}

TEST_F(RampingHalfOpenTest, FailureAfterProgressCountsWithItsOwnShareOnly) {
  Succeed();
  const uint64_t early = Take();
  half_open_.Progress(*rules_, early, now_);
  const uint64_t stream = Take();
  half_open_.Progress(*rules_, stream, now_);
  ASSERT_EQ(half_open_.share(), 0.5);
  half_open_.FailAfterProgress(*rules_, early, now_);
  half_open_.FailAfterProgress(*rules_, stream, now_);
  EXPECT_EQ(half_open_.share(), 0.5);
  const uint64_t latest = Take();
  half_open_.Progress(*rules_, latest, now_);
  half_open_.FailAfterProgress(*rules_, latest, now_);
  Fail();
  EXPECT_DOUBLE_EQ(half_open_.share(), 1.0 / 3);
}

TEST_F(RampingHalfOpenTest, FailureAfterTheOnlyProgressReopens) {
  const uint64_t stream = Take();
  half_open_.Progress(*rules_, stream, now_);
  half_open_.FailAfterProgress(*rules_, stream, now_);
  EXPECT_EQ(half_open_.Next(*rules_, /*failed=*/true, /*slow=*/false,
                            CallCounts(), now_),
            State::kOpen);
}

TEST_F(RampingHalfOpenTest, FailureAfterProgressTakesTheSuccessBack) {
  const uint64_t stream = Take();
  half_open_.Progress(*rules_, stream, now_);
  EXPECT_EQ(half_open_.successes(), 1);
  EXPECT_EQ(half_open_.progressed(), 1u);
  half_open_.FailAfterProgress(*rules_, stream, now_);
  EXPECT_EQ(half_open_.successes(), 0);
  EXPECT_EQ(half_open_.progressed(), 0u);
}

}  // namespace
}  // namespace autobreaker
