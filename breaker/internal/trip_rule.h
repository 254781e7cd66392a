// When a closed breaker opens. Pure arithmetic over what the window holds.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_TRIP_RULE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_TRIP_RULE_H_

#include <cstdint>
#include <optional>

#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

struct TripRule {
  double failure_rate_threshold = 1;  // 1: off
  int64_t minimum_calls = 1;
  int64_t consecutive_failures = 0;     // 0: off
  double slow_call_rate_threshold = 0;  // 0: off

  static TripRule From(const BreakerOptions& options);

  // Why the breaker should open, when the window holds `window` and the last
  // `streak` results were failures; nothing if it should not.
  std::optional<TransitionReason> Judge(const CallCounts& window,
                                        int64_t streak) const;

  // Whether the share of slow calls is too large, of however few calls.
  bool TooManySlow(const CallCounts& calls) const;

  // How many failures in a row, with nothing leaving the window meanwhile,
  // would open it. At least 1.
  int64_t FailuresUntilTrip(const CallCounts& window, int64_t streak) const;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_TRIP_RULE_H_
