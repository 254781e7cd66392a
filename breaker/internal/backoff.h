// How long a breaker stays open. Pure arithmetic: the random number is an
// argument.
//
// The longest of three times, and never longer than OpenOptions::duration_max:
// `duration`, multiplied for each time that probes failed; the time in which
// 1 / probe_share calls are asked for; and the time in which 2 sqrt(n) calls
// are, if n calls were asked for in this outage so far. The last one makes an
// outage cost about the same share of calls whether it is short or long;
// docs/design.md shows why.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_BACKOFF_H_
#define AUTOBREAKER_BREAKER_INTERNAL_BACKOFF_H_

#include <cstdint>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/options.h"

namespace autobreaker {

// How much the breaker is asked for.
struct Demand {
  // Calls in this outage so far, and how often they come.
  double calls = 0;
  double per_second = 0;

  // Of `calls`, `recent` came in `time`, which may be 0.
  static Demand Of(uint64_t calls, uint64_t recent,
                   MonotonicTime::duration time);
};

// The time to stay open after the probes have failed `reopenings` times in a
// row: above 0, at most duration_max. `random` is uniform in [0, 1) and
// shortens it by that share of the jitter. (To shorten, and not to spread both
// ways, keeps the maximum a maximum. A jitter of 1 is what AWS's architecture
// blog calls "full jitter".)
MonotonicTime::duration OpenTime(const OpenOptions& options, int64_t reopenings,
                                 const Demand& demand, double random);

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_BACKOFF_H_
