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

TEST(BackoffTest, FirstTimeIsTheOpenDuration) {
  EXPECT_EQ(OpenTime(RateOptions().open, 0, Demand(), 0), seconds(5));
}

TEST(BackoffTest, EveryReopeningMultiplies) {
  const OpenOptions options = RateOptions().open;
  EXPECT_EQ(OpenTime(options, 1, Demand(), 0), seconds(10));
  EXPECT_EQ(OpenTime(options, 2, Demand(), 0), seconds(20));
  EXPECT_EQ(OpenTime(options, 3, Demand(), 0), seconds(40));
}

TEST(BackoffTest, StopsAtTheMaximum) {
  EXPECT_EQ(OpenTime(RateOptions().open, 4, Demand(), 0), seconds(60));
}

TEST(BackoffTest, StaysAtTheMaximumHoweverManyReopenings) {
  EXPECT_EQ(OpenTime(RateOptions().open, 1'000'000'000'000, Demand(), 0),
            seconds(60));
}

TEST(BackoffTest, MultiplierOfOneNeverGrows) {
  EXPECT_EQ(OpenTime(Backoff(absl::Seconds(5), 1, absl::Seconds(60), 0),
                     1'000'000, Demand(), 0),
            seconds(5));
}

TEST(BackoffTest, FractionsMultiplyToo) {
  EXPECT_EQ(OpenTime(Backoff(absl::Seconds(4), 1.5, absl::Seconds(60), 0), 2,
                     Demand(), 0),
            seconds(9));
}

TEST(BackoffTest, JitterShortensByItsRandomShare) {
  EXPECT_EQ(OpenTime(RateOptions().open, 0, Demand(), 0.5), milliseconds(4500));
}

TEST(BackoffTest, JitterNeverShortensMoreThanItsShare) {
  const nanoseconds shortest =
      OpenTime(RateOptions().open, 0, Demand(), 0.999999);
  EXPECT_GT(shortest, seconds(4));
  EXPECT_LT(shortest, milliseconds(4001));
}

TEST(BackoffTest, JitterShortensTheMaximum) {
  EXPECT_EQ(OpenTime(RateOptions().open, 100, Demand(), 0.5), seconds(54));
}

TEST(BackoffTest, NoJitterIgnoresTheRandomNumber) {
  EXPECT_EQ(OpenTime(Backoff(absl::Seconds(5), 2, absl::Seconds(60), 0), 0,
                     Demand(), 0.75),
            seconds(5));
}

TEST(BackoffTest, FullJitterIsNeverZero) {
  EXPECT_EQ(OpenTime(Backoff(absl::Nanoseconds(1), 2, absl::Seconds(60), 1), 0,
                     Demand(), 0.999999),
            nanoseconds(1));
}

// By calls, with nothing random.
OpenOptions Paced(double share) {
  OpenOptions options;
  options.pace_by_calls->probe_share = share;
  options.duration_jitter = 0;
  return options;
}

TEST(PacingTest, FirstTimeIsThatOfOneProbesShareOfTheCalls) {
  EXPECT_EQ(OpenTime(Paced(0.1), 0, {0, 20}, 0), milliseconds(500));
  EXPECT_EQ(OpenTime(Paced(0.01), 0, {0, 20}, 0), seconds(5));
}

TEST(PacingTest, LaterOneIsTwiceTheRootOfTheCallsSoFar) {
  EXPECT_EQ(OpenTime(Paced(0.1), 5, {2'500, 100}, 0), seconds(1));
  EXPECT_EQ(OpenTime(Paced(0.1), 5, {10'000, 100}, 0), seconds(2));
}

TEST(PacingTest, SmallShareHoldsBackLongerThanTheRoot) {
  EXPECT_EQ(OpenTime(Paced(0.002), 5, {2'500, 100}, 0), seconds(5));
}

TEST(PacingTest, NeverShorterThanTheOpenDuration) {
  EXPECT_EQ(OpenTime(Paced(0.1), 0, {0, 1e6}, 0), milliseconds(100));
}

TEST(PacingTest, OpenDurationGrowsBesideIt) {
  OpenOptions options = Paced(0.1);
  options.duration_multiplier = 2;
  EXPECT_EQ(OpenTime(options, 3, {0, 1e6}, 0), milliseconds(800));
}

TEST(PacingTest, NeverLongerThanTheMaximum) {
  EXPECT_EQ(OpenTime(Paced(0.1), 0, {0, 0.001}, 0), seconds(30));
  EXPECT_EQ(OpenTime(Paced(0.1), 0, {0, 0}, 0), seconds(30));
}

TEST(PacingTest, JitterShortensIt) {
  OpenOptions options = Paced(0.1);
  options.duration_jitter = 0.2;
  EXPECT_EQ(OpenTime(options, 0, {0, 20}, 0.5), milliseconds(450));
}

TEST(PacingTest, DemandIsCallsByTime) {
  const Demand demand = Demand::Of(7, 30, seconds(2));
  EXPECT_EQ(demand.calls, 7);
  EXPECT_EQ(demand.per_second, 15);
}

TEST(PacingTest, CallsInNoTimeAreVeryFrequent) {
  const Demand demand = Demand::Of(0, 30, nanoseconds(0));
  EXPECT_EQ(OpenTime(Paced(0.1), 0, demand, 0), milliseconds(100));
}

// Probes and calls refused too long, for outages of any number of calls, next
// to the least that a fixed pace could make of it that knew the number before.
TEST(PacingTest, CostsLittleMoreThanTheBestFixedPaceForAnyOutage) {
  OpenOptions options = Paced(1);
  options.duration = absl::Nanoseconds(1);
  for (const double calls : {1e2, 1e3, 1e4, 1e5, 1e6, 1e7}) {
    double asked = 0;
    double probes = 0;
    double pause = 0;
    while (asked < calls) {
      ++probes;
      pause =
          std::chrono::duration<double>(OpenTime(options, 0, {asked, 1e6}, 0))
              .count() *
          1e6;
      asked += pause;
    }
    EXPECT_LT(probes + pause / 2, 1.6 * std::sqrt(2 * calls)) << calls;
  }
}

TEST(BackoffTest, LongestTimeDoesNotOverflow) {
  const absl::Duration year = absl::Hours(24 * 365);
  EXPECT_EQ(OpenTime(Backoff(year, 1000, year, 0), 1'000'000, Demand(), 0),
            hours(24 * 365));
}

}  // namespace
}  // namespace autobreaker
