#include "autobreaker/breaker/internal/probes.h"

#include <algorithm>

namespace autobreaker {

void ProbeSlots::DropEnded(MonotonicTime now) {
  leases_.erase(
      std::remove_if(leases_.begin(), leases_.end(),
                     [now](const Lease& lease) { return lease.end <= now; }),
      leases_.end());
}

uint64_t ProbeSlots::Take(int64_t most, MonotonicTime::duration lease,
                          MonotonicTime now) {
  if (Count(now) >= most) return kNoProbe;
  leases_.push_back({++last_probe_, now, now + lease});
  return last_probe_;
}

std::optional<MonotonicTime> ProbeSlots::Release(uint64_t probe,
                                                 MonotonicTime now) {
  DropEnded(now);
  const auto it = std::find_if(
      leases_.begin(), leases_.end(),
      [probe](const Lease& lease) { return lease.probe == probe; });
  if (it == leases_.end()) return std::nullopt;
  const MonotonicTime start = it->start;
  leases_.erase(it);
  return start;
}

int64_t ProbeSlots::Count(MonotonicTime now) {
  DropEnded(now);
  return static_cast<int64_t>(leases_.size());
}

int64_t ProbeSlots::CountTakenBefore(MonotonicTime time) const {
  return std::count_if(
      leases_.begin(), leases_.end(),
      [time](const Lease& lease) { return lease.start < time; });
}

std::optional<MonotonicTime> ProbeSlots::FirstEnd() const {
  const auto it = std::min_element(
      leases_.begin(), leases_.end(),
      [](const Lease& a, const Lease& b) { return a.end < b.end; });
  if (it == leases_.end()) return std::nullopt;
  return it->end;
}

}  // namespace autobreaker
