// The settings of one circuit breaker.
//
//   autobreaker::BreakerOptions options;
//   options.failure_rate_threshold = 0.2;
//   absl::Status status = options.Validate();
//
// A plain value. Options are checked as a whole where a breaker takes them, at
// creation and at update, and never repaired.
#ifndef AUTOBREAKER_BREAKER_OPTIONS_H_
#define AUTOBREAKER_BREAKER_OPTIONS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace autobreaker {

struct BreakerOptions {
  // Opens when more than this share of the finished calls in the window
  // failed. 0 < x < 1.
  double failure_rate_threshold = 0.05;

  // Finished calls the window must hold before a rate is judged at all.
  // 1 to 1,000,000,000.
  int64_t minimum_calls = 20;

  // How far back rates look, and in how many steps calls leave the window
  // again. Rates cover at least `window` and at most one step more, so that no
  // burst of failures is cut in two. 1 ns to 365 days; 1 to 60.
  absl::Duration window = absl::Seconds(10);
  int window_buckets = 10;

  // Opens after this many failures with no success between them, whatever the
  // rate. 1 to 1,000,000; off when not set.
  std::optional<int64_t> consecutive_failures;

  // A finished call is slow when it took this long or longer; opens when at
  // least this share of the finished calls in the window was slow. Slow calls
  // are neither measured nor judged unless both are set.
  // 1 ns to 365 days; 0 < x <= 1.
  std::optional<absl::Duration> slow_call_duration;
  std::optional<double> slow_call_rate_threshold;

  // How long the breaker stays open the first time, and by what it is
  // multiplied each time the probes fail, up to a maximum; each time is
  // shortened by a random share of up to `open_duration_jitter`, so that many
  // clients do not come back at the same moment. Closing starts over.
  // 1 ns to 365 days; 1 to 1,000; open_duration to 365 days; 0 to 1.
  absl::Duration open_duration = absl::Seconds(5);
  double open_duration_multiplier = 2;
  absl::Duration open_duration_max = absl::Seconds(60);
  double open_duration_jitter = 0.2;

  // Probes that half-open lets through at once, and how many must succeed
  // before the breaker closes. 1 to 10,000; 1 to 1,000,000.
  int64_t half_open_max_calls = 3;
  int64_t half_open_successes_to_close = 3;

  // A probe that has not ended by then gives its place to another; its result
  // no longer counts. 1 ns to 365 days.
  absl::Duration half_open_lease = absl::Seconds(60);

  // OK, or INVALID_ARGUMENT that names every field out of range with its value
  // and its range.
  absl::Status Validate() const;

  // Whether calls are timed.
  bool JudgesSlowCalls() const {
    return slow_call_duration.has_value() &&
           slow_call_rate_threshold.has_value();
  }

  friend bool operator==(const BreakerOptions& a, const BreakerOptions& b);
  friend bool operator!=(const BreakerOptions& a, const BreakerOptions& b) {
    return !(a == b);
  }
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_OPTIONS_H_
