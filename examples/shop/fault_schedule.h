// When the demo's server breaks, and how: pure arithmetic over the time since
// the start, so that a run can be told in advance.
//
// Thread-safety: nothing here changes once it is made.
#ifndef AUTOBREAKER_EXAMPLES_SHOP_FAULT_SCHEDULE_H_
#define AUTOBREAKER_EXAMPLES_SHOP_FAULT_SCHEDULE_H_

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

// One method breaking, or working again (then `fault` is kNone).
struct FaultChange {
  absl::Duration at;
  ShopMethod method;
  Fault fault;
};

class FaultSchedule {
 public:
  // Starts over after `cycle`. `seed` picks the few calls of GetPrice that fail
  // whatever the time. REQUIRES: cycle > 0.
  FaultSchedule(absl::Duration cycle, uint64_t seed)
      : cycle_(cycle), seed_(seed) {}

  // How the server treats the call number `call` of `method`, which arrives
  // `elapsed` after the start.
  Fault FaultFor(ShopMethod method, absl::Duration elapsed,
                 uint64_t call) const;

  // The changes with after < at <= until, in their order. REQUIRES: after >= 0.
  std::vector<FaultChange> Changes(absl::Duration after,
                                   absl::Duration until) const;

 private:
  absl::Duration cycle_;
  uint64_t seed_;
};

// The cycle that all times of the demo are made for.
inline constexpr absl::Duration kFaultCycle = absl::Seconds(20);

// As in shop.proto.
absl::string_view ToString(ShopMethod method);
// For people: what the server does.
absl::string_view ToString(Fault fault);

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_SHOP_FAULT_SCHEDULE_H_
