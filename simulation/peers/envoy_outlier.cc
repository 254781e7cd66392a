#include "autobreaker/simulation/peers/envoy_outlier.h"

#include <algorithm>

namespace autobreaker::decisions {

std::optional<uint64_t> EnvoyOutlier::Admit(Nanos now) {
  SweepUntil(now);
  if (ejected_) return std::nullopt;
  return 0;
}

void EnvoyOutlier::Finish(uint64_t, Nanos now, bool failed) {
  SweepUntil(now);
  if (!failed) {
    errors_ = 0;
    return;
  }
  // Not "at least": beyond the limit they count on, as while it is ejected.
  if (++errors_ != settings_.consecutive || ejected_) return;
  errors_ = 0;
  ejected_ = true;
  ejected_at_ = now;
  if (multiplier_ * settings_.base < settings_.longest + settings_.base) {
    ++multiplier_;
  }
}

void EnvoyOutlier::SweepUntil(Nanos now) {
  for (; next_sweep_ <= now; next_sweep_ += settings_.interval) {
    if (!ejected_) {
      multiplier_ = std::max<int64_t>(0, multiplier_ - 1);
    } else if (next_sweep_ - ejected_at_ >=
               std::min(multiplier_ * settings_.base, settings_.longest)) {
      ejected_ = false;
      errors_ = 0;
    }
  }
}

}  // namespace autobreaker::decisions
