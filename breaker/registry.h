// The circuit breakers of a program, by name, service and method.
//
//   auto registry = BreakerRegistry::Create();
//   if (!registry.ok()) return registry.status();
//   std::shared_ptr<CircuitBreaker> breaker =
//       (*registry)->GetOrCreate({"payments", "shop.Orders", "Place"});
//
// Registries know nothing of each other; there is no global one.
//
// Thread-safety: every method may be called from any thread at once. Each
// takes the registry's lock, so keep what GetOrCreate() answers instead of
// asking again for every call.
#ifndef AUTOBREAKER_BREAKER_REGISTRY_H_
#define AUTOBREAKER_BREAKER_REGISTRY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/internal/transition_listeners.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/policy.h"

namespace autobreaker {

// How often a configuration was loaded from where operators keep it.
struct ConfigReloads {
  uint64_t succeeded = 0;  // and applied
  uint64_t failed = 0;     // and nothing was changed
  bool last_succeeded = false;
  // Of the last that succeeded; infinitely long ago if there was none.
  absl::Time last_success_time = absl::InfinitePast();
};

struct RegistryOptions {
  // For breakers that no SetOptions() applies to.
  BreakerOptions defaults;

  // Breakers there may be at once. 1 to 1,000,000.
  int64_t max_breakers = 1024;

  // For all breakers of the registry.
  Instruments instruments;
};

class BreakerRegistry {
 public:
  // Longer keys, in bytes of all three parts together, get no breaker, so that
  // max_breakers bounds the memory too.
  static constexpr size_t kMaxKeyLength = 1024;

  // INVALID_ARGUMENT that names the field if an option is out of range.
  static absl::StatusOr<std::shared_ptr<BreakerRegistry>> Create(
      RegistryOptions options = {});

  BreakerRegistry(const BreakerRegistry&) = delete;
  BreakerRegistry& operator=(const BreakerRegistry&) = delete;

  // The breaker of that key, made on first use. Null if there is none and the
  // registry is full or the key too long: let the call pass unguarded; each
  // such answer counts in overflow_total().
  std::shared_ptr<CircuitBreaker> GetOrCreate(const BreakerKey& key);

  // The breaker of that key, or null if there is none.
  std::shared_ptr<CircuitBreaker> Find(const BreakerKey& key) const;

  // Takes the breaker out; whoever holds it may go on using it, and should
  // come back to GetOrCreate() when removed() says so. False if there is none.
  bool Remove(const BreakerKey& key);

  // All breakers, in the order of their keys.
  std::vector<std::shared_ptr<CircuitBreaker>> Breakers() const;

  // The program's own options for every key that agrees with `scope` wherever
  // `scope` is not empty, existing breakers included. The most specific scope
  // applies: first by method, then by service, then by name. INVALID_ARGUMENT
  // changes nothing.
  absl::Status SetOptions(const BreakerKey& scope,
                          const BreakerOptions& options);

  // Puts an operator's configuration in force, in place of the one before: a
  // policy for each scope, beside the scopes of SetOptions() and before one
  // that is equal. All or nothing: INVALID_ARGUMENT, which names the scope and
  // the field, changes nothing.
  //
  // A breaker for which this says nothing new is left alone, with whatever was
  // set for it by other means. The others get what is new, each all at once,
  // and keep state and counts.
  absl::Status Apply(const std::map<BreakerKey, BreakerPolicy>& config);

  // What a breaker of that key gets that is made now.
  BreakerPolicy PolicyFor(const BreakerKey& key) const;

  // The most specific options that the program set for all of `scope`, with no
  // regard to what was applied.
  BreakerOptions ProgramOptions(const BreakerKey& scope) const;

  // Tells it of every change of state of a breaker here, as long as it lives.
  void AddListener(std::weak_ptr<TransitionListener> listener) {
    listeners_->Add(std::move(listener));
  }

  // Counts a reload, for the metrics; whoever loads configurations calls it.
  void RecordReload(bool succeeded);
  // Nothing if there was none.
  std::optional<ConfigReloads> reloads() const;

  // What all breakers here share.
  const Instruments& instruments() const { return *instruments_; }

  // Calls that got no breaker. Never goes back.
  uint64_t overflow_total() const {
    return overflow_total_.load(std::memory_order_relaxed);
  }

 private:
  explicit BreakerRegistry(RegistryOptions options);

  using SharedBreaker = std::shared_ptr<CircuitBreaker>;
  using SharedPolicy = std::shared_ptr<const BreakerPolicy>;
  using Policies = std::map<BreakerKey, SharedPolicy>;

  // The breakers hold the keys.
  struct ByKey {
    using is_transparent = void;
    static const BreakerKey& Key(const BreakerKey& key) { return key; }
    static const BreakerKey& Key(const SharedBreaker& b) { return b->key(); }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Key(a) < Key(b);
    }
  };

  // The policy for `key`: the most specific of both maps, from `applied` where
  // they are equal.
  static const SharedPolicy& MostSpecific(const BreakerKey& key,
                                          const Policies& program,
                                          const Policies& applied);

  // Puts other policies in force. Answers the breakers that changed, which have
  // DeliverTransitions() due once the lock is released.
  std::vector<SharedBreaker> ReplacePoliciesLocked(Policies program,
                                                   Policies applied)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t max_breakers_;
  const std::shared_ptr<TransitionListeners> listeners_;
  const std::shared_ptr<const Instruments> instruments_;
  std::atomic<uint64_t> overflow_total_{0};

  mutable Mutex mu_;
  absl::btree_set<SharedBreaker, ByKey> breakers_ ABSL_GUARDED_BY(mu_);
  // By scope. Those of the program, where the empty scope is always there, and
  // those of the configuration that was applied last. Each is shared with the
  // breakers that it applies to.
  Policies program_ ABSL_GUARDED_BY(mu_);
  Policies applied_ ABSL_GUARDED_BY(mu_);
  std::optional<ConfigReloads> reloads_ ABSL_GUARDED_BY(mu_);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_REGISTRY_H_
