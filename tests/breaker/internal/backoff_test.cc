#include "autobreaker/breaker/internal/backoff.h"

#include <chrono>
#include <cmath>

#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::hours;
using ::std::chrono::milliseconds;
using ::std::chrono::nanoseconds;
using ::std::chrono::seconds;

OpenOptions Backoff(absl::Duration first, double multiplier,
                    absl::Duration most, double jitter) {
  OpenOptions options = RateOptions().open;
  options.duration = first;
  options.duration_multiplier = multiplier;
  options.duration_max = most;
  options.duration_jitter = jitter;
  return options;
}

OpenTime After(const OpenOptions& options, int64_t reopenings,
               uint64_t asked = 0, double random = 0) {
  return OpenTime::Of(options, reopenings, asked, random);
}
nanoseconds Shortest(const OpenOptions& options, int64_t reopenings,
                     double random = 0) {
  return After(options, reopenings, 0, random).shortest;
}

TEST(BackoffTest, FirstTimeIsTheOpenDuration) {
  EXPECT_EQ(Shortest(RateOptions().open, 0), seconds(5));
}

TEST(BackoffTest, EveryReopeningMultiplies) {
  const OpenOptions options = RateOptions().open;
  EXPECT_EQ(Shortest(options, 1), seconds(10));
  EXPECT_EQ(Shortest(options, 2), seconds(20));
  EXPECT_EQ(Shortest(options, 3), seconds(40));
}

TEST(BackoffTest, StopsAtTheMaximum) {
  EXPECT_EQ(Shortest(RateOptions().open, 4), seconds(60));
}

TEST(BackoffTest, StaysAtTheMaximumHoweverManyReopenings) {
  EXPECT_EQ(Shortest(RateOptions().open, 1'000'000'000'000), seconds(60));
}

TEST(BackoffTest, MultiplierOfOneNeverGrows) {
  EXPECT_EQ(
      Shortest(Backoff(absl::Seconds(5), 1, absl::Seconds(60), 0), 1'000'000),
      seconds(5));
}

TEST(BackoffTest, FractionsMultiplyToo) {
  EXPECT_EQ(Shortest(Backoff(absl::Seconds(4), 1.5, absl::Seconds(60), 0), 2),
            seconds(9));
}

TEST(BackoffTest, JitterShortensByItsRandomShare) {
  EXPECT_EQ(Shortest(RateOptions().open, 0, 0.5), milliseconds(4500));
}

TEST(BackoffTest, JitterNeverShortensMoreThanItsShare) {
  const nanoseconds shortest = Shortest(RateOptions().open, 0, 0.999999);
  EXPECT_GT(shortest, seconds(4));
  EXPECT_LT(shortest, milliseconds(4001));
}

TEST(BackoffTest, JitterShortensTheMaximum) {
  EXPECT_EQ(Shortest(RateOptions().open, 100, 0.5), seconds(54));
  EXPECT_EQ(After(RateOptions().open, 0, 0, 0.5).longest, seconds(54));
}

TEST(BackoffTest, NoJitterIgnoresTheRandomNumber) {
  EXPECT_EQ(
      Shortest(Backoff(absl::Seconds(5), 2, absl::Seconds(60), 0), 0, 0.75),
      seconds(5));
}

TEST(BackoffTest, FullJitterIsNeverZero) {
  EXPECT_EQ(Shortest(Backoff(absl::Nanoseconds(1), 2, absl::Seconds(60), 1), 0,
                     0.999999),
            nanoseconds(1));
}

TEST(BackoffTest, LongestTimeDoesNotOverflow) {
  const absl::Duration year = absl::Hours(24 * 365);
  EXPECT_EQ(Shortest(Backoff(year, 1000, year, 0), 1'000'000), hours(24 * 365));
}

// By calls, with nothing random.
OpenOptions Paced(double share) {
  OpenOptions options;
  options.pace_by_calls->probe_share = share;
  options.duration_jitter = 0;
  return options;
}

TEST(PacingTest, NotPacedCountsNoCalls) {
  EXPECT_EQ(After(RateOptions().open, 0, 1'000'000).calls, 0);
}

TEST(PacingTest, FirstTimeIsThatOfOneProbesShareOfTheCalls) {
  EXPECT_EQ(After(Paced(0.1), 0).calls, 10);
  EXPECT_EQ(After(Paced(0.01), 0).calls, 100);
}

TEST(PacingTest, LaterOneIsTwiceTheRootOfTheCallsSoFar) {
  EXPECT_EQ(After(Paced(0.1), 5, 2'500).calls, 100);
  EXPECT_EQ(After(Paced(0.1), 5, 10'000).calls, 200);
}

TEST(PacingTest, SmallShareHoldsBackLongerThanTheRoot) {
  EXPECT_EQ(After(Paced(0.002), 5, 2'500).calls, 500);
}

TEST(PacingTest, TimesAreThoseOfTheDurations) {
  OpenOptions options = Paced(0.1);
  options.duration_multiplier = 2;
  const OpenTime time = After(options, 3, 1'000'000);
  EXPECT_EQ(time.shortest, milliseconds(800));
  EXPECT_EQ(time.longest, seconds(30));
}

TEST(PacingTest, JitterShortensAll) {
  OpenOptions options = Paced(0.1);
  options.duration_jitter = 0.2;
  const OpenTime time = After(options, 0, 0, 0.5);
  EXPECT_EQ(time.calls, 9);
  EXPECT_EQ(time.shortest, milliseconds(90));
  EXPECT_EQ(time.longest, seconds(27));
}

TEST(PacingTest, FullJitterStillCountsOneCall) {
  OpenOptions options = Paced(1);
  options.duration_jitter = 1;
  EXPECT_EQ(After(options, 0, 0, 0.999999).calls, 1);
}

TEST(PacingTest, NextToNoShareDoesNotOverflow) {
  EXPECT_GT(After(Paced(5e-324), 0).calls, 1'000'000'000'000'000);
}

TEST(PacingTest, KthProbeGoesOutAfterAboutKSquaredCalls) {
  uint64_t asked = 0;
  for (uint64_t k = 1; k <= 1'000; ++k) {
    asked += After(Paced(0.1), 0, asked).calls;
    if (k <= 20) continue;  // there the probes' share is the limit
    EXPECT_NEAR(std::sqrt(asked), k, 0.2 * k) << k;
  }
}

// Probes and calls refused too long, for outages of any number of calls, next
// to the least that a fixed pace could make of it that knew the number before.
TEST(PacingTest, CostsLittleMoreThanTheBestFixedPaceForAnyOutage) {
  for (const double calls : {1e2, 1e3, 1e4, 1e5, 1e6, 1e7}) {
    uint64_t asked = 0;
    double probes = 0;
    double pause = 0;
    while (asked < calls) {
      ++probes;
      pause = static_cast<double>(After(Paced(1), 0, asked).calls);
      asked += After(Paced(1), 0, asked).calls;
    }
    EXPECT_LT(probes + pause / 2, 1.6 * std::sqrt(2 * calls)) << calls;
  }
}

}  // namespace
}  // namespace autobreaker
