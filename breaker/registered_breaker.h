// A breaker of a registry, and beside it what the side of its callers keeps.
//
//   std::shared_ptr<RegisteredBreaker> breaker =
//       registry->GetOrCreate({"payments", "shop.Orders", "Place"});
//   Permit permit = breaker->TryAcquire();
//
// Its registry makes it, and applies policies to it. It goes on working when it
// was removed from there, unseen.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_REGISTERED_BREAKER_H_
#define AUTOBREAKER_BREAKER_REGISTERED_BREAKER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "autobreaker/breaker/call_handling.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/status_classes.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

struct PolicyInForce;
class TransitionCourier;

// What a breaker of a registry tells about itself.
struct RegisteredSnapshot : BreakerSnapshot {
  // As in BreakerPolicy.
  bool unguarded = false;
  std::optional<StatusClasses> status_classes;
  // Calls here that named a partition which got no breaker of its own.
  uint64_t unpartitioned = 0;
  // By absl::StatusCode; all 0 unless the instruments ask for them.
  std::array<uint64_t, kStatusCodeCount> status_codes = {};
};

class RegisteredBreaker final
    : public CircuitBreaker,
      public std::enable_shared_from_this<RegisteredBreaker> {
 public:
  // For BreakerRegistry. REQUIRES: valid arguments.
  RegisteredBreaker(BreakerKey key, const PolicyInForce& policy,
                    std::shared_ptr<const Instruments> instruments,
                    std::shared_ptr<TransitionCourier> courier);

  // What is counted and decided for callers, such as the interceptor.
  CallHandling& handling() { return handling_; }
  // The same, to be read.
  const CallHandling& handling() const { return handling_; }

  // Whether it was taken out of its registry. Come back to GetOrCreate() then.
  bool removed() const { return handling_.removed(); }

  // As CircuitBreaker's, with what was counted for callers.
  RegisteredSnapshot Snapshot() const;

  // For BreakerRegistry. Puts in force whatever differs from `before`, all at
  // once.
  void ReplacePolicy(const PolicyInForce& before, const PolicyInForce& after);

 private:
  CallHandling handling_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_REGISTERED_BREAKER_H_
