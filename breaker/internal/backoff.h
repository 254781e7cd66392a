// How long a breaker stays open. Pure arithmetic; the random number is an
// argument.
//
// The longest of three times, none above open_duration_max: open_duration,
// grown by its multiplier; the time in which 1 / probe_share calls are asked
// for; and that in which 2 sqrt(n) are, where n is the number of calls asked
// for in this outage so far.
//
// The last one makes what an outage costs almost independent of how long it
// takes. If a probe goes out after every m calls, an outage of n calls costs
// n/m probes, and m/2 calls on average that are refused after the server is
// back: at best sqrt(2 n) together, with m = sqrt(2 n); but n is not known
// before. With m = 2 sqrt(n so far) both are sqrt(n), and the sum is 1.41 times
// the best, whatever n is. Any fixed m, and any fixed time, is as good only for
// one n.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_BACKOFF_H_
#define AUTOBREAKER_BREAKER_INTERNAL_BACKOFF_H_

#include <cstdint>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/options.h"

namespace autobreaker {

// What is asked of the breaker.
struct Demand {
  // Calls since it was last closed, and how often they come.
  double calls = 0;
  double per_second = 0;

  // `recent` calls came in `time`, which may be 0.
  static Demand Of(uint64_t calls, uint64_t recent,
                   MonotonicTime::duration time);
};

// The time to stay open after the probes have failed `reopenings` times in a
// row. `random` is uniform in [0, 1): 0 takes the whole time, the rest shortens
// it by that share of the jitter. Never above open_duration_max, never 0.
// (Shortening, not spreading both ways, keeps the maximum a maximum; a jitter
// of 1 is what AWS's architecture blog calls "full jitter".)
MonotonicTime::duration OpenTime(const BreakerOptions& options,
                                 int64_t reopenings, const Demand& demand,
                                 double random);

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_BACKOFF_H_
