// How long a breaker stays open. Pure arithmetic: the random number is an
// argument.
//
// It is over when so many calls have been refused, but not before `shortest`
// has passed, and in any case when `longest` has. The calls are the larger of
// 1 / probe_share and 2 sqrt(n), if n calls were asked for in this outage so
// far: so the k-th probe goes out after about k * k calls, whatever their rate,
// and an outage costs about the same share of calls whether it is short or
// long. docs/design.md shows why.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_BACKOFF_H_
#define AUTOBREAKER_BREAKER_INTERNAL_BACKOFF_H_

#include <cstdint>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/options.h"

namespace autobreaker {

struct OpenTime {
  // OpenOptions::duration, multiplied for each time that probes failed.
  MonotonicTime::duration shortest{0};
  MonotonicTime::duration longest{0};
  uint64_t calls = 0;  // 0: only `shortest` counts

  // After the probes have failed `reopenings` times in a row, and `asked` calls
  // were asked for in this outage. `random` is uniform in [0, 1) and shortens
  // all three by that share of the jitter. (To shorten, and not to spread both
  // ways, keeps the maximum a maximum. A jitter of 1 is what AWS's architecture
  // blog calls "full jitter".) Times are above 0.
  static OpenTime Of(const OpenOptions& options, int64_t reopenings,
                     uint64_t asked, double random);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_BACKOFF_H_
