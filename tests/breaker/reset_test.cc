// What CircuitBreaker::Reset() forgets, and what it keeps.
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(ResetTest, ClosesAnOpenBreaker) {
  TestBreaker breaker;
  breaker.Trip();
  EXPECT_TRUE(breaker->Reset());
  EXPECT_EQ(breaker.state(), State::kClosed);
  breaker.Succeed();
}

TEST(ResetTest, ClosesAHalfOpenBreaker) {
  TestBreaker breaker;
  breaker.TripAndWaitForProbes();
  EXPECT_TRUE(breaker->Reset());
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(ResetTest, IsAForcedTransition) {
  std::vector<Transition> seen;
  TestBreaker breaker(ExactOptions(),
                      [&seen](const Transition& t) { seen.push_back(t); });
  breaker.Trip();
  breaker->Reset();
  breaker->FlushTransitions();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].from, State::kOpen);
  EXPECT_EQ(seen[1].to, State::kClosed);
  EXPECT_EQ(seen[1].reason, TransitionReason::kForced);
}

TEST(ResetTest, OfAClosedBreakerIsNoTransition) {
  TestBreaker breaker;
  breaker->Reset();
  EXPECT_EQ(breaker.Snapshot().transition_count, 0u);
}

TEST(ResetTest, ForgetsTheWindowAndTheRow) {
  TestBreaker breaker;
  breaker.Fail(5);
  breaker->Reset();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.window, Counts(0, 0));
  EXPECT_EQ(s.consecutive_failures, 0);
}

TEST(ResetTest, ForgetsEvidence) {
  for (const bool open : {false, true}) {
    BreakerOptions options;
    options.trip.evidence->tolerated_burst = absl::ZeroDuration();
    TestBreaker breaker(options);
    breaker.Fail(2);
    if (open) breaker.Trip();
    EXPECT_GT(breaker.Snapshot().evidence, 0.3);
    breaker->Reset();
    EXPECT_EQ(breaker.Snapshot().evidence, 0);
  }
}

TEST(ResetTest, KeepsTotals) {
  TestBreaker breaker;
  breaker.Succeed(3);
  breaker.Trip();
  breaker.Refused();
  const std::vector<uint64_t> before = Totals(breaker.Snapshot());
  breaker->Reset();
  const std::vector<uint64_t> after = Totals(breaker.Snapshot());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_GE(after[i], before[i]);
}

TEST(ResetTest, CallsUnderWayAreLate) {
  TestBreaker breaker;
  std::vector<Permit> permits = breaker.Acquire(30);
  breaker->Reset();
  for (Permit& permit : permits) permit.Record(Outcome::kFailure);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.late_results, 30u);
  EXPECT_EQ(s.state, State::kClosed);
}

TEST(ResetTest, OpensAgainOnNewFailures) {
  TestBreaker breaker;
  breaker.Trip();
  breaker->Reset();
  breaker.Trip();
}

TEST(ResetTest, StartsOpenTimesOver) {
  BreakerOptions options = ExactOptions();
  options.open.duration_multiplier = 2;
  TestBreaker breaker(options);
  breaker.Trip();
  const absl::Duration first = breaker.Snapshot().open_remaining;
  breaker.WaitForProbes();
  breaker.Fail();
  EXPECT_EQ(breaker.Snapshot().open_remaining, 2 * first);
  breaker->Reset();
  breaker.Trip();
  EXPECT_EQ(breaker.Snapshot().open_remaining, first);
}

TEST(ResetTest, KeepsTheModeAndItsTime) {
  for (const Mode mode : {Mode::kForcedClosed, Mode::kShadow}) {
    TestBreaker breaker;
    breaker->SetMode(mode, absl::Hours(1));
    EXPECT_TRUE(breaker->Reset());
    EXPECT_EQ(breaker.Snapshot().mode, mode);
    EXPECT_EQ(breaker.Snapshot().mode_remaining, absl::Hours(1));
  }
}

TEST(ResetTest, IsRefusedWhileForcedOpen) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedOpen, absl::Hours(1));
  EXPECT_FALSE(breaker->Reset());
  EXPECT_EQ(breaker.state(), State::kOpen);
  breaker.clock().Advance(absl::Hours(1));
  EXPECT_TRUE(breaker->Reset());
  EXPECT_EQ(breaker.state(), State::kClosed);
}

}  // namespace
}  // namespace autobreaker
