#include "autobreaker/breaker/internal/backoff.h"

#include <chrono>
#include <cmath>
#include <cstdint>

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

// 5 s, twice as long with each reopening, up to 60 s; by time only.
OpenOptions ByTime() {
  OpenOptions options = RateOptions().open;
  options.duration_jitter = 0;
  return options;
}

// By calls, with nothing random.
OpenOptions Paced(double share) {
  OpenOptions options;
  options.pace_by_calls->probe_share = share;
  options.duration_jitter = 0;
  return options;
}

MonotonicTime::duration Shortest(const OpenOptions& options, int64_t reopenings,
                                 double random = 0) {
  return OpenTime::Of(options, reopenings, /*asked=*/0, random).shortest;
}
uint64_t Calls(const OpenOptions& options, uint64_t asked, double random = 0) {
  return OpenTime::Of(options, /*reopenings=*/0, asked, random).calls;
}

// ---------------------------------------------------------------- By time

TEST(BackoffTest, FirstTimeIsTheOpenDuration) {
  EXPECT_EQ(Shortest(ByTime(), 0), seconds(5));
}

TEST(BackoffTest, EveryReopeningMultiplies) {
  EXPECT_EQ(Shortest(ByTime(), 1), seconds(10));
  EXPECT_EQ(Shortest(ByTime(), 2), seconds(20));
  EXPECT_EQ(Shortest(ByTime(), 3), seconds(40));
}

TEST(BackoffTest, StopsAtTheMaximum) {
  EXPECT_EQ(Shortest(ByTime(), 4), seconds(60));
}

TEST(BackoffTest, StaysAtTheMaximumHoweverManyReopenings) {
  EXPECT_EQ(Shortest(ByTime(), 1'000'000'000'000), seconds(60));
}

TEST(BackoffTest, MultiplierOfOneNeverGrows) {
  OpenOptions options = ByTime();
  options.duration_multiplier = 1;
  EXPECT_EQ(Shortest(options, 1'000'000), seconds(5));
}

TEST(BackoffTest, FractionsMultiplyToo) {
  OpenOptions options = ByTime();
  options.duration_multiplier = 1.5;
  options.duration = absl::Seconds(4);
  EXPECT_EQ(Shortest(options, 2), seconds(9));
}

TEST(BackoffTest, LongestIsTheMaximumFromTheFirstTimeOn) {
  for (const int64_t reopenings : {0, 1, 100}) {
    EXPECT_EQ(OpenTime::Of(ByTime(), reopenings, 0, 0).longest, seconds(60));
  }
}

TEST(BackoffTest, WithoutPacingNoCallsCount) {
  EXPECT_EQ(Calls(ByTime(), 0), 0);
  EXPECT_EQ(Calls(ByTime(), 1'000'000), 0);
}

TEST(BackoffTest, LongestTimeDoesNotOverflow) {
  OpenOptions options = ByTime();
  options.duration = options.duration_max = absl::Hours(24 * 365);
  options.duration_multiplier = 1000;
  EXPECT_EQ(Shortest(options, 1'000'000), hours(24 * 365));
}

// --------------------------------------------------------------- By calls

TEST(PacingTest, FirstTimeIsThatOfOneProbesShareOfTheCalls) {
  EXPECT_EQ(Calls(Paced(0.1), 0), 10);
  EXPECT_EQ(Calls(Paced(0.01), 0), 100);
  EXPECT_EQ(Calls(Paced(1), 0), 1);
}

TEST(PacingTest, LaterOneIsTwiceTheRootOfTheCallsSoFar) {
  EXPECT_EQ(Calls(Paced(0.1), 2'500), 100);
  EXPECT_EQ(Calls(Paced(0.1), 10'000), 200);
}

TEST(PacingTest, SmallShareHoldsBackLongerThanTheRoot) {
  EXPECT_EQ(Calls(Paced(0.002), 2'500), 500);
}

TEST(PacingTest, ReopeningsDoNotMultiplyTheCalls) {
  OpenOptions options = Paced(0.1);
  options.duration_multiplier = 2;
  EXPECT_EQ(OpenTime::Of(options, /*reopenings=*/5, 0, 0).calls, 10);
}

TEST(PacingTest, CallsLeaveTheTimesAlone) {
  const OpenTime paced = OpenTime::Of(Paced(0.001), 0, 1'000'000, 0);
  EXPECT_EQ(paced.shortest, milliseconds(100));
  EXPECT_EQ(paced.longest, seconds(30));
}

TEST(PacingTest, SmallestShareDoesNotOverflow) {
  EXPECT_GE(Calls(Paced(1e-300), 0), uint64_t{1'000'000'000'000'000'000});
}

// ----------------------------------------------------------------- Jitter

TEST(JitterTest, ShortensAllThreeByItsRandomShare) {
  OpenOptions options = Paced(0.01);
  options.duration_jitter = 0.2;
  const OpenTime time = OpenTime::Of(options, 0, 0, /*random=*/0.5);
  EXPECT_EQ(time.shortest, milliseconds(90));
  EXPECT_EQ(time.longest, seconds(27));
  EXPECT_EQ(time.calls, 90);
}

TEST(JitterTest, NeverShortensMoreThanItsShare) {
  OpenOptions options = ByTime();
  options.duration_jitter = 0.2;
  const nanoseconds shortest = Shortest(options, 0, 0.999999);
  EXPECT_GT(shortest, seconds(4));
  EXPECT_LT(shortest, milliseconds(4001));
}

TEST(JitterTest, OfNothingIgnoresTheRandomNumber) {
  EXPECT_EQ(Shortest(ByTime(), 0, 0.75), seconds(5));
  EXPECT_EQ(Calls(Paced(0.1), 0, 0.75), 10);
}

TEST(JitterTest, FullOneLeavesAtLeastANanosecondAndACall) {
  OpenOptions options = Paced(0.1);
  options.duration = options.duration_max = absl::Nanoseconds(1);
  options.duration_jitter = 1;
  const OpenTime time = OpenTime::Of(options, 0, 0, 0.999999);
  EXPECT_EQ(time.shortest, nanoseconds(1));
  EXPECT_EQ(time.longest, nanoseconds(1));
  EXPECT_EQ(time.calls, 1);
}

// ---------------------------------------------------------------- Promises

TEST(PacingTest, ProbeOfNumberKGoesOutAfterAboutKTimesKCalls) {
  const OpenOptions options = Paced(1);
  uint64_t asked = 0;
  for (int k = 1; k <= 1000; ++k) {
    asked += Calls(options, asked);
    EXPECT_LE(static_cast<double>(asked), k * k) << k;
    EXPECT_GE(static_cast<double>(asked), k * k - k * std::log(k) - 1) << k;
  }
}

// Probes and calls refused too long, for outages of any number of calls, next
// to the least that a fixed pace could make of it that knew the number before.
TEST(PacingTest, CostsLittleMoreThanTheBestFixedPaceForAnyOutage) {
  const OpenOptions options = Paced(1);
  for (const double calls : {1e2, 1e3, 1e4, 1e5, 1e6, 1e7}) {
    uint64_t asked = 0;
    double probes = 0;
    double pause = 0;
    while (static_cast<double>(asked) < calls) {
      ++probes;
      const uint64_t next = Calls(options, asked);
      pause = static_cast<double>(next);
      asked += next;
    }
    EXPECT_LT(probes + pause / 2, 1.6 * std::sqrt(2 * calls)) << calls;
  }
}

}  // namespace
}  // namespace autobreaker
