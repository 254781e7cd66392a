// When the demo's server breaks, and how: pure arithmetic over the time since
// the start, so that a run can be told in advance.
#ifndef AUTOBREAKER_EXAMPLES_FAULT_SCHEDULE_H_
#define AUTOBREAKER_EXAMPLES_FAULT_SCHEDULE_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace autobreaker::demo {

enum class ShopMethod { kGetPrice, kPlaceOrder, kWatchStock, kUpload, kChat };
inline constexpr int kShopMethodCount = 5;

enum class Fault {
  kNone,
  kFails,      // at once
  kBreaksOff,  // in the middle of a stream
  kHangs,      // past the deadline
  kIsSlow,     // but answers
};

// The schedule starts over after this time.
inline constexpr absl::Duration kFaultCycle = absl::Seconds(20);

// How the server treats the call number `call` of `method`, which arrives
// `elapsed` after the start. `seed` picks the few calls of GetPrice that fail
// whatever the time.
Fault FaultFor(ShopMethod method, absl::Duration elapsed, uint64_t seed,
               uint64_t call);

// One method breaking, or working again (then `fault` is kNone).
struct FaultChange {
  absl::Duration at;
  ShopMethod method;
  Fault fault;
};

// The changes with after < at <= until, in their order. REQUIRES: after >= 0.
std::vector<FaultChange> FaultChanges(absl::Duration after,
                                      absl::Duration until);

// As in shop.proto.
absl::string_view ToString(ShopMethod method);
// For people: what the server does.
absl::string_view ToString(Fault fault);

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_FAULT_SCHEDULE_H_
