#include "autobreaker/breaker/options.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
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

using O = BreakerOptions;

// A field of a group, by the path that errors name it by.
template <typename G, typename T>
struct Field {
  std::string path;
  G O::*group;
  T G::*member;
};
template <typename G, typename T>
Field(const char*, G O::*, T G::*) -> Field<G, T>;

// A name for the test of one value: dots are not allowed in it.
std::string TestName(std::string path, size_t number) {
  std::replace(path.begin(), path.end(), '.', '_');
  return path + std::to_string(number);
}

template <typename F, typename V>
void Add(std::vector<Invalid>* all, const F& field, V value,
         const std::string& text, const std::string& range) {
  all->push_back({TestName(field.path, all->size()),
                  [field, value](O* options) {
                    options->*field.group.*field.member = value;
                  },
                  field.path + " is " + text + ", must be in " + range});
}

template <typename F>
void AddDouble(std::vector<Invalid>* all, const F& field,
               const std::string& range, const std::vector<double>& values) {
  for (const double value : values) {
    Add(all, field, value,
        value == value ? ::testing::PrintToString(value) : "nan", range);
  }
}

template <typename F>
void AddCount(std::vector<Invalid>* all, const F& field,
              const std::string& range, const std::vector<int64_t>& values) {
  for (const int64_t value : values) {
    Add(all, field, value, std::to_string(value), range);
  }
}

template <typename F>
void AddDuration(std::vector<Invalid>* all, const F& field,
                 const std::string& range) {
  for (const absl::Duration value :
       {absl::ZeroDuration(), absl::Nanoseconds(1) / 4, -absl::Nanoseconds(1),
        -absl::Seconds(5), kYear + absl::Nanoseconds(1),
        absl::InfiniteDuration(), -absl::InfiniteDuration()}) {
    Add(all, field, value, absl::FormatDuration(value), range);
  }
}

std::vector<Invalid> AllInvalid() {
  std::vector<Invalid> all;
  AddDouble(&all,
            Field{"trip.failure_rate_threshold", &O::trip,
                  &TripOptions::failure_rate_threshold},
            "(0, 1)", {0, 1, -0.5, 1.5, 5, kNan, kInfinity, -kInfinity});
  AddCount(&all,
           Field{"trip.minimum_calls", &O::trip, &TripOptions::minimum_calls},
           "[1, 1000000000]", {0, -1, kLeast, 1'000'000'001, kHuge});
  AddDuration(&all, Field{"trip.window", &O::trip, &TripOptions::window},
              "[1ns, 365 days]");
  for (const int value : {0, -1, 61, std::numeric_limits<int>::max(),
                          std::numeric_limits<int>::min()}) {
    Add(&all,
        Field{"trip.window_buckets", &O::trip, &TripOptions::window_buckets},
        value, std::to_string(value), "[1, 60]");
  }
  AddCount(&all,
           Field{"trip.consecutive_failures", &O::trip,
                 &TripOptions::consecutive_failures},
           "[1, 1000000]", {0, -1, kLeast, 1'000'001, kHuge});
  AddDuration(&all, Field{"open.duration", &O::open, &OpenOptions::duration},
              "[1ns, 365 days]");
  AddDouble(&all,
            Field{"open.duration_multiplier", &O::open,
                  &OpenOptions::duration_multiplier},
            "[1, 1000]", {0, 0.5, -2, 1001, kNan, kInfinity, -kInfinity});
  const Field duration_max{"open.duration_max", &O::open,
                           &OpenOptions::duration_max};
  AddDuration(&all, duration_max, "[open.duration, 365 days]");
  Add(&all, duration_max, absl::Milliseconds(99), "99ms",
      "[open.duration, 365 days]");
  AddDouble(
      &all,
      Field{"open.duration_jitter", &O::open, &OpenOptions::duration_jitter},
      "[0, 1]", {-0.1, 1.5, kNan, kInfinity, -kInfinity});
  AddCount(
      &all,
      Field{"half_open.max_calls", &O::half_open, &HalfOpenOptions::max_calls},
      "[1, 10000]", {0, -1, kLeast, 10'001, kHuge});
  AddCount(&all,
           Field{"half_open.successes_to_close", &O::half_open,
                 &HalfOpenOptions::successes_to_close},
           "[1, 1000000]", {0, -1, kLeast, 1'000'001, kHuge});
  AddDuration(&all,
              Field{"half_open.lease", &O::half_open, &HalfOpenOptions::lease},
              "[1ns, 365 days]");
  for (const int64_t value :
       {int64_t{0}, int64_t{-1}, kLeast, int64_t{1'000'000'001}, kHuge}) {
    all.push_back(
        {TestName("max_calls_in_flight", all.size()),
         [value](O* options) { options->max_calls_in_flight = value; },
         "max_calls_in_flight is " + std::to_string(value) +
             ", must be in [1, 1000000000]"});
  }
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
    options.trip.slow_call_duration = value;
    options.trip.slow_call_rate_threshold = 0.5;
    EXPECT_EQ(ErrorOf(options), "trip.slow_call_duration is " +
                                    absl::FormatDuration(value) +
                                    ", must be in [1ns, 365 days]");
  }
}

TEST(OptionsTest, SlowCallRateThresholdOutOfRangeIsRefused) {
  for (const double value : {0.0, -0.5, 1.5, kNan, kInfinity, -kInfinity}) {
    BreakerOptions options;
    options.trip.slow_call_duration = absl::Seconds(1);
    options.trip.slow_call_rate_threshold = value;
    EXPECT_THAT(ErrorOf(options),
                HasSubstr("trip.slow_call_rate_threshold is "));
    EXPECT_THAT(ErrorOf(options), HasSubstr("must be in (0, 1]"));
  }
}

TEST(OptionsTest, SlowCallDurationAloneIsRefused) {
  BreakerOptions options;
  options.trip.slow_call_duration = absl::Seconds(1);
  EXPECT_EQ(ErrorOf(options),
            "trip.slow_call_duration is 1s and trip.slow_call_rate_threshold "
            "is not set, "
            "must be set together");
}

TEST(OptionsTest, SlowCallRateThresholdAloneIsRefused) {
  BreakerOptions options;
  options.trip.slow_call_rate_threshold = 0.5;
  EXPECT_EQ(
      ErrorOf(options),
      "trip.slow_call_duration is not set and trip.slow_call_rate_threshold is "
      "0.5, must be set together");
}

TEST(OptionsTest, EveryFieldOutOfRangeIsNamedAtOnce) {
  BreakerOptions options;
  options.trip.failure_rate_threshold = kNan;
  options.trip.minimum_calls = 0;
  options.trip.window = absl::ZeroDuration();
  options.trip.window_buckets = 0;
  options.trip.consecutive_failures = 0;
  options.trip.slow_call_duration = absl::ZeroDuration();
  options.trip.slow_call_rate_threshold = 2;
  options.open.duration = absl::ZeroDuration();
  options.open.duration_multiplier = 0;
  options.open.duration_max = -absl::Seconds(1);
  options.open.duration_jitter = 2;
  options.half_open.max_calls = 0;
  options.half_open.successes_to_close = 0;
  options.half_open.lease = absl::ZeroDuration();
  options.max_calls_in_flight = 0;
  const std::string error = ErrorOf(options);
  for (const char* field :
       {"trip.failure_rate_threshold", "trip.minimum_calls", "trip.window",
        "trip.window_buckets", "trip.consecutive_failures",
        "trip.slow_call_duration", "trip.slow_call_rate_threshold",
        "open.duration", "open.duration_multiplier", "open.duration_max",
        "open.duration_jitter", "half_open.max_calls",
        "half_open.successes_to_close", "half_open.lease",
        "max_calls_in_flight"}) {
    EXPECT_THAT(error, HasSubstr(std::string(field) + " is "));
  }
}

TEST(OptionsTest, FieldsInRangeAreNotNamed) {
  BreakerOptions options;
  options.trip.minimum_calls = 0;
  options.half_open.lease = absl::ZeroDuration();
  EXPECT_EQ(ErrorOf(options),
            "trip.minimum_calls is 0, must be in [1, 1000000000]; "
            "half_open.lease is 0, must be in [1ns, 365 days]");
}

TEST(OptionsTest, OpenDurationAboveItsMaximumIsRefused) {
  BreakerOptions options;
  options.open.duration = absl::Seconds(31);
  EXPECT_THAT(ErrorOf(options), HasSubstr("open.duration_max is 30s"));
}

template <typename T, typename V>
Invalid WithTrip(std::string name, T EvidenceOptions::*field, V value,
                 std::string error) {
  return {std::move(name),
          [field, value](BreakerOptions* options) {
            (*options->trip.evidence).*field = value;
          },
          std::move(error)};
}

std::vector<Invalid> AllInvalidTrips() {
  using S = EvidenceOptions;
  std::vector<Invalid> all;
  for (const double value : {0.0, 1.0, -0.1, 2.0, kNan, kInfinity}) {
    const std::string text = value != value ? "nan" : absl::StrCat(value);
    all.push_back(WithTrip(absl::StrCat("normal", all.size()),
                           &S::normal_failure_rate, value,
                           absl::StrCat("trip.evidence.normal_failure_rate is ",
                                        text, ", must be in (0, 1)")));
  }
  for (const double value :
       {0.0, 0.00999, 0.9901, 1.0, -0.5, kNan, kInfinity}) {
    const std::string text = value != value ? "nan" : absl::StrCat(value);
    all.push_back(
        WithTrip(absl::StrCat("break_even", all.size()),
                 &S::break_even_failure_rate, value,
                 absl::StrCat("trip.evidence.break_even_failure_rate is ", text,
                              ", must be in [0.01, 0.99]")));
  }
  for (const double normal : {0.5, 0.6}) {
    all.push_back(WithTrip(
        absl::StrCat("order", all.size()), &S::normal_failure_rate, normal,
        absl::StrCat(
            "trip.evidence.normal_failure_rate is ", normal,
            ", must be below trip.evidence.break_even_failure_rate, which is "
            "0.5")));
  }
  for (const int64_t value : {int64_t{0}, kLeast, kHuge}) {
    all.push_back(WithTrip(
        absl::StrCat("budget", all.size()), &S::calls_per_false_opening, value,
        absl::StrCat("trip.evidence.calls_per_false_opening is ", value,
                     ", must be in [1, 1000000000000000]")));
  }
  for (const absl::Duration value :
       {-absl::Nanoseconds(1), absl::Hours(1) + absl::Nanoseconds(1),
        absl::InfiniteDuration()}) {
    all.push_back(WithTrip(
        absl::StrCat("burst", all.size()), &S::tolerated_burst, value,
        absl::StrCat("trip.evidence.tolerated_burst is ",
                     absl::FormatDuration(value), ", must be in [0, 1h]")));
  }
  for (const double value : {0.0, -1.0, 1.01, kNan, kInfinity}) {
    const std::string text = value != value ? "nan" : absl::StrCat(value);
    all.push_back({absl::StrCat("share", all.size()),
                   [value](BreakerOptions* options) {
                     options->open.pace_by_calls->probe_share = value;
                   },
                   absl::StrCat("open.pace_by_calls.probe_share is ", text,
                                ", must be in (0, 1]")});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Trips, InvalidOptionsTest,
                         ::testing::ValuesIn(AllInvalidTrips()),
                         [](const auto& info) { return info.param.name; });

TEST(OptionsTest, NothingThatOpensIsRefused) {
  BreakerOptions options;
  options.trip.evidence.reset();
  options.half_open.successes_to_close = 1;
  EXPECT_EQ(
      ErrorOf(options),
      "one of trip.evidence, trip.failure_rate_threshold, "
      "trip.consecutive_failures "
      "and trip.slow_call_rate_threshold must be set, or nothing opens the "
      "breaker");
}

TEST(OptionsTest, RampWithoutEvidenceIsRefused) {
  BreakerOptions options;
  options.trip.evidence.reset();
  options.trip.consecutive_failures = 5;
  EXPECT_EQ(ErrorOf(options),
            "half_open.successes_to_close is not set, must be in [1, 1000000] "
            "where trip.evidence is not set");
}

TEST(OptionsTest, DefaultsAreValid) {
  EXPECT_TRUE(BreakerOptions().Validate().ok());
}

TEST(OptionsTest, DefaultsAreTheDocumentedOnes) {
  const BreakerOptions options;
  EXPECT_EQ(options.trip.evidence, EvidenceOptions());
  EXPECT_FALSE(options.trip.failure_rate_threshold.has_value());
  EXPECT_EQ(options.trip.minimum_calls, 20);
  EXPECT_EQ(options.trip.window, absl::Seconds(10));
  EXPECT_EQ(options.trip.window_buckets, 10);
  EXPECT_FALSE(options.trip.consecutive_failures.has_value());
  EXPECT_FALSE(options.trip.slow_call_duration.has_value());
  EXPECT_FALSE(options.trip.slow_call_rate_threshold.has_value());
  EXPECT_EQ(options.open.pace_by_calls, CallPacing());
  EXPECT_EQ(CallPacing().probe_share, 0.1);
  EXPECT_EQ(options.open.duration, absl::Milliseconds(100));
  EXPECT_EQ(options.open.duration_multiplier, 1);
  EXPECT_EQ(options.open.duration_max, absl::Seconds(30));
  EXPECT_EQ(options.open.duration_jitter, 0.2);
  EXPECT_EQ(options.half_open.max_calls, 3);
  EXPECT_FALSE(options.half_open.successes_to_close.has_value());
  EXPECT_EQ(options.half_open.lease, absl::Seconds(60));
  EXPECT_FALSE(options.max_calls_in_flight.has_value());
}

TEST(OptionsTest, PercentageIsTheBreakerOfThreeNumbers) {
  const BreakerOptions options = BreakerOptions::Percentage(
      0.05, 20, absl::Seconds(60), absl::Seconds(45));
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
  EXPECT_EQ(options.trip.failure_rate_threshold, 0.05);
  EXPECT_EQ(options.trip.minimum_calls, 20);
  EXPECT_EQ(options.trip.window, absl::Seconds(60));
  EXPECT_EQ(options.open.duration, absl::Seconds(45));
  EXPECT_EQ(options.open.duration_jitter, 0);
  EXPECT_EQ(options.half_open.successes_to_close, 1);
  EXPECT_FALSE(options.trip.evidence.has_value());
  EXPECT_FALSE(options.open.pace_by_calls.has_value());
}

TEST(OptionsTest, PercentageDoesNotHideWhatIsOutOfRange) {
  EXPECT_THAT(ErrorOf(BreakerOptions::Percentage(5, 20, absl::Seconds(60),
                                                 absl::Seconds(45))),
              HasSubstr("trip.failure_rate_threshold is 5"));
}

TEST(OptionsTest, LeastValuesAreValid) {
  BreakerOptions options;
  options.trip.failure_rate_threshold = std::numeric_limits<double>::min();
  options.trip.minimum_calls = 1;
  options.trip.window = absl::Nanoseconds(1);
  options.trip.window_buckets = 1;
  options.trip.consecutive_failures = 1;
  options.trip.slow_call_duration = absl::Nanoseconds(1);
  options.trip.slow_call_rate_threshold = std::numeric_limits<double>::min();
  options.open.duration = absl::Nanoseconds(1);
  options.open.duration_multiplier = 1;
  options.open.duration_max = absl::Nanoseconds(1);
  options.open.duration_jitter = 0;
  options.half_open.max_calls = 1;
  options.half_open.successes_to_close = 1;
  options.half_open.lease = absl::Nanoseconds(1);
  options.max_calls_in_flight = 1;
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
}

TEST(OptionsTest, GreatestValuesAreValid) {
  BreakerOptions options;
  options.trip.failure_rate_threshold =
      1 - std::numeric_limits<double>::epsilon();
  options.trip.minimum_calls = 1'000'000'000;
  options.trip.window = kYear;
  options.trip.window_buckets = 60;
  options.trip.consecutive_failures = 1'000'000;
  options.trip.slow_call_duration = kYear;
  options.trip.slow_call_rate_threshold = 1;
  options.open.duration = kYear;
  options.open.duration_multiplier = 1000;
  options.open.duration_max = kYear;
  options.open.duration_jitter = 1;
  options.half_open.max_calls = 10'000;
  options.half_open.successes_to_close = 1'000'000;
  options.half_open.lease = kYear;
  options.max_calls_in_flight = 1'000'000'000;
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
}

TEST(OptionsTest, EdgesOfEvidenceAndPacingAreValid) {
  BreakerOptions options;
  options.trip.evidence->normal_failure_rate =
      std::numeric_limits<double>::denorm_min();
  options.trip.evidence->break_even_failure_rate = 0.99;
  options.trip.evidence->calls_per_false_opening = 1;
  options.trip.evidence->tolerated_burst = absl::ZeroDuration();
  options.open.pace_by_calls->probe_share =
      std::numeric_limits<double>::denorm_min();
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
  options.trip.evidence->break_even_failure_rate = 0.01;
  options.trip.evidence->calls_per_false_opening = 1'000'000'000'000'000;
  options.trip.evidence->tolerated_burst = absl::Hours(1);
  options.open.pace_by_calls->probe_share = 1;
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
}

TEST(OptionsTest, SlowCallsAreJudgedOnlyWithBothOptions) {
  BreakerOptions options;
  EXPECT_FALSE(options.trip.JudgesSlowCalls());
  options.trip.slow_call_duration = absl::Seconds(1);
  EXPECT_FALSE(options.trip.JudgesSlowCalls());
  options.trip.slow_call_rate_threshold = 0.5;
  EXPECT_TRUE(options.trip.JudgesSlowCalls());
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
  options.trip.slow_call_duration = absl::Seconds(1);
  EXPECT_TRUE(options != BreakerOptions());
  options.trip.slow_call_duration.reset();
  options.trip.slow_call_rate_threshold = 0.5;
  EXPECT_TRUE(options != BreakerOptions());
}

TEST(OptionsTest, ErrorOfDefaultsNamesNothing) {
  EXPECT_THAT(ErrorOf(BreakerOptions()), Not(HasSubstr("must")));
}

}  // namespace
}  // namespace autobreaker
