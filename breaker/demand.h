// How many calls are asked for, admitted or not. Pure arithmetic over totals.
//
// Thread-compatible.
#ifndef AUTOBREAKER_BREAKER_DEMAND_H_
#define AUTOBREAKER_BREAKER_DEMAND_H_

#include <cstdint>

#include "breaker/clock.h"

namespace autobreaker {

class DemandMeter {
 public:
  // Measures from now on.
  void Restart(uint64_t asked, MonotonicTime now);

  // Forgets what is older than twice `length`. Call it often in that time.
  void Advance(uint64_t asked, MonotonicTime now,
               MonotonicTime::duration length);

  // Infinite if no time has passed.
  double PerSecond(uint64_t asked, MonotonicTime now) const;

 private:
  struct Mark {
    uint64_t asked = 0;
    MonotonicTime time;
  };
  Mark older_;
  Mark newer_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_DEMAND_H_
