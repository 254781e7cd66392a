#include "autobreaker/breaker/internal/trip_rule.h"

#include <algorithm>

namespace autobreaker {

TripRule TripRule::From(const TripOptions& options) {
  TripRule rule;
  rule.failure_rate_threshold = options.failure_rate_threshold.value_or(1);
  rule.minimum_calls = static_cast<int32_t>(options.minimum_calls);
  rule.consecutive_failures =
      static_cast<int32_t>(options.consecutive_failures.value_or(0));
  rule.slow_call_rate_threshold =
      options.JudgesSlowCalls() ? *options.slow_call_rate_threshold : 0;
  return rule;
}

std::optional<TransitionReason> TripRule::Judge(
    const CallCounts& window, int64_t failures_in_a_row,
    bool evidence_is_complete) const {
  if (consecutive_failures > 0 && failures_in_a_row >= consecutive_failures) {
    return TransitionReason::kConsecutiveFailures;
  }
  if (evidence_is_complete) return TransitionReason::kEvidence;
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

std::optional<int64_t> TripRule::FailuresUntilTrip(
    const CallCounts& window, int64_t failures_in_a_row) const {
  const auto trips_after = [&](int64_t more) {
    CallCounts then = window;
    then.failures += more;
    return Judge(then, failures_in_a_row + more, /*evidence_is_complete=*/false)
        .has_value();
  };
  // A share of slow calls falls with each failure that is not slow. So if it is
  // going to be too large, it is so when the window first holds enough calls.
  const int64_t missing =
      minimum_calls - static_cast<int64_t>(window.finished());
  const int64_t completes = std::max<int64_t>(1, missing);
  if (trips_after(completes)) {
    // Fewer do only where the row of failures is what counts.
    return consecutive_failures == 0
               ? completes
               : std::min(completes,
                          std::max<int64_t>(
                              1, consecutive_failures - failures_in_a_row));
  }
  if (failure_rate_threshold >= 1 && consecutive_failures == 0) {
    return std::nullopt;
  }
  // Each failure brings the rate and the row closer to what trips, so the first
  // number that does is found by doubling and halving. The bound is for
  // thresholds so close to 1 that no count gets there.
  constexpr int64_t kMost = int64_t{1} << 60;
  int64_t enough = 1;
  while (enough < kMost && !trips_after(enough)) enough *= 2;
  if (enough >= kMost) return std::nullopt;
  int64_t too_few = enough / 2;
  while (enough - too_few > 1) {
    const int64_t middle = too_few + (enough - too_few) / 2;
    (trips_after(middle) ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace autobreaker
