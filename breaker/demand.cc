#include "breaker/demand.h"

#include <chrono>
#include <limits>

namespace autobreaker {

void DemandMeter::Restart(uint64_t asked, MonotonicTime now) {
  older_ = newer_ = {asked, now};
}

void DemandMeter::Advance(uint64_t asked, MonotonicTime now,
                          MonotonicTime::duration length) {
  const MonotonicTime::duration passed = now - newer_.time;
  if (passed < length) return;
  older_ = newer_;
  newer_ = {asked, now};
  // Nobody called for long: that says nothing about now.
  if (passed >= 2 * length) older_ = newer_;
}

double DemandMeter::PerSecond(uint64_t asked, MonotonicTime now) const {
  const std::chrono::duration<double> passed = now - older_.time;
  if (passed.count() <= 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(asked - older_.asked) / passed.count();
}

}  // namespace autobreaker
