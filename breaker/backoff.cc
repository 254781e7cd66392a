#include "breaker/backoff.h"

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"

namespace autobreaker {

MonotonicTime::duration OpenTime(const BreakerOptions& options,
                                 int64_t reopenings, double random) {
  // The power may be infinite; the minimum of it and the maximum is not.
  const double grown = absl::ToDoubleNanoseconds(options.open_duration) *
                       std::pow(options.open_duration_multiplier,
                                static_cast<double>(reopenings));
  const double longest = absl::ToDoubleNanoseconds(options.open_duration_max);
  const double jittered =
      std::min(grown, longest) * (1 - options.open_duration_jitter * random);
  return MonotonicTime::duration(
      std::max<int64_t>(1, static_cast<int64_t>(std::llround(jittered))));
}

}  // namespace autobreaker
