#include "autobreaker/breaker/call_counts.h"

#include <limits>

namespace autobreaker {

CallCounts operator-(const CallCounts& a, const CallCounts& b) {
  constexpr uint64_t kMask = ~uint64_t{0} >> 16;
  return {(a.successes - b.successes) & kMask,
          (a.failures - b.failures) & kMask, (a.slow - b.slow) & kMask};
}

double FailureRate(const CallCounts& counts) {
  // Division, not multiplication by a threshold: the quotient of two counts
  // rounds to the same double as the decimal that a person wrote, so 1 of 20 is
  // exactly 0.05 and not above it.
  if (counts.finished() == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(counts.failures) /
         static_cast<double>(counts.finished());
}

}  // namespace autobreaker
