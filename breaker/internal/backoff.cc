#include "autobreaker/breaker/internal/backoff.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "absl/time/time.h"

namespace autobreaker {

Demand Demand::Of(uint64_t calls, uint64_t recent,
                  MonotonicTime::duration time) {
  const std::chrono::duration<double> seconds =
      std::max(time, MonotonicTime::duration(1));
  return {static_cast<double>(calls),
          static_cast<double>(recent) / seconds.count()};
}

MonotonicTime::duration OpenTime(const OpenOptions& options, int64_t reopenings,
                                 const Demand& demand, double random) {
  // Any of them may be infinite; the minimum of them and the maximum is not.
  double time =
      absl::ToDoubleNanoseconds(options.duration) *
      std::pow(options.duration_multiplier, static_cast<double>(reopenings));
  if (options.pace_by_calls.has_value()) {
    const double calls = std::max(1 / options.pace_by_calls->probe_share,
                                  2 * std::sqrt(demand.calls));
    time = std::max(time, calls / demand.per_second * 1e9);
  }
  const double longest = absl::ToDoubleNanoseconds(options.duration_max);
  const double jittered =
      std::min(time, longest) * (1 - options.duration_jitter * random);
  return MonotonicTime::duration(
      std::max<int64_t>(1, static_cast<int64_t>(std::llround(jittered))));
}

}  // namespace autobreaker
