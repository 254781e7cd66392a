// What the breakers of a registry counted that are no longer in it, so that the
// sums over a registry never go back. A plain value.
//
//   uint64_t failures = registry->removed_breakers().failures;
//   for (const auto& breaker : registry->Breakers()) {
//     failures += breaker->Snapshot().failures;
//   }
//
// What a breaker counts after it was removed is in no sum.
#ifndef AUTOBREAKER_BREAKER_REMOVED_BREAKERS_H_
#define AUTOBREAKER_BREAKER_REMOVED_BREAKERS_H_

#include <cstdint>

namespace autobreaker {

struct RemovedBreakers {
  // Breakers that made room for others, and those that Remove() took out.
  uint64_t made_room = 0;
  uint64_t taken_out = 0;

  // Their calls, as in BreakerSnapshot; `refused` for any reason.
  uint64_t requests = 0;
  uint64_t successes = 0;
  uint64_t failures = 0;
  uint64_t ignored = 0;
  uint64_t abandoned = 0;
  uint64_t refused = 0;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_REMOVED_BREAKERS_H_
