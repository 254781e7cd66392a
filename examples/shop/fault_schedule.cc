#include "autobreaker/examples/shop/fault_schedule.h"

namespace autobreaker::demo {
namespace {

// A part of each cycle in which one method breaks. Times are those of a cycle
// of kFaultCycle.
struct Stretch {
  ShopMethod method;
  Fault fault;
  absl::Duration begin;
  absl::Duration end;
};

// One after the other, and time between them to recover, so that the screen
// tells one story at a time; the first one soon.
constexpr Stretch kStretches[] = {
    {ShopMethod::kPlaceOrder, Fault::kFails, absl::Seconds(2),
     absl::Seconds(6)},
    {ShopMethod::kWatchStock, Fault::kBreaksOff, absl::Seconds(8),
     absl::Milliseconds(10'500)},
    {ShopMethod::kUpload, Fault::kHangs, absl::Milliseconds(12'500),
     absl::Milliseconds(14'500)},
    {ShopMethod::kChat, Fault::kIsSlow, absl::Milliseconds(16'500),
     absl::Milliseconds(19'500)},
};

// How many times slower than that everything happens.
double Pace(absl::Duration cycle) {
  return absl::FDivDuration(cycle, kFaultCycle);
}

// The splitmix64 generator: as good as random, and the same everywhere.
uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

Fault FaultSchedule::FaultFor(ShopMethod method, absl::Duration elapsed,
                              uint64_t call) const {
  if (method == ShopMethod::kGetPrice) {
    const bool unlucky = Mix(seed_ ^ Mix(call)) % 100 == 0;
    return unlucky ? Fault::kFails : Fault::kNone;
  }
  const double pace = Pace(cycle_);
  const absl::Duration at = elapsed % cycle_;
  for (const Stretch& stretch : kStretches) {
    if (stretch.method == method && stretch.begin * pace <= at &&
        at < stretch.end * pace) {
      return stretch.fault;
    }
  }
  return Fault::kNone;
}

std::vector<FaultChange> FaultSchedule::Changes(absl::Duration after,
                                                absl::Duration until) const {
  const double pace = Pace(cycle_);
  std::vector<FaultChange> changes;
  const auto add = [&](absl::Duration at, ShopMethod method, Fault fault) {
    if (after < at && at <= until) changes.push_back({at, method, fault});
  };
  for (absl::Duration cycle = absl::Floor(after, cycle_); cycle <= until;
       cycle += cycle_) {
    for (const Stretch& stretch : kStretches) {
      add(cycle + stretch.begin * pace, stretch.method, stretch.fault);
      add(cycle + stretch.end * pace, stretch.method, Fault::kNone);
    }
  }
  return changes;
}

absl::string_view ToString(ShopMethod method) {
  switch (method) {
    case ShopMethod::kGetPrice:
      return "GetPrice";
    case ShopMethod::kPlaceOrder:
      return "PlaceOrder";
    case ShopMethod::kWatchStock:
      return "WatchStock";
    case ShopMethod::kUpload:
      return "UploadReceipts";
    case ShopMethod::kChat:
      return "Chat";
  }
  return "unknown";
}

absl::string_view ToString(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "works again";
    case Fault::kFails:
      return "fails every call at once";
    case Fault::kBreaksOff:
      return "breaks off every stream";
    case Fault::kHangs:
      return "hangs until the deadline has passed";
    case Fault::kIsSlow:
      return "is slow to answer";
  }
  return "unknown";
}

}  // namespace autobreaker::demo
