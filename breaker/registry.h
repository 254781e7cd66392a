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
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "breaker/circuit_breaker.h"
#include "breaker/environment.h"
#include "breaker/key.h"
#include "breaker/mutex.h"
#include "breaker/options.h"

namespace autobreaker {

struct RegistryOptions {
  // For breakers that no SetOptions() applies to.
  BreakerOptions defaults;

  // Breakers there may be at once. 1 to 1,000,000.
  int64_t max_breakers = 1024;

  // For all breakers of the registry.
  BreakerEnvironment environment;
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

  // Takes the breaker out; whoever holds it may go on using it, and should
  // come back to GetOrCreate() when removed() says so. False if there is none.
  bool Remove(const BreakerKey& key);

  // All breakers, in the order of their keys.
  std::vector<std::shared_ptr<CircuitBreaker>> Breakers() const;

  // Options for every key that agrees with `scope` wherever `scope` is not
  // empty, existing breakers included. The most specific scope applies: first
  // by method, then by service, then by name. INVALID_ARGUMENT changes nothing.
  absl::Status SetOptions(const BreakerKey& scope,
                          const BreakerOptions& options);

  // What all breakers here share.
  const BreakerEnvironment& environment() const { return *environment_; }

  // Calls that got no breaker. Never goes back.
  uint64_t overflow_total() const {
    return overflow_total_.load(std::memory_order_relaxed);
  }

 private:
  explicit BreakerRegistry(RegistryOptions options);

  using SharedBreaker = std::shared_ptr<CircuitBreaker>;
  using SharedOptions = std::shared_ptr<const BreakerOptions>;

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

  // The options for `key` and in `scope` the scope they come from.
  const SharedOptions& OptionsFor(const BreakerKey& key,
                                  BreakerKey* scope) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t max_breakers_;
  const std::shared_ptr<const BreakerEnvironment> environment_;
  std::atomic<uint64_t> overflow_total_{0};

  mutable Mutex mu_;
  absl::btree_set<SharedBreaker, ByKey> breakers_ ABSL_GUARDED_BY(mu_);
  // By scope; the empty one is always there. Each is shared with the breakers
  // that it applies to.
  std::map<BreakerKey, SharedOptions> options_ ABSL_GUARDED_BY(mu_);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_REGISTRY_H_
