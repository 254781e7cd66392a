#include "autobreaker/breaker/options.h"

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace autobreaker {
namespace {

// Far above any sensible setting and far below where nanoseconds in 64 bits
// end, so that no sum of times can overflow.
constexpr absl::Duration kLongest = absl::Hours(24 * 365);
constexpr absl::string_view kDurationRange = "[1ns, 365 days]";

std::string Text(absl::Duration value) { return absl::FormatDuration(value); }
std::string Text(double value) { return absl::StrCat(value); }
std::string Text(int64_t value) { return absl::StrCat(value); }
template <typename T>
std::string Text(const std::optional<T>& value) {
  return value.has_value() ? Text(*value) : "not set";
}

// Collects what is wrong with each field.
class Checker {
 public:
  // NaN compares false with everything, so it fails every check below.
  template <typename T>
  void Check(bool ok, absl::string_view field, const T& value,
             absl::string_view range) {
    if (!ok) {
      errors_.push_back(
          absl::StrCat(field, " is ", Text(value), ", must be in ", range));
    }
  }

  void CheckDuration(absl::string_view field, absl::Duration value) {
    Check(value >= absl::Nanoseconds(1) && value <= kLongest, field, value,
          kDurationRange);
  }

  void CheckCount(absl::string_view field, int64_t value, int64_t most) {
    Check(value >= 1 && value <= most, field, value,
          absl::StrCat("[1, ", most, "]"));
  }

  void Fail(std::string error) { errors_.push_back(std::move(error)); }

  absl::Status Result() const {
    if (errors_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(errors_, "; "));
  }

 private:
  std::vector<std::string> errors_;
};

void Check(const SequentialTrip& trip, Checker& c) {
  const double normal = trip.normal_failure_rate;
  const double broken = trip.broken_failure_rate;
  c.Check(normal > 0 && normal < 1, "sequential.normal_failure_rate", normal,
          "(0, 1)");
  c.Check(broken > 0 && broken < 1, "sequential.broken_failure_rate", broken,
          "(0, 1)");
  if (normal >= broken) {
    c.Fail(absl::StrCat("sequential.normal_failure_rate is ", normal,
                        ", must be below sequential.broken_failure_rate, which "
                        "is ",
                        broken));
  }
  c.CheckCount("sequential.calls_per_false_opening",
               trip.calls_per_false_opening, 1'000'000'000'000'000);
  c.Check(trip.tolerated_burst >= absl::ZeroDuration() &&
              trip.tolerated_burst <= absl::Hours(1),
          "sequential.tolerated_burst", trip.tolerated_burst, "[0, 1h]");
}

}  // namespace

absl::Status BreakerOptions::Validate() const {
  Checker c;
  if (sequential.has_value()) Check(*sequential, c);
  if (failure_rate_threshold.has_value()) {
    const double x = *failure_rate_threshold;
    c.Check(x > 0 && x < 1, "failure_rate_threshold", x, "(0, 1)");
  }
  c.CheckCount("minimum_calls", minimum_calls, 1'000'000'000);
  c.CheckDuration("window", window);
  c.CheckCount("window_buckets", window_buckets, 60);
  if (consecutive_failures.has_value()) {
    c.CheckCount("consecutive_failures", *consecutive_failures, 1'000'000);
  }
  if (slow_call_duration.has_value()) {
    c.CheckDuration("slow_call_duration", *slow_call_duration);
  }
  if (slow_call_rate_threshold.has_value()) {
    const double x = *slow_call_rate_threshold;
    c.Check(x > 0 && x <= 1, "slow_call_rate_threshold", x, "(0, 1]");
  }
  if (slow_call_duration.has_value() != slow_call_rate_threshold.has_value()) {
    c.Fail(absl::StrCat("slow_call_duration is ", Text(slow_call_duration),
                        " and slow_call_rate_threshold is ",
                        Text(slow_call_rate_threshold),
                        ", must be set together"));
  }
  if (!sequential.has_value() && !failure_rate_threshold.has_value() &&
      !consecutive_failures.has_value() && !JudgesSlowCalls()) {
    c.Fail(
        "one of sequential, failure_rate_threshold, consecutive_failures and "
        "slow_call_rate_threshold must be set, or nothing opens the breaker");
  }
  if (pace_by_calls.has_value()) {
    const double x = pace_by_calls->probe_share;
    c.Check(x > 0 && x <= 1, "pace_by_calls.probe_share", x, "(0, 1]");
  }
  c.CheckDuration("open_duration", open_duration);
  c.Check(open_duration_multiplier >= 1 && open_duration_multiplier <= 1000,
          "open_duration_multiplier", open_duration_multiplier, "[1, 1000]");
  c.Check(open_duration_max >= open_duration && open_duration_max <= kLongest,
          "open_duration_max", open_duration_max, "[open_duration, 365 days]");
  c.Check(open_duration_jitter >= 0 && open_duration_jitter <= 1,
          "open_duration_jitter", open_duration_jitter, "[0, 1]");
  if (half_open_successes_to_close.has_value()) {
    c.CheckCount("half_open_successes_to_close", *half_open_successes_to_close,
                 1'000'000);
  } else if (!sequential.has_value()) {
    c.Fail(
        "half_open_successes_to_close is not set, must be in [1, 1000000] "
        "where "
        "sequential is not set");
  }
  c.CheckCount("half_open_max_calls", half_open_max_calls, 10'000);
  c.CheckDuration("half_open_lease", half_open_lease);
  return c.Result();
}

bool operator==(const SequentialTrip& a, const SequentialTrip& b) {
  const auto fields = [](const SequentialTrip& t) {
    return std::tie(t.normal_failure_rate, t.broken_failure_rate,
                    t.calls_per_false_opening, t.tolerated_burst);
  };
  return fields(a) == fields(b);
}

bool operator==(const BreakerOptions& a, const BreakerOptions& b) {
  const auto fields = [](const BreakerOptions& o) {
    return std::tie(o.sequential, o.failure_rate_threshold, o.minimum_calls,
                    o.window, o.window_buckets, o.consecutive_failures,
                    o.slow_call_duration, o.slow_call_rate_threshold,
                    o.pace_by_calls, o.open_duration,
                    o.open_duration_multiplier, o.open_duration_max,
                    o.open_duration_jitter, o.half_open_successes_to_close,
                    o.half_open_max_calls, o.half_open_lease);
  };
  return fields(a) == fields(b);
}

}  // namespace autobreaker
