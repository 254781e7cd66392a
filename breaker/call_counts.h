// How many calls finished, and how. A plain value: what is in the window of a
// BreakerSnapshot or of a Transition.
//
//   const CallCounts window = breaker->Snapshot().window;
//   std::cout << window.failures << " of " << window.finished() << " failed\n";
#ifndef AUTOBREAKER_BREAKER_CALL_COUNTS_H_
#define AUTOBREAKER_BREAKER_CALL_COUNTS_H_

#include <cstdint>

namespace autobreaker {

// Calls that were judged. As lifetime totals these wrap at 2^48; differences of
// totals stay right across the wrap.
struct CallCounts {
  uint64_t successes = 0;  // slow ones, too
  uint64_t failures = 0;   // likewise
  uint64_t slow = 0;       // of the successes and failures

  // Those that were judged.
  uint64_t finished() const { return successes + failures; }

  friend CallCounts operator-(const CallCounts& a, const CallCounts& b);
  friend bool operator==(const CallCounts& a, const CallCounts& b) {
    return a.successes == b.successes && a.failures == b.failures &&
           a.slow == b.slow;
  }
};

// The share of the finished calls that failed, 0 to 1; NaN for no calls.
double FailureRate(const CallCounts& counts);

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_CALL_COUNTS_H_
