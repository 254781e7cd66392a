#include "autobreaker/breaker/clock.h"

#include <time.h>

#include "absl/time/clock.h"

namespace autobreaker {
namespace {

class SystemClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    return std::chrono::steady_clock::now();
  }

  MonotonicTime CoarseNow() const override {
#if defined(CLOCK_MONOTONIC_COARSE) && !defined(AUTOBREAKER_PORTABLE)
    timespec now;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0) {
      return MonotonicTime(std::chrono::seconds(now.tv_sec) +
                           std::chrono::nanoseconds(now.tv_nsec));
    }
#endif
    return Now();
  }

  absl::Time WallNow() const override { return absl::Now(); }
};

}  // namespace

const Clock* Clock::System() {
  static const SystemClock* const clock = new SystemClock;
  return clock;
}

}  // namespace autobreaker
