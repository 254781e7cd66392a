#include "autobreaker/breaker/internal/probe_leases.h"

#include <algorithm>

namespace autobreaker {

void ProbeLeases::DropEnded(MonotonicTime now) {
  leases_.erase(
      std::remove_if(leases_.begin(), leases_.end(),
                     [now](const Lease& lease) { return lease.end <= now; }),
      leases_.end());
}

uint64_t ProbeLeases::Take(MonotonicTime::duration lease, MonotonicTime now) {
  DropEnded(now);
  leases_.push_back({last_probe_ + 1, now, now + lease});
  return ++last_probe_;
}

std::optional<MonotonicTime> ProbeLeases::Release(uint64_t probe,
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

int64_t ProbeLeases::Count(MonotonicTime now) const {
  return CountTakenBefore(MonotonicTime::max(), kNoProbe, now);
}

int64_t ProbeLeases::CountTakenBefore(MonotonicTime time, uint64_t first,
                                      MonotonicTime now) const {
  return std::count_if(
      leases_.begin(), leases_.end(), [time, first, now](const Lease& lease) {
        return lease.end > now && lease.start < time && lease.probe >= first;
      });
}

MonotonicTime ProbeLeases::FirstEnd(MonotonicTime now) const {
  MonotonicTime first = MonotonicTime::max();
  for (const Lease& lease : leases_) {
    if (lease.end > now) first = std::min(first, lease.end);
  }
  return first;
}

}  // namespace autobreaker
