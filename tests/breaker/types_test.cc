#include "autobreaker/breaker/types.h"

#include "gtest/gtest.h"

namespace autobreaker {
namespace {

// Dashboards and alerts depend on every one of these.
TEST(TypesTest, StateNumbersAreTheExportedOnes) {
  EXPECT_EQ(static_cast<int>(State::kClosed), 0);
  EXPECT_EQ(static_cast<int>(State::kOpen), 1);
  EXPECT_EQ(static_cast<int>(State::kHalfOpen), 2);
}

TEST(TypesTest, StateNames) {
  EXPECT_EQ(ToString(State::kClosed), "closed");
  EXPECT_EQ(ToString(State::kOpen), "open");
  EXPECT_EQ(ToString(State::kHalfOpen), "half_open");
}

TEST(TypesTest, ModeNames) {
  EXPECT_EQ(ToString(Mode::kAutomatic), "automatic");
  EXPECT_EQ(ToString(Mode::kForcedOpen), "forced_open");
  EXPECT_EQ(ToString(Mode::kForcedClosed), "forced_closed");
  EXPECT_EQ(ToString(Mode::kShadow), "shadow");
}

TEST(TypesTest, OutcomeNames) {
  EXPECT_EQ(ToString(Outcome::kSuccess), "success");
  EXPECT_EQ(ToString(Outcome::kFailure), "failure");
  EXPECT_EQ(ToString(Outcome::kIgnored), "ignored");
  EXPECT_EQ(ToString(Outcome::kAbandoned), "abandoned");
}

TEST(TypesTest, RefusalReasonNames) {
  EXPECT_EQ(ToString(RefusalReason::kOpen), "open");
  EXPECT_EQ(ToString(RefusalReason::kHalfOpen), "half_open");
  EXPECT_EQ(ToString(RefusalReason::kRamp), "ramp");
  EXPECT_EQ(ToString(RefusalReason::kForcedOpen), "forced_open");
  EXPECT_EQ(ToString(RefusalReason::kTooManyCalls), "too_many_calls");
}

TEST(TypesTest, TransitionReasonNames) {
  EXPECT_EQ(ToString(TransitionReason::kFailureRate), "failure_rate");
  EXPECT_EQ(ToString(TransitionReason::kConsecutiveFailures),
            "consecutive_failures");
  EXPECT_EQ(ToString(TransitionReason::kSlowCallRate), "slow_call_rate");
  EXPECT_EQ(ToString(TransitionReason::kProbeFailed), "probe_failed");
  EXPECT_EQ(ToString(TransitionReason::kProbeSlow), "probe_slow");
  EXPECT_EQ(ToString(TransitionReason::kForced), "forced");
  EXPECT_EQ(ToString(TransitionReason::kEvidence), "evidence");
  EXPECT_EQ(ToString(TransitionReason::kOpenTimeElapsed), "open_time_elapsed");
  EXPECT_EQ(ToString(TransitionReason::kProbesSucceeded), "probes_succeeded");
}

TEST(TypesTest, ReasonsThatCanOpenComeBeforeTheTripReasonCount) {
  EXPECT_EQ(static_cast<int>(TransitionReason::kEvidence),
            kTripReasonCount - 1);
  EXPECT_EQ(static_cast<int>(TransitionReason::kOpenTimeElapsed),
            kTripReasonCount);
}

TEST(TypesTest, NumbersOutsideAnEnumAreUnknown) {
  EXPECT_EQ(ToString(static_cast<State>(3)), "unknown");
  EXPECT_EQ(ToString(static_cast<Mode>(4)), "unknown");
  EXPECT_EQ(ToString(static_cast<Outcome>(4)), "unknown");
  EXPECT_EQ(ToString(static_cast<RefusalReason>(5)), "unknown");
  EXPECT_EQ(ToString(static_cast<TransitionReason>(9)), "unknown");
}

}  // namespace
}  // namespace autobreaker
