#include "autobreaker/breaker/internal/backoff.h"

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"

namespace autobreaker {
namespace {

MonotonicTime::duration Nanoseconds(double time) {
  return MonotonicTime::duration(
      std::max<int64_t>(1, static_cast<int64_t>(std::llround(time))));
}

}  // namespace

OpenTime OpenTime::Of(const OpenOptions& options, int64_t reopenings,
                      uint64_t asked, double random) {
  const double share = 1 - options.duration_jitter * random;
  const double longest = absl::ToDoubleNanoseconds(options.duration_max);
  // May be infinite; the minimum of it and the maximum is not.
  const double duration =
      absl::ToDoubleNanoseconds(options.duration) *
      std::pow(options.duration_multiplier, static_cast<double>(reopenings));
  OpenTime time;
  time.shortest = Nanoseconds(std::min(duration, longest) * share);
  time.longest = Nanoseconds(longest * share);
  if (options.pace_by_calls.has_value()) {
    const double calls = std::max(1 / options.pace_by_calls->probe_share,
                                  2 * std::sqrt(static_cast<double>(asked)));
    // Far more than anybody asks for, where the share is next to 0.
    constexpr double kMost = 1e18;
    time.calls = static_cast<uint64_t>(
        std::max(1.0, std::round(std::min(calls, kMost) * share)));
  }
  return time;
}

}  // namespace autobreaker
