#include "autobreaker/breaker/internal/trip_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace autobreaker {
TripRule TripRule::From(const BreakerOptions& options) {
  TripRule rule;
  rule.failure_rate_threshold = options.trip.failure_rate_threshold.value_or(1);
  rule.minimum_calls = options.trip.minimum_calls;
  rule.consecutive_failures = options.trip.consecutive_failures.value_or(0);
  rule.slow_call_rate_threshold = options.trip.JudgesSlowCalls()
                                      ? *options.trip.slow_call_rate_threshold
                                      : 0;
  return rule;
}

std::optional<TransitionReason> TripRule::Judge(const CallCounts& window,
                                                int64_t streak) const {
  if (consecutive_failures > 0 && streak >= consecutive_failures) {
    return TransitionReason::kConsecutiveFailures;
  }
  if (window.finished() < static_cast<uint64_t>(minimum_calls)) {
    return std::nullopt;
  }
  if (FailureRate(window) > failure_rate_threshold) {
    return TransitionReason::kFailureRate;
  }
  if (TooManySlow(window)) return TransitionReason::kSlowCallRate;
  return std::nullopt;
}

bool TripRule::TooManySlow(const CallCounts& calls) const {
  return slow_call_rate_threshold > 0 && calls.finished() > 0 &&
         static_cast<double>(calls.slow) /
                 static_cast<double>(calls.finished()) >=
             slow_call_rate_threshold;
}

int64_t TripRule::FailuresUntilTrip(const CallCounts& window,
                                    int64_t streak) const {
  constexpr int64_t kNever = int64_t{1} << 60;
  if (failure_rate_threshold >= 1 && consecutive_failures == 0 &&
      slow_call_rate_threshold == 0) {
    return kNever;
  }
  const auto trips_after = [&](int64_t more) {
    CallCounts then = window;
    then.failures += more;
    return Judge(then, streak + more).has_value();
  };
  // Every failure brings both rules that count failures closer, so the first
  // number that trips is found by doubling and halving. (The bound is for
  // thresholds so close to 1 that no count gets there.)
  int64_t enough = 1;
  while (enough < kNever && !trips_after(enough)) enough *= 2;
  int64_t too_few = enough / 2;
  while (enough - too_few > 1) {
    const int64_t middle = too_few + (enough - too_few) / 2;
    (trips_after(middle) ? enough : too_few) = middle;
  }
  // A slow-call rate falls with every failure that is not slow; it is met, if
  // at all, by the one that completes the minimum.
  const int64_t missing =
      minimum_calls - static_cast<int64_t>(window.finished());
  const int64_t completes = std::max<int64_t>(1, missing);
  return trips_after(completes) ? std::min(completes, enough) : enough;
}

}  // namespace autobreaker
