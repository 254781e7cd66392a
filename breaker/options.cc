#include "autobreaker/breaker/options.h"

#include <algorithm>
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

void Check(const EvidenceOptions& evidence, Checker& c) {
  const double normal = evidence.normal_failure_rate;
  const double break_even = evidence.break_even_failure_rate;
  c.Check(normal > 0 && normal < 1, "trip.evidence.normal_failure_rate", normal,
          "(0, 1)");
  c.Check(break_even >= 0.01 && break_even <= 0.99,
          "trip.evidence.break_even_failure_rate", break_even, "[0.01, 0.99]");
  if (normal >= break_even) {
    c.Fail(absl::StrCat("trip.evidence.normal_failure_rate is ", normal,
                        ", must be below "
                        "trip.evidence.break_even_failure_rate, which is ",
                        break_even));
  }
  c.CheckCount("trip.evidence.calls_per_false_opening",
               evidence.calls_per_false_opening, 1'000'000'000'000'000);
  c.Check(evidence.tolerated_burst >= absl::ZeroDuration() &&
              evidence.tolerated_burst <= absl::Hours(1),
          "trip.evidence.tolerated_burst", evidence.tolerated_burst, "[0, 1h]");
}

void Check(const TripOptions& trip, Checker& c) {
  if (trip.evidence.has_value()) Check(*trip.evidence, c);
  if (trip.failure_rate_threshold.has_value()) {
    const double x = *trip.failure_rate_threshold;
    c.Check(x > 0 && x < 1, "trip.failure_rate_threshold", x, "(0, 1)");
  }
  c.CheckCount("trip.minimum_calls", trip.minimum_calls, 1'000'000'000);
  c.CheckDuration("trip.window", trip.window);
  c.CheckCount("trip.window_buckets", trip.window_buckets, 60);
  if (trip.consecutive_failures.has_value()) {
    c.CheckCount("trip.consecutive_failures", *trip.consecutive_failures,
                 1'000'000);
  }
  if (trip.slow_call_duration.has_value()) {
    c.CheckDuration("trip.slow_call_duration", *trip.slow_call_duration);
  }
  if (trip.slow_call_rate_threshold.has_value()) {
    const double x = *trip.slow_call_rate_threshold;
    c.Check(x > 0 && x <= 1, "trip.slow_call_rate_threshold", x, "(0, 1]");
  }
  if (trip.slow_call_duration.has_value() !=
      trip.slow_call_rate_threshold.has_value()) {
    c.Fail(absl::StrCat(
        "trip.slow_call_duration is ", Text(trip.slow_call_duration),
        " and trip.slow_call_rate_threshold is ",
        Text(trip.slow_call_rate_threshold), ", must be set together"));
  }
  if (!trip.evidence.has_value() && !trip.failure_rate_threshold.has_value() &&
      !trip.consecutive_failures.has_value() && !trip.JudgesSlowCalls()) {
    c.Fail(
        "one of trip.evidence, trip.failure_rate_threshold, "
        "trip.consecutive_failures and trip.slow_call_rate_threshold must be "
        "set, or nothing opens the breaker");
  }
}

void Check(const OpenOptions& open, Checker& c) {
  if (open.pace_by_calls.has_value()) {
    const double x = open.pace_by_calls->probe_share;
    c.Check(x > 0 && x <= 1, "open.pace_by_calls.probe_share", x, "(0, 1]");
  }
  c.CheckDuration("open.duration", open.duration);
  c.Check(open.duration_multiplier >= 1 && open.duration_multiplier <= 1000,
          "open.duration_multiplier", open.duration_multiplier, "[1, 1000]");
  c.Check(open.duration_max >= open.duration && open.duration_max <= kLongest,
          "open.duration_max", open.duration_max, "[open.duration, 365 days]");
  c.Check(open.duration_jitter >= 0 && open.duration_jitter <= 1,
          "open.duration_jitter", open.duration_jitter, "[0, 1]");
}

void Check(const HalfOpenOptions& half_open, bool has_evidence, Checker& c) {
  if (half_open.successes_to_close.has_value()) {
    c.CheckCount("half_open.successes_to_close", *half_open.successes_to_close,
                 1'000'000);
  } else if (!has_evidence) {
    c.Fail(
        "half_open.successes_to_close is not set, must be in [1, 1000000] "
        "where trip.evidence is not set");
  }
  c.CheckCount("half_open.max_calls", half_open.max_calls, 10'000);
  c.CheckDuration("half_open.lease", half_open.lease);
}

}  // namespace

BreakerOptions BreakerOptions::Percentage(double rate, int64_t minimum_calls,
                                          absl::Duration window,
                                          absl::Duration open_for) {
  BreakerOptions options;
  options.trip.evidence.reset();
  options.trip.failure_rate_threshold = rate;
  options.trip.minimum_calls = minimum_calls;
  options.trip.window = window;
  options.open.pace_by_calls.reset();
  options.open.duration = open_for;
  options.open.duration_max = std::max(open_for, options.open.duration_max);
  options.open.duration_jitter = 0;
  options.half_open.successes_to_close = 1;
  options.half_open.max_calls = 1;
  return options;
}

absl::Status BreakerOptions::Validate() const {
  Checker c;
  Check(trip, c);
  Check(open, c);
  Check(half_open, trip.evidence.has_value(), c);
  if (max_calls_in_flight.has_value()) {
    c.CheckCount("max_calls_in_flight", *max_calls_in_flight, 1'000'000'000);
  }
  return c.Result();
}

bool operator==(const EvidenceOptions& a, const EvidenceOptions& b) {
  const auto fields = [](const EvidenceOptions& o) {
    return std::tie(o.normal_failure_rate, o.break_even_failure_rate,
                    o.calls_per_false_opening, o.tolerated_burst);
  };
  return fields(a) == fields(b);
}

bool operator==(const TripOptions& a, const TripOptions& b) {
  const auto fields = [](const TripOptions& o) {
    return std::tie(o.evidence, o.failure_rate_threshold, o.minimum_calls,
                    o.window, o.window_buckets, o.consecutive_failures,
                    o.slow_call_duration, o.slow_call_rate_threshold);
  };
  return fields(a) == fields(b);
}

bool operator==(const OpenOptions& a, const OpenOptions& b) {
  const auto fields = [](const OpenOptions& o) {
    return std::tie(o.pace_by_calls, o.duration, o.duration_multiplier,
                    o.duration_max, o.duration_jitter);
  };
  return fields(a) == fields(b);
}

bool operator==(const HalfOpenOptions& a, const HalfOpenOptions& b) {
  const auto fields = [](const HalfOpenOptions& o) {
    return std::tie(o.successes_to_close, o.max_calls, o.lease);
  };
  return fields(a) == fields(b);
}

}  // namespace autobreaker
