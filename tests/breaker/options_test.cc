#include "autobreaker/breaker/options.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr absl::Duration kYear = absl::Hours(24 * 365);

// One field out of range, and what the error says about it.
struct Invalid {
  std::string name;
  std::function<void(BreakerOptions*)> set;
  std::string error;
};

template <typename T, typename V>
Invalid With(std::string name, T BreakerOptions::*field, V value,
             std::string error) {
  return {std::move(name),
          [field, value](BreakerOptions* options) { options->*field = value; },
          std::move(error)};
}

using O = BreakerOptions;

template <typename T>
void AddDouble(std::vector<Invalid>* all, const std::string& field,
               T O::*member, const std::string& range,
               const std::vector<double>& values) {
  for (const double value : values) {
    std::string text = ::testing::PrintToString(value);
    if (value != value) text = "nan";
    all->push_back(With(field + std::to_string(all->size()), member, value,
                        field + " is " + text + ", must be in " + range));
  }
}

template <typename T>
void AddCount(std::vector<Invalid>* all, const std::string& field, T O::*member,
              const std::string& range, const std::vector<int64_t>& values) {
  for (const int64_t value : values) {
    all->push_back(
        With(field + std::to_string(all->size()), member, value,
             field + " is " + std::to_string(value) + ", must be in " + range));
  }
}

template <typename T>
void AddDuration(std::vector<Invalid>* all, const std::string& field,
                 T O::*member, const std::string& range) {
  for (const absl::Duration value :
       {absl::ZeroDuration(), absl::Nanoseconds(1) / 4, -absl::Nanoseconds(1),
        -absl::Seconds(5), kYear + absl::Nanoseconds(1),
        absl::InfiniteDuration(), -absl::InfiniteDuration()}) {
    all->push_back(With(field + std::to_string(all->size()), member, value,
                        field + " is " + absl::FormatDuration(value) +
                            ", must be in " + range));
  }
}

std::vector<Invalid> AllInvalid() {
  std::vector<Invalid> all;
  AddDouble(&all, "failure_rate_threshold", &O::failure_rate_threshold,
            "(0, 1)", {0, 1, -0.5, 1.5, 5, kNan, kInfinity, -kInfinity});
  AddCount(&all, "minimum_calls", &O::minimum_calls, "[1, 1000000000]",
           {0, -1, kLeast, 1'000'000'001, kHuge});
  AddDuration(&all, "window", &O::window, "[1ns, 365 days]");
  for (const int value : {0, -1, 61, std::numeric_limits<int>::max(),
                          std::numeric_limits<int>::min()}) {
    all.push_back(With(
        "window_buckets" + std::to_string(all.size()), &O::window_buckets,
        value,
        "window_buckets is " + std::to_string(value) + ", must be in [1, 60]"));
  }
  AddCount(&all, "consecutive_failures", &O::consecutive_failures,
           "[1, 1000000]", {0, -1, kLeast, 1'000'001, kHuge});
  AddDuration(&all, "open_duration", &O::open_duration, "[1ns, 365 days]");
  AddDouble(&all, "open_duration_multiplier", &O::open_duration_multiplier,
            "[1, 1000]", {0, 0.5, -2, 1001, kNan, kInfinity, -kInfinity});
  AddDuration(&all, "open_duration_max", &O::open_duration_max,
              "[open_duration, 365 days]");
  all.push_back(With("open_duration_max_below_open_duration",
                     &O::open_duration_max, absl::Milliseconds(99),
                     "open_duration_max is 99ms, must be in [open_duration, "));
  AddDouble(&all, "open_duration_jitter", &O::open_duration_jitter, "[0, 1]",
            {-0.1, 1.5, kNan, kInfinity, -kInfinity});
  AddCount(&all, "half_open_max_calls", &O::half_open_max_calls, "[1, 10000]",
           {0, -1, kLeast, 10'001, kHuge});
  AddCount(&all, "half_open_successes_to_close",
           &O::half_open_successes_to_close, "[1, 1000000]",
           {0, -1, kLeast, 1'000'001, kHuge});
  AddDuration(&all, "half_open_lease", &O::half_open_lease, "[1ns, 365 days]");
  return all;
}

class InvalidOptionsTest : public ::testing::TestWithParam<Invalid> {};

TEST_P(InvalidOptionsTest, IsRefusedWithFieldValueAndRange) {
  BreakerOptions options;
  GetParam().set(&options);
  const absl::Status status = options.Validate();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(All, InvalidOptionsTest,
                         ::testing::ValuesIn(AllInvalid()),
                         [](const ::testing::TestParamInfo<Invalid>& info) {
                           return info.param.name;
                         });

std::string ErrorOf(const BreakerOptions& options) {
  return std::string(options.Validate().message());
}

// Slow-call options come in pairs, so their errors are tested as pairs.
TEST(OptionsTest, SlowCallDurationOutOfRangeIsRefused) {
  for (const absl::Duration value :
       {absl::ZeroDuration(), -absl::Seconds(1), absl::InfiniteDuration()}) {
    BreakerOptions options;
    options.slow_call_duration = value;
    options.slow_call_rate_threshold = 0.5;
    EXPECT_EQ(ErrorOf(options), "slow_call_duration is " +
                                    absl::FormatDuration(value) +
                                    ", must be in [1ns, 365 days]");
  }
}

TEST(OptionsTest, SlowCallRateThresholdOutOfRangeIsRefused) {
  for (const double value : {0.0, -0.5, 1.5, kNan, kInfinity, -kInfinity}) {
    BreakerOptions options;
    options.slow_call_duration = absl::Seconds(1);
    options.slow_call_rate_threshold = value;
    EXPECT_THAT(ErrorOf(options), HasSubstr("slow_call_rate_threshold is "));
    EXPECT_THAT(ErrorOf(options), HasSubstr("must be in (0, 1]"));
  }
}

TEST(OptionsTest, SlowCallDurationAloneIsRefused) {
  BreakerOptions options;
  options.slow_call_duration = absl::Seconds(1);
  EXPECT_EQ(ErrorOf(options),
            "slow_call_duration is 1s and slow_call_rate_threshold is not set, "
            "must be set together");
}

TEST(OptionsTest, SlowCallRateThresholdAloneIsRefused) {
  BreakerOptions options;
  options.slow_call_rate_threshold = 0.5;
  EXPECT_EQ(ErrorOf(options),
            "slow_call_duration is not set and slow_call_rate_threshold is "
            "0.5, must be set together");
}

TEST(OptionsTest, EveryFieldOutOfRangeIsNamedAtOnce) {
  BreakerOptions options;
  options.failure_rate_threshold = kNan;
  options.minimum_calls = 0;
  options.window = absl::ZeroDuration();
  options.window_buckets = 0;
  options.consecutive_failures = 0;
  options.slow_call_duration = absl::ZeroDuration();
  options.slow_call_rate_threshold = 2;
  options.open_duration = absl::ZeroDuration();
  options.open_duration_multiplier = 0;
  options.open_duration_max = -absl::Seconds(1);
  options.open_duration_jitter = 2;
  options.half_open_max_calls = 0;
  options.half_open_successes_to_close = 0;
  options.half_open_lease = absl::ZeroDuration();
  const std::string error = ErrorOf(options);
  for (const char* field :
       {"failure_rate_threshold", "minimum_calls", "window", "window_buckets",
        "consecutive_failures", "slow_call_duration",
        "slow_call_rate_threshold", "open_duration", "open_duration_multiplier",
        "open_duration_max", "open_duration_jitter", "half_open_max_calls",
        "half_open_successes_to_close", "half_open_lease"}) {
    EXPECT_THAT(error, HasSubstr(std::string(field) + " is "));
  }
}

TEST(OptionsTest, FieldsInRangeAreNotNamed) {
  BreakerOptions options;
  options.minimum_calls = 0;
  options.half_open_lease = absl::ZeroDuration();
  EXPECT_EQ(ErrorOf(options),
            "minimum_calls is 0, must be in [1, 1000000000]; "
            "half_open_lease is 0, must be in [1ns, 365 days]");
}

TEST(OptionsTest, OpenDurationAboveItsMaximumIsRefused) {
  BreakerOptions options;
  options.open_duration = absl::Seconds(31);
  EXPECT_THAT(ErrorOf(options), HasSubstr("open_duration_max is 30s"));
}

template <typename T, typename V>
Invalid WithTrip(std::string name, T SequentialTrip::*field, V value,
                 std::string error) {
  return {std::move(name),
          [field, value](BreakerOptions* options) {
            (*options->sequential).*field = value;
          },
          std::move(error)};
}

std::vector<Invalid> AllInvalidTrips() {
  using S = SequentialTrip;
  std::vector<Invalid> all;
  for (const double value : {0.0, 1.0, -0.1, 2.0, kNan, kInfinity}) {
    const std::string text = value != value ? "nan" : absl::StrCat(value);
    all.push_back(WithTrip(absl::StrCat("normal", all.size()),
                           &S::normal_failure_rate, value,
                           absl::StrCat("sequential.normal_failure_rate is ",
                                        text, ", must be in (0, 1)")));
    all.push_back(WithTrip(absl::StrCat("broken", all.size()),
                           &S::broken_failure_rate, value,
                           absl::StrCat("sequential.broken_failure_rate is ",
                                        text, ", must be in (0, 1)")));
  }
  for (const double normal : {0.2, 0.3}) {
    all.push_back(WithTrip(
        absl::StrCat("order", all.size()), &S::normal_failure_rate, normal,
        absl::StrCat("sequential.normal_failure_rate is ", normal,
                     ", must be below sequential.broken_failure_rate, which is "
                     "0.2")));
  }
  for (const int64_t value : {int64_t{0}, kLeast, kHuge}) {
    all.push_back(WithTrip(
        absl::StrCat("budget", all.size()), &S::calls_per_false_opening, value,
        absl::StrCat("sequential.calls_per_false_opening is ", value,
                     ", must be in [1, 1000000000000000]")));
  }
  for (const absl::Duration value :
       {-absl::Nanoseconds(1), absl::Hours(1) + absl::Nanoseconds(1),
        absl::InfiniteDuration()}) {
    all.push_back(WithTrip(
        absl::StrCat("burst", all.size()), &S::tolerated_burst, value,
        absl::StrCat("sequential.tolerated_burst is ",
                     absl::FormatDuration(value), ", must be in [0, 1h]")));
  }
  for (const double value : {0.0, -1.0, 1.01, kNan, kInfinity}) {
    const std::string text = value != value ? "nan" : absl::StrCat(value);
    all.push_back({absl::StrCat("share", all.size()),
                   [value](BreakerOptions* options) {
                     options->pace_by_calls->probe_share = value;
                   },
                   absl::StrCat("pace_by_calls.probe_share is ", text,
                                ", must be in (0, 1]")});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Trips, InvalidOptionsTest,
                         ::testing::ValuesIn(AllInvalidTrips()),
                         [](const auto& info) { return info.param.name; });

TEST(OptionsTest, NothingThatOpensIsRefused) {
  BreakerOptions options;
  options.sequential.reset();
  options.half_open_successes_to_close = 1;
  EXPECT_EQ(ErrorOf(options),
            "one of sequential, failure_rate_threshold, consecutive_failures "
            "and slow_call_rate_threshold must be set, or nothing opens the "
            "breaker");
}

TEST(OptionsTest, RampWithoutEvidenceIsRefused) {
  BreakerOptions options;
  options.sequential.reset();
  options.consecutive_failures = 5;
  EXPECT_EQ(ErrorOf(options),
            "half_open_successes_to_close is not set, must be in [1, 1000000] "
            "where sequential is not set");
}

TEST(OptionsTest, DefaultsAreValid) {
  EXPECT_TRUE(BreakerOptions().Validate().ok());
}

TEST(OptionsTest, DefaultsAreTheDocumentedOnes) {
  const BreakerOptions options;
  EXPECT_EQ(options.sequential, SequentialTrip());
  EXPECT_FALSE(options.failure_rate_threshold.has_value());
  EXPECT_EQ(options.minimum_calls, 20);
  EXPECT_EQ(options.window, absl::Seconds(10));
  EXPECT_EQ(options.window_buckets, 10);
  EXPECT_FALSE(options.consecutive_failures.has_value());
  EXPECT_FALSE(options.slow_call_duration.has_value());
  EXPECT_FALSE(options.slow_call_rate_threshold.has_value());
  EXPECT_EQ(options.pace_by_calls, CallPacing());
  EXPECT_EQ(CallPacing().probe_share, 0.1);
  EXPECT_EQ(options.open_duration, absl::Milliseconds(100));
  EXPECT_EQ(options.open_duration_multiplier, 1);
  EXPECT_EQ(options.open_duration_max, absl::Seconds(30));
  EXPECT_EQ(options.open_duration_jitter, 0.2);
  EXPECT_EQ(options.half_open_max_calls, 3);
  EXPECT_FALSE(options.half_open_successes_to_close.has_value());
  EXPECT_EQ(options.half_open_lease, absl::Seconds(60));
}

TEST(OptionsTest, LeastValuesAreValid) {
  BreakerOptions options;
  options.failure_rate_threshold = std::numeric_limits<double>::min();
  options.minimum_calls = 1;
  options.window = absl::Nanoseconds(1);
  options.window_buckets = 1;
  options.consecutive_failures = 1;
  options.slow_call_duration = absl::Nanoseconds(1);
  options.slow_call_rate_threshold = std::numeric_limits<double>::min();
  options.open_duration = absl::Nanoseconds(1);
  options.open_duration_multiplier = 1;
  options.open_duration_max = absl::Nanoseconds(1);
  options.open_duration_jitter = 0;
  options.half_open_max_calls = 1;
  options.half_open_successes_to_close = 1;
  options.half_open_lease = absl::Nanoseconds(1);
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
}

TEST(OptionsTest, GreatestValuesAreValid) {
  BreakerOptions options;
  options.failure_rate_threshold = 1 - std::numeric_limits<double>::epsilon();
  options.minimum_calls = 1'000'000'000;
  options.window = kYear;
  options.window_buckets = 60;
  options.consecutive_failures = 1'000'000;
  options.slow_call_duration = kYear;
  options.slow_call_rate_threshold = 1;
  options.open_duration = kYear;
  options.open_duration_multiplier = 1000;
  options.open_duration_max = kYear;
  options.open_duration_jitter = 1;
  options.half_open_max_calls = 10'000;
  options.half_open_successes_to_close = 1'000'000;
  options.half_open_lease = kYear;
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
}

TEST(OptionsTest, EdgesOfEvidenceAndPacingAreValid) {
  BreakerOptions options;
  options.sequential->normal_failure_rate =
      std::numeric_limits<double>::denorm_min();
  options.sequential->broken_failure_rate =
      1 - std::numeric_limits<double>::epsilon() / 2;
  options.sequential->calls_per_false_opening = 1;
  options.sequential->tolerated_burst = absl::ZeroDuration();
  options.pace_by_calls->probe_share =
      std::numeric_limits<double>::denorm_min();
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
  options.sequential->calls_per_false_opening = 1'000'000'000'000'000;
  options.sequential->tolerated_burst = absl::Hours(1);
  options.pace_by_calls->probe_share = 1;
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
}

TEST(OptionsTest, SlowCallsAreJudgedOnlyWithBothOptions) {
  BreakerOptions options;
  EXPECT_FALSE(options.JudgesSlowCalls());
  options.slow_call_duration = absl::Seconds(1);
  EXPECT_FALSE(options.JudgesSlowCalls());
  options.slow_call_rate_threshold = 0.5;
  EXPECT_TRUE(options.JudgesSlowCalls());
}

TEST(OptionsTest, DefaultsAreEqual) {
  EXPECT_TRUE(BreakerOptions() == BreakerOptions());
  EXPECT_FALSE(BreakerOptions() != BreakerOptions());
}

TEST(OptionsTest, EveryFieldTellsTwoApart) {
  for (const std::vector<Invalid>& all : {AllInvalid(), AllInvalidTrips()}) {
    for (const Invalid& other : all) {
      BreakerOptions options;
      other.set(&options);
      EXPECT_TRUE(options != BreakerOptions()) << other.name;
    }
  }
}

TEST(OptionsTest, SlowCallOptionsTellTwoApart) {
  BreakerOptions options;
  options.slow_call_duration = absl::Seconds(1);
  EXPECT_TRUE(options != BreakerOptions());
  options.slow_call_duration.reset();
  options.slow_call_rate_threshold = 0.5;
  EXPECT_TRUE(options != BreakerOptions());
}

TEST(OptionsTest, ErrorOfDefaultsNamesNothing) {
  EXPECT_THAT(ErrorOf(BreakerOptions()), Not(HasSubstr("must")));
}

}  // namespace
}  // namespace autobreaker
