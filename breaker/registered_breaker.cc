#include "autobreaker/breaker/registered_breaker.h"

#include <utility>

#include "autobreaker/breaker/internal/policy_table.h"

namespace autobreaker {

RegisteredBreaker::RegisteredBreaker(
    BreakerKey key, const PolicyInForce& policy,
    std::shared_ptr<const Instruments> instruments,
    std::shared_ptr<TransitionCourier> courier)
    : CircuitBreaker(std::move(key), policy.rules, instruments,
                     std::move(courier)),
      handling_(policy.policy, instruments->count_status_codes) {
  if (policy.policy.mode != Mode::kAutomatic) {
    SetPolicy(/*rules=*/nullptr, policy.policy.mode, [] {});
  }
}

void RegisteredBreaker::ReplacePolicy(const PolicyInForce& before,
                                      const PolicyInForce& after) {
  const bool other_options = before.policy.options != after.policy.options;
  const bool other_mode = before.policy.mode != after.policy.mode;
  // All under one lock, so that no snapshot shows parts of two policies.
  SetPolicy(other_options ? after.rules : nullptr,
            other_mode ? std::make_optional(after.policy.mode) : std::nullopt,
            [&] { handling_.SetPolicy(after.policy); });
}

RegisteredSnapshot RegisteredBreaker::Snapshot() const {
  RegisteredSnapshot s;
  static_cast<BreakerSnapshot&>(s) = SnapshotAnd([&] {
    s.unguarded = handling_.unguarded();
    s.status_classes = handling_.status_classes();
  });
  s.status_codes = handling_.status_codes();
  s.unpartitioned = handling_.unpartitioned();
  s.callback_exceptions += handling_.exceptions();
  return s;
}

}  // namespace autobreaker
