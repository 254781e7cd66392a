// The source of time of every breaker.
//
// Decisions use monotonic time only, so a step of the wall clock changes
// nothing. The clock is handed in, so that a test moves time instead of
// waiting for it; see fake_clock.h.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_CLOCK_H_
#define AUTOBREAKER_BREAKER_CLOCK_H_

#include <chrono>

#include "absl/time/time.h"

namespace autobreaker {

// A point on the monotonic clock. It has a type of its own so that it cannot
// be mixed with wall time, which is absl::Time.
using MonotonicTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;

  // The process's clock. Lives for ever.
  static const Clock* System();

  // Exact monotonic time; measures how long calls take.
  virtual MonotonicTime Now() const = 0;

  // Now() as of a few milliseconds ago at most, and several times cheaper to
  // read; orders everything else a breaker does.
  virtual MonotonicTime CoarseNow() const = 0;

  // Wall time. Only shown to people, never decided upon.
  virtual absl::Time WallNow() const = 0;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_CLOCK_H_
