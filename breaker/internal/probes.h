// The places half-open has for probes, each held on a lease.
//
// Thread-compatible. Pure arithmetic: `now` is an argument.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_PROBES_H_
#define AUTOBREAKER_BREAKER_INTERNAL_PROBES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "autobreaker/breaker/clock.h"

namespace autobreaker {

class ProbeSlots {
 public:
  // Never handed out by Take().
  static constexpr uint64_t kNoProbe = 0;

  // Takes a place if fewer than `most` are taken and answers the probe's
  // number, which is never used again; else kNoProbe.
  uint64_t Take(int64_t most, MonotonicTime::duration lease, MonotonicTime now);

  // Gives the probe's place back and answers when it was taken. Nothing if it
  // was no longer its own: the lease had ended, or Clear() came in between.
  std::optional<MonotonicTime> Release(uint64_t probe, MonotonicTime now);

  // Takes every place back.
  void Clear() { leases_.clear(); }

  // Probes that hold a place.
  int64_t Count(MonotonicTime now);

  // Of these, those that took it before `time`.
  int64_t CountTakenBefore(MonotonicTime time) const;

  // When the first of the leases ends; nothing if no place is taken.
  std::optional<MonotonicTime> FirstEnd() const;

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

#endif  // AUTOBREAKER_BREAKER_INTERNAL_PROBES_H_
