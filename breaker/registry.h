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

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autobreaker/breaker/config_reloads.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/registered_breaker.h"
#include "autobreaker/breaker/removed_breakers.h"
#include "autobreaker/breaker/transition_listener.h"

namespace autobreaker {

// What all breakers of a registry have, until somebody says otherwise.
struct RegistryOptions {
  // For breakers that no SetOptions() applies to.
  BreakerOptions defaults;

  // Breakers there may be at once. 1 to 1,000,000. When there are so many, one
  // that nobody holds, with no call under way, makes room for a new one: of
  // these the one that was held last the longest ago.
  int64_t max_breakers = 1024;

  // For all breakers of the registry.
  Instruments instruments;
};

// From whom the policy of a breaker is.
struct PolicyOrigin {
  // The scope that the configuration has it for; not set if it is the
  // program's.
  std::optional<BreakerKey> configured_scope;
  BreakerPolicy policy;  // as it is for the breaker
  // What the program alone has for it, and for which scope: the empty one for
  // RegistryOptions::defaults.
  BreakerKey program_scope;
  BreakerOptions program_options;
};

class BreakerRegistry {
 public:
  // Longer keys, in bytes of all their parts together, get no breaker, so that
  // max_breakers bounds the memory too.
  static constexpr size_t kMaxKeyLength = 1024;

  // INVALID_ARGUMENT that names the field if an option is out of range.
  static absl::StatusOr<std::shared_ptr<BreakerRegistry>> Create(
      RegistryOptions options = {});

  // Waits until on_transition is told of all changes, also of those that it
  // makes meanwhile, unless it runs in on_transition.
  ~BreakerRegistry();
  BreakerRegistry(const BreakerRegistry&) = delete;
  BreakerRegistry& operator=(const BreakerRegistry&) = delete;

  // The breaker of that key, made on first use. Null if there is none and the
  // registry is full of breakers that somebody holds, or the key is too long:
  // let the call pass unguarded; each such answer counts in overflow_total().
  std::shared_ptr<RegisteredBreaker> GetOrCreate(const BreakerKey& key);

  // The breaker of that key, or null if there is none.
  std::shared_ptr<RegisteredBreaker> Find(const BreakerKey& key) const;

  // Takes the breaker out; whoever holds it may go on using it, and should
  // come back to GetOrCreate() when removed() says so. False if there is none.
  bool Remove(const BreakerKey& key);

  // All breakers, in the order of their keys.
  std::vector<std::shared_ptr<RegisteredBreaker>> Breakers() const;

  // The program's own options for every key that agrees with `scope` wherever
  // `scope` is not empty, existing breakers included. A scope with a method
  // needs a service, and none has a partition. Of several scopes the first of
  // these applies: {n, s, m},
  // {"", s, m}, {n, s, ""}, {"", s, ""}, {n, "", ""}, {}. INVALID_ARGUMENT
  // changes nothing.
  absl::Status SetOptions(const BreakerKey& scope,
                          const BreakerOptions& options);

  // Puts an operator's configuration in force, in place of the one before: a
  // policy for each scope. Where SetOptions() has the same scope, the policy
  // applies; a more specific scope of SetOptions() still goes before it. All or
  // nothing: INVALID_ARGUMENT, which names the scope and the field, changes
  // nothing.
  //
  // A breaker for which this says nothing new is left alone, with whatever was
  // set for it by other means. The others get what is new, each all at once,
  // and keep state and counts.
  absl::Status Apply(const std::map<BreakerKey, BreakerPolicy>& config);

  // The scopes of the configuration in force that no breaker here agrees with:
  // mistyped ones, and those of calls that were not made yet. In order.
  std::vector<BreakerKey> UnmatchedScopes() const;

  // What a breaker of that key gets that is made now.
  BreakerPolicy PolicyFor(const BreakerKey& key) const;
  // The same, and from whom.
  PolicyOrigin OriginFor(const BreakerKey& key) const;

  // The most specific options that the program set for all of `scope`, with no
  // regard to what was applied.
  BreakerOptions ProgramOptions(const BreakerKey& scope) const;

  // Tells it of every change of state of a breaker here, as long as it lives.
  void AddListener(std::weak_ptr<TransitionListener> listener);

  // Returns when on_transition and the listeners have been told of all changes
  // of state so far; in one of them, at once. For tests, and before a program
  // ends. Waits as long as they take.
  void FlushTransitions();

  // Whether they have.
  bool HasToldAll() const;

  // How loading the configuration went. Whoever loads it records it.
  ConfigReloads& config_reloads();
  const ConfigReloads& config_reloads() const;

  // What all breakers here share.
  const Instruments& instruments() const;

  // What is no longer here.
  RemovedBreakers removed_breakers() const;

  // Calls that got no breaker. Never goes back.
  uint64_t overflow_total() const;

 private:
  struct State;

  explicit BreakerRegistry(RegistryOptions options);

  // Puts other policies in force: those that `change` makes of a copy of the
  // ones of now.
  template <typename Change>
  void ChangePolicies(Change change);

  const std::unique_ptr<State> state_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_REGISTRY_H_
