// How long a breaker stays open. Pure arithmetic; the random number is an
// argument.
#ifndef AUTOBREAKER_BREAKER_BACKOFF_H_
#define AUTOBREAKER_BREAKER_BACKOFF_H_

#include <cstdint>

#include "breaker/clock.h"
#include "breaker/options.h"

namespace autobreaker {

// The time to stay open after the probes have failed `reopenings` times in a
// row. `random` is uniform in [0, 1): 0 takes the whole time, the rest shortens
// it by that share of the jitter. Never above open_duration_max, never 0.
// (Shortening, not spreading both ways, keeps the maximum a maximum; a jitter
// of 1 is what AWS's architecture blog calls "full jitter".)
MonotonicTime::duration OpenTime(const BreakerOptions& options,
                                 int64_t reopenings, double random);

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_BACKOFF_H_
