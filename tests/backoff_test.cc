#include "breaker/backoff.h"

#include <chrono>

#include "absl/time/time.h"
#include "breaker/options.h"
#include "gtest/gtest.h"
#include "tests/rate_options.h"

namespace autobreaker {
namespace {

using ::std::chrono::hours;
using ::std::chrono::milliseconds;
using ::std::chrono::nanoseconds;
using ::std::chrono::seconds;

BreakerOptions Backoff(absl::Duration first, double multiplier,
                       absl::Duration most, double jitter) {
  BreakerOptions options = RateOptions();
  options.open_duration = first;
  options.open_duration_multiplier = multiplier;
  options.open_duration_max = most;
  options.open_duration_jitter = jitter;
  return options;
}

TEST(BackoffTest, FirstTimeIsTheOpenDuration) {
  EXPECT_EQ(OpenTime(RateOptions(), 0, Demand(), 0), seconds(5));
}

TEST(BackoffTest, EveryReopeningMultiplies) {
  const BreakerOptions options = RateOptions();
  EXPECT_EQ(OpenTime(options, 1, Demand(), 0), seconds(10));
  EXPECT_EQ(OpenTime(options, 2, Demand(), 0), seconds(20));
  EXPECT_EQ(OpenTime(options, 3, Demand(), 0), seconds(40));
}

TEST(BackoffTest, StopsAtTheMaximum) {
  EXPECT_EQ(OpenTime(RateOptions(), 4, Demand(), 0), seconds(60));
}

TEST(BackoffTest, StaysAtTheMaximumHoweverManyReopenings) {
  EXPECT_EQ(OpenTime(RateOptions(), 1'000'000'000'000, Demand(), 0),
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
  EXPECT_EQ(OpenTime(RateOptions(), 0, Demand(), 0.5), milliseconds(4500));
}

TEST(BackoffTest, JitterNeverShortensMoreThanItsShare) {
  const nanoseconds shortest = OpenTime(RateOptions(), 0, Demand(), 0.999999);
  EXPECT_GT(shortest, seconds(4));
  EXPECT_LT(shortest, milliseconds(4001));
}

TEST(BackoffTest, JitterShortensTheMaximum) {
  EXPECT_EQ(OpenTime(RateOptions(), 100, Demand(), 0.5), seconds(54));
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

TEST(BackoffTest, LongestTimeDoesNotOverflow) {
  const absl::Duration year = absl::Hours(24 * 365);
  EXPECT_EQ(OpenTime(Backoff(year, 1000, year, 0), 1'000'000, Demand(), 0),
            hours(24 * 365));
}

}  // namespace
}  // namespace autobreaker
