// The probes that are under way, each on a lease: a probe that takes longer
// loses its place, so that one that never ends does not keep others out.
//
// Thread-compatible. No clock: `now` is an argument.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_PROBE_LEASES_H_
#define AUTOBREAKER_BREAKER_INTERNAL_PROBE_LEASES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "autobreaker/breaker/clock.h"

namespace autobreaker {

class ProbeLeases {
 public:
  // Never handed out by Take().
  static constexpr uint64_t kNoProbe = 0;

  // Begins a probe and answers its number. Changes nothing if it throws.
  uint64_t Take(MonotonicTime::duration lease, MonotonicTime now);

  // Ends a probe and answers when it began. Nothing if its lease ended before.
  std::optional<MonotonicTime> Release(uint64_t probe, MonotonicTime now);

  // Probes under way whose lease has not ended.
  int64_t Count(MonotonicTime now) const;

  // Of these, the probes from number `first` on that began before `time`.
  int64_t CountTakenBefore(MonotonicTime time, uint64_t first,
                           MonotonicTime now) const;

  // The number that Take() answers next.
  uint64_t next() const { return last_probe_ + 1; }

  // When the first of these leases ends.
  // REQUIRES: Count(now) > 0.
  MonotonicTime FirstEnd(MonotonicTime now) const;

 private:
  struct Lease {
    uint64_t probe;
    MonotonicTime start;
    MonotonicTime end;
  };

  void DropEnded(MonotonicTime now);

  uint64_t last_probe_ = kNoProbe;
  std::vector<Lease> leases_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_PROBE_LEASES_H_
