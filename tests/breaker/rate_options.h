#ifndef AUTOBREAKER_TESTS_BREAKER_RATE_OPTIONS_H_
#define AUTOBREAKER_TESTS_BREAKER_RATE_OPTIONS_H_

#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"

namespace autobreaker {

// Rules and times that are easy to reckon with: opens at a failure rate above
// 5 % of at least 20 calls, for 5 s, and closes after 3 probes.
inline BreakerOptions RateOptions() {
  BreakerOptions options;
  options.trip.evidence.reset();
  options.trip.failure_rate_threshold = 0.05;
  options.open.pace_by_calls.reset();
  options.open.duration = absl::Seconds(5);
  options.open.duration_multiplier = 2;
  options.open.duration_max = absl::Seconds(60);
  options.half_open.successes_to_close = 3;
  return options;
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_BREAKER_RATE_OPTIONS_H_
