// Decides whether a closed breaker opens, and for which reason. Pure
// arithmetic.
//
// The evidence is gathered in evidence.h; what it comes to is an argument here,
// beside the calls in the window and the failures in a row.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_TRIP_RULE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_TRIP_RULE_H_

#include <cstdint>
#include <optional>

#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

struct TripRule {
  double failure_rate_threshold = 1;    // 1: off
  double slow_call_rate_threshold = 0;  // 0: off
  int32_t minimum_calls = 1;
  int32_t consecutive_failures = 0;  // 0: off

  static TripRule From(const TripOptions& options);

  // Why the breaker should open; nothing if it should not. `window` are the
  // calls in the window, and the last `failures_in_a_row` of all failed.
  std::optional<TransitionReason> Judge(const CallCounts& window,
                                        int64_t failures_in_a_row,
                                        bool evidence_is_complete) const;

  // Whether too large a share of these calls was slow, however few they are.
  bool TooManySlow(const CallCounts& calls) const;

  // How many failures in a row would open it, evidence aside, if no call left
  // the window meanwhile: 1 or more. Nothing if no number would.
  std::optional<int64_t> FailuresUntilTrip(const CallCounts& window,
                                           int64_t failures_in_a_row) const;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_TRIP_RULE_H_
