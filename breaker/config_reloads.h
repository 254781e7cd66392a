// How often the configuration of a registry was loaded from where operators
// keep it, and how that went. Whoever loads it records it; the exporter shows
// it.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_CONFIG_RELOADS_H_
#define AUTOBREAKER_BREAKER_CONFIG_RELOADS_H_

#include <cstdint>
#include <mutex>
#include <optional>

#include "absl/time/time.h"

namespace autobreaker {

class ConfigReloads {
 public:
  // Of all loads so far.
  struct Counts {
    uint64_t succeeded = 0;       // and applied
    uint64_t failed = 0;          // and nothing was changed
    bool last_succeeded = false;  // whether the newest did
    // Of the last that succeeded; infinitely long ago if there was none.
    absl::Time last_success_time = absl::InfinitePast();
  };

  // A load ended at `wall_now`.
  void Record(bool succeeded, absl::Time wall_now);

  // Nothing if there was none.
  std::optional<Counts> counts() const;

 private:
  mutable std::mutex mu_;
  std::optional<Counts> counts_;  // guarded by mu_
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_CONFIG_RELOADS_H_
