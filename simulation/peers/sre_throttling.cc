#include "autobreaker/simulation/peers/sre_throttling.h"

namespace autobreaker::decisions {

std::optional<uint64_t> SreThrottling::Admit(Nanos now) {
  Slice& slice = Current(now);
  const auto requests = static_cast<double>(requests_);
  const double excess = requests - settings_.k * static_cast<double>(accepts_);
  ++slice.requests;
  ++requests_;
  if (excess > 0 && random_.Uniform() * (requests + 1) < excess) {
    return std::nullopt;
  }
  return 0;
}

void SreThrottling::Finish(uint64_t, Nanos now, bool failed) {
  if (failed) return;
  ++Current(now).accepts;
  ++accepts_;
}

SreThrottling::Slice& SreThrottling::Current(Nanos now) {
  if (slices_.empty() ||
      now - slices_.back().start >= settings_.window / kSlices) {
    slices_.push_back({now});
  }
  while (now - slices_.front().start >= settings_.window) {
    requests_ -= slices_.front().requests;
    accepts_ -= slices_.front().accepts;
    slices_.pop_front();
  }
  return slices_.back();
}

}  // namespace autobreaker::decisions
