#include "autobreaker/breaker/call_handling.h"

#include "autobreaker/breaker/internal/shards.h"

namespace autobreaker {

CallHandling::CallHandling(const BreakerPolicy& policy,
                           bool counts_status_codes)
    : word_(WordOf(policy)),
      status_codes_(counts_status_codes
                        ? std::make_unique<ShardedArray>(kStatusCodeCount)
                        : nullptr) {}

CallHandling::~CallHandling() = default;

uint64_t CallHandling::WordOf(const BreakerPolicy& policy) {
  uint64_t word = policy.unguarded ? kUnguardedBit : 0;
  if (policy.status_classes.has_value()) {
    word |= kClassesBit | policy.status_classes->failures.bits() |
            uint64_t{policy.status_classes->ignored.bits()} << kIgnoredShift;
  }
  return word;
}

void CallHandling::SetPolicy(const BreakerPolicy& policy) {
  // A breaker that was removed stays so, whoever sets its policy meanwhile.
  const uint64_t wanted = WordOf(policy);
  uint64_t seen = word_.load(std::memory_order_relaxed);
  while (!word_.compare_exchange_weak(seen, wanted | (seen & kRemovedBit),
                                      std::memory_order_relaxed)) {
  }
}

std::optional<StatusClasses> CallHandling::status_classes() const {
  const uint64_t word = word_.load(std::memory_order_relaxed);
  if ((word & kClassesBit) == 0) return std::nullopt;
  return ClassesOf(word);
}

void CallHandling::CountCode(int code) {
  const bool known = code >= 0 && code < kStatusCodeCount;
  status_codes_->Add(static_cast<size_t>(
      known ? code : static_cast<int>(absl::StatusCode::kUnknown)));
}

std::array<uint64_t, kStatusCodeCount> CallHandling::status_codes() const {
  std::array<uint64_t, kStatusCodeCount> totals = {};
  for (int code = 0; status_codes_ != nullptr && code < kStatusCodeCount;
       ++code) {
    totals[code] = status_codes_->Total(code);
  }
  return totals;
}

}  // namespace autobreaker
