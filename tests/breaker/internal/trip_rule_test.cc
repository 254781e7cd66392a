#include "autobreaker/breaker/internal/trip_rule.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <random>

#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TripRule RateRule(double threshold, int64_t minimum_calls) {
  TripRule rule;
  rule.failure_rate_threshold = threshold;
  rule.minimum_calls = minimum_calls;
  return rule;
}

TEST(TripRuleTest, RateAboveThresholdTrips) {
  EXPECT_EQ(RateRule(0.05, 20).Judge(Counts(18, 2), 0, false),
            TransitionReason::kFailureRate);
}

TEST(TripRuleTest, RateAtThresholdDoesNotTrip) {
  EXPECT_EQ(RateRule(0.05, 20).Judge(Counts(19, 1), 0, false), std::nullopt);
}

TEST(TripRuleTest, NoRateAtADecimalThresholdTrips) {
  // Every threshold of two decimals, at every number of calls that meets it.
  for (int percent = 1; percent < 100; ++percent) {
    const double threshold = percent / 100.0;
    for (int hundreds = 1; hundreds <= 100; ++hundreds) {
      const uint64_t failures = percent * hundreds;
      const uint64_t successes = 100 * hundreds - failures;
      const TripRule rule = RateRule(threshold, 1);
      EXPECT_EQ(rule.Judge(Counts(successes, failures), 0, false),
                std::nullopt);
      EXPECT_EQ(rule.Judge(Counts(successes - 1, failures + 1), 0, false),
                TransitionReason::kFailureRate);
    }
  }
}

TEST(TripRuleTest, NothingTripsBelowTheMinimum) {
  EXPECT_EQ(RateRule(0.05, 20).Judge(Counts(0, 19), 19, false), std::nullopt);
}

TEST(TripRuleTest, MinimumIsEnough) {
  EXPECT_EQ(RateRule(0.05, 20).Judge(Counts(0, 20), 20, false),
            TransitionReason::kFailureRate);
}

TEST(TripRuleTest, EmptyWindowDoesNotTrip) {
  EXPECT_EQ(RateRule(0.05, 1).Judge(Counts(0, 0), 0, false), std::nullopt);
}

TEST(TripRuleTest, HugeCountsAreJudged) {
  const uint64_t huge = uint64_t{1} << 47;
  EXPECT_EQ(RateRule(0.5, 1).Judge(Counts(huge, huge), 0, false), std::nullopt);
  EXPECT_EQ(RateRule(0.5, 1).Judge(Counts(huge, huge + 1), 0, false),
            TransitionReason::kFailureRate);
}

TEST(TripRuleTest, ConsecutiveFailuresTripBelowTheMinimum) {
  TripRule rule = RateRule(0.5, 1000);
  rule.consecutive_failures = 5;
  EXPECT_EQ(rule.Judge(Counts(0, 4), 4, false), std::nullopt);
  EXPECT_EQ(rule.Judge(Counts(0, 5), 5, false),
            TransitionReason::kConsecutiveFailures);
}

TEST(TripRuleTest, ConsecutiveFailuresAreOffAtZero) {
  EXPECT_EQ(RateRule(0.5, 1000).Judge(Counts(0, 900), 900, false),
            std::nullopt);
}

TEST(TripRuleTest, ConsecutiveFailuresAreNamedFirst) {
  TripRule rule = RateRule(0.05, 1);
  rule.consecutive_failures = 5;
  EXPECT_EQ(rule.Judge(Counts(0, 5), 5, false),
            TransitionReason::kConsecutiveFailures);
}

TEST(TripRuleTest, SlowRateAtThresholdTrips) {
  TripRule rule = RateRule(0.05, 20);
  rule.slow_call_rate_threshold = 0.5;
  EXPECT_EQ(rule.Judge(Counts(20, 0, 9), 0, false), std::nullopt);
  EXPECT_EQ(rule.Judge(Counts(20, 0, 10), 0, false),
            TransitionReason::kSlowCallRate);
}

TEST(TripRuleTest, SlowRateOfOneNeedsEveryCall) {
  TripRule rule = RateRule(0.05, 20);
  rule.slow_call_rate_threshold = 1;
  EXPECT_EQ(rule.Judge(Counts(20, 0, 19), 0, false), std::nullopt);
  EXPECT_EQ(rule.Judge(Counts(20, 0, 20), 0, false),
            TransitionReason::kSlowCallRate);
}

TEST(TripRuleTest, SlowCallsBelowTheMinimumDoNotTrip) {
  TripRule rule = RateRule(0.05, 20);
  rule.slow_call_rate_threshold = 0.5;
  EXPECT_EQ(rule.Judge(Counts(19, 0, 19), 0, false), std::nullopt);
}

TEST(TripRuleTest, SlowRateIsOffAtZero) {
  EXPECT_EQ(RateRule(0.05, 20).Judge(Counts(20, 0, 20), 0, false),
            std::nullopt);
}

TEST(TripRuleTest, FailureRateIsNamedBeforeSlowRate) {
  TripRule rule = RateRule(0.05, 20);
  rule.slow_call_rate_threshold = 0.5;
  EXPECT_EQ(rule.Judge(Counts(0, 20, 20), 0, false),
            TransitionReason::kFailureRate);
}

TEST(TripRuleTest, FromTakesTheOptions) {
  BreakerOptions options = RateOptions();
  options.trip.failure_rate_threshold = 0.3;
  options.trip.minimum_calls = 7;
  options.trip.consecutive_failures = 9;
  options.trip.slow_call_duration = absl::Seconds(1);
  options.trip.slow_call_rate_threshold = 0.6;
  const TripRule rule = TripRule::From(options.trip);
  EXPECT_EQ(rule.failure_rate_threshold, 0.3);
  EXPECT_EQ(rule.minimum_calls, 7);
  EXPECT_EQ(rule.consecutive_failures, 9);
  EXPECT_EQ(rule.slow_call_rate_threshold, 0.6);
}

TEST(TripRuleTest, FromLeavesOffWhatIsNotSet) {
  const TripRule rule = TripRule::From(RateOptions().trip);
  EXPECT_EQ(rule.consecutive_failures, 0);
  EXPECT_EQ(rule.slow_call_rate_threshold, 0);
}

TEST(TripRuleTest, FailureRateIsFailuresOfFinished) {
  EXPECT_EQ(FailureRate(Counts(15, 5)), 0.25);
}

TEST(TripRuleTest, FailureRateOfNoCallsIsNan) {
  EXPECT_TRUE(std::isnan(FailureRate(Counts(0, 0))));
}

TEST(TripRuleTest, FailuresUntilTripOfAFreshWindowIsTheMinimum) {
  EXPECT_EQ(RateRule(0.05, 20).FailuresUntilTrip(Counts(0, 0), 0), 20);
}

TEST(TripRuleTest, FailuresUntilTripIsNeverBelowOne) {
  EXPECT_EQ(RateRule(0.05, 20).FailuresUntilTrip(Counts(0, 100), 100), 1);
}

TEST(TripRuleTest, NoNumberOfFailuresTripsAThresholdNextToOne) {
  const TripRule rule = RateRule(std::nextafter(1.0, 0.0), 1);
  const uint64_t huge = (uint64_t{1} << 48) - 1;
  EXPECT_EQ(rule.FailuresUntilTrip(Counts(huge, 0), 0), std::nullopt);
}

TEST(TripRuleTest, NoNumberOfFailuresTripsWhereOnlySlowCallsCount) {
  TripRule rule;
  rule.minimum_calls = 20;
  rule.slow_call_rate_threshold = 0.5;
  EXPECT_EQ(rule.FailuresUntilTrip(Counts(10, 0, 5), 0), std::nullopt);
}

TEST(TripRuleTest, FailuresThatCompleteTheMinimumTripForSlowCallsBefore) {
  TripRule rule;
  rule.minimum_calls = 12;
  rule.slow_call_rate_threshold = 0.5;
  EXPECT_EQ(rule.FailuresUntilTrip(Counts(10, 0, 6), 0), 2);
}

TEST(TripRuleTest, CompleteEvidenceTripsWhateverTheRate) {
  EXPECT_EQ(TripRule().Judge(Counts(90, 10), 1, true),
            TransitionReason::kEvidence);
}

TEST(TripRuleTest, ARowOfFailuresIsNamedBeforeTheEvidence) {
  TripRule rule;
  rule.consecutive_failures = 4;
  EXPECT_EQ(rule.Judge(Counts(0, 4), 4, true),
            TransitionReason::kConsecutiveFailures);
}

TEST(TripRuleTest, FailuresUntilTripIsWhatTryingThemSays) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    TripRule rule = RateRule(0.01 + (random() % 90) / 100.0, 1 + random() % 60);
    if (random() % 2) rule.consecutive_failures = 1 + random() % 50;
    if (random() % 2) {
      rule.slow_call_rate_threshold = (1 + random() % 100) / 100.0;
    }
    CallCounts window = Counts(random() % 100, random() % 30);
    window.slow = random() % (window.finished() + 1);
    const int64_t streak = random() % (window.failures + 1);

    int64_t expected = 1;
    while (!rule.Judge(
        Counts(window.successes, window.failures + expected, window.slow),
        streak + expected, false)) {
      ++expected;
    }
    ASSERT_EQ(rule.FailuresUntilTrip(window, streak), expected)
        << "case " << i << ": threshold " << rule.failure_rate_threshold
        << ", minimum " << rule.minimum_calls << ", consecutive "
        << rule.consecutive_failures << ", slow "
        << rule.slow_call_rate_threshold << ", window "
        << ::testing::PrintToString(window) << ", streak " << streak;
  }
}

}  // namespace
}  // namespace autobreaker
