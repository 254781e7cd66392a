#include "autobreaker/breaker/registry.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/internal/policy_table.h"
#include "autobreaker/breaker/internal/transition_courier.h"

namespace autobreaker {
namespace {

absl::Status CheckScope(const BreakerKey& scope) {
  if (!scope.partition.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("scope.partition is \"", scope.partition,
                     "\", must be empty: options are for all partitions"));
  }
  if (scope.method.empty() || !scope.service.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("scope.method is \"", scope.method,
                   "\", must be empty where scope.service is"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<BreakerRegistry>> BreakerRegistry::Create(
    RegistryOptions options) {
  if (absl::Status status = options.defaults.Validate(); !status.ok()) {
    return status;
  }
  if (options.max_breakers < 1 || options.max_breakers > 1'000'000) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_breakers is ", options.max_breakers, ", must be in [1, 1000000]"));
  }
  if (absl::Status status = options.instruments.Validate(); !status.ok()) {
    return status;
  }
  return std::shared_ptr<BreakerRegistry>(
      new BreakerRegistry(std::move(options)));
}

struct BreakerRegistry::State {
  using SharedBreaker = std::shared_ptr<RegisteredBreaker>;

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
  using Breakers = absl::btree_set<SharedBreaker, ByKey>;

  explicit State(RegistryOptions options)
      : max_breakers(static_cast<size_t>(options.max_breakers)),
        instruments(std::make_shared<const Instruments>(
            std::move(options.instruments))),
        courier(
            std::make_shared<TransitionCourier>(instruments->on_transition)),
        policies(std::make_unique<const PolicyTable>(options.defaults)) {}

  const size_t max_breakers;
  const std::shared_ptr<const Instruments> instruments;
  const std::shared_ptr<TransitionCourier> courier;
  std::atomic<uint64_t> overflow_total{0};
  ConfigReloads config_reloads;

  // Takes one out that nobody holds and that has no calls under way. False if
  // there is none.
  bool MakeRoom(MonotonicTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  // Finds those that nobody holds.
  void LookForUnheld(MonotonicTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  // Takes it out, and keeps what it counted.
  void TakeOut(Breakers::iterator which, const RegisteredSnapshot& snapshot,
               uint64_t RemovedBreakers::*reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  Mutex mu;
  Breakers breakers ABSL_GUARDED_BY(mu);
  // Keys of breakers that nobody held at the last look, the one that was held
  // last the longest ago at the end; and before when not to look again, since
  // there was none.
  std::vector<BreakerKey> unheld ABSL_GUARDED_BY(mu);
  MonotonicTime next_look ABSL_GUARDED_BY(mu);
  RemovedBreakers removed ABSL_GUARDED_BY(mu);
  std::unique_ptr<const PolicyTable> policies ABSL_GUARDED_BY(mu);
};

BreakerRegistry::BreakerRegistry(RegistryOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

// A callback may use the registry, so it is told of all as long as there is
// one.
BreakerRegistry::~BreakerRegistry() { state_->courier->Drain(); }

std::shared_ptr<RegisteredBreaker> BreakerRegistry::GetOrCreate(
    const BreakerKey& key) {
  std::shared_ptr<RegisteredBreaker> breaker;
  const MonotonicTime now = state_->instruments->clock->CoarseNow();
  {
    MutexLock lock(&state_->mu);
    State::Breakers& breakers = state_->breakers;
    const auto found = breakers.find(key);
    if (found != breakers.end()) {
      (*found)->handling().NoteHeld(now);
      return *found;
    }
    const size_t length = key.name.size() + key.service.size() +
                          key.method.size() + key.partition.size();
    if (length > kMaxKeyLength ||
        (breakers.size() >= state_->max_breakers && !state_->MakeRoom(now))) {
      state_->overflow_total.fetch_add(1, std::memory_order_relaxed);
      return nullptr;
    }
    // Policy and instruments were checked when they came in.
    // Not make_shared, which would pad its counts to the breaker's alignment.
    breaker.reset(new RegisteredBreaker(key, *state_->policies->For(key),
                                        state_->instruments, state_->courier));
    breaker->handling().NoteHeld(now);
    breakers.insert(breaker);
  }
  return breaker;
}

std::shared_ptr<RegisteredBreaker> BreakerRegistry::Find(
    const BreakerKey& key) const {
  MutexLock lock(&state_->mu);
  const auto found = state_->breakers.find(key);
  return found == state_->breakers.end() ? nullptr : *found;
}

bool BreakerRegistry::Remove(const BreakerKey& key) {
  MutexLock lock(&state_->mu);
  const auto found = state_->breakers.find(key);
  if (found == state_->breakers.end()) return false;
  state_->TakeOut(found, (*found)->Snapshot(), &RemovedBreakers::taken_out);
  return true;
}

bool BreakerRegistry::State::MakeRoom(MonotonicTime now) {
  if (unheld.empty() && now >= next_look) LookForUnheld(now);
  while (!unheld.empty()) {
    const auto found = breakers.find(unheld.back());
    unheld.pop_back();
    // Somebody may have got it since. It is got under this lock only.
    if (found == breakers.end() || found->use_count() > 1) continue;
    // A permit may be left. use_count() does not make seen what the last holder
    // did; a reference that comes and goes does.
    SharedBreaker(*found).reset();
    const RegisteredSnapshot snapshot = (*found)->Snapshot();
    if (snapshot.in_flight > 0) continue;
    TakeOut(found, snapshot, &RemovedBreakers::made_room);
    return true;
  }
  return false;
}

void BreakerRegistry::State::LookForUnheld(MonotonicTime now) {
  std::vector<const RegisteredBreaker*> found;
  for (const SharedBreaker& breaker : breakers) {
    if (breaker.use_count() == 1) found.push_back(breaker.get());
  }
  // Not all of a large registry, which would take long to sort and to keep.
  constexpr size_t kMost = 1000;
  const size_t count = std::min(found.size(), kMost);
  const auto held_before = [](const auto* a, const auto* b) {
    return std::pair(a->handling().last_held(), a->id()) <
           std::pair(b->handling().last_held(), b->id());
  };
  std::partial_sort(found.begin(), found.begin() + count, found.end(),
                    held_before);
  for (size_t i = count; i > 0; --i) unheld.push_back(found[i - 1]->key());
  // Each call that gets no breaker asks for room. To look takes some 10 ns a
  // breaker, so this takes about a hundredth of the time.
  if (found.empty()) {
    next_look = now + std::chrono::microseconds(breakers.size());
  }
}

void BreakerRegistry::State::TakeOut(Breakers::iterator which,
                                     const RegisteredSnapshot& s,
                                     uint64_t RemovedBreakers::*reason) {
  (*which)->handling().MarkRemoved();
  ++(removed.*reason);
  removed.requests += s.requests;
  removed.successes += s.successes;
  removed.failures += s.failures;
  removed.ignored += s.ignored;
  removed.abandoned += s.abandoned;
  for (const uint64_t refused : s.refused) removed.refused += refused;
  breakers.erase(which);
}

RemovedBreakers BreakerRegistry::removed_breakers() const {
  MutexLock lock(&state_->mu);
  return state_->removed;
}

std::vector<std::shared_ptr<RegisteredBreaker>> BreakerRegistry::Breakers()
    const {
  MutexLock lock(&state_->mu);
  return {state_->breakers.begin(), state_->breakers.end()};
}

template <typename Change>
void BreakerRegistry::ChangePolicies(Change change) {
  MutexLock lock(&state_->mu);
  std::unique_ptr<const PolicyTable>& policies = state_->policies;
  auto next = std::make_unique<PolicyTable>(*policies);
  change(next.get());
  for (const auto& breaker : state_->breakers) {
    const PolicyInForce& before = *policies->For(breaker->key());
    const PolicyInForce& after = *next->For(breaker->key());
    if (before.policy == after.policy) continue;
    breaker->ReplacePolicy(before, after);
  }
  policies = std::move(next);
}

absl::Status BreakerRegistry::SetOptions(const BreakerKey& scope,
                                         const BreakerOptions& options) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  if (absl::Status status = CheckScope(scope); !status.ok()) return status;
  auto policy = PolicyInForce::Of(options);
  ChangePolicies([&](PolicyTable* policies) {
    policies->SetProgram(scope, std::move(policy));
  });
  return absl::OkStatus();
}

absl::Status BreakerRegistry::Apply(
    const std::map<BreakerKey, BreakerPolicy>& config) {
  PolicyTable::Policies applied;
  for (const auto& [scope, policy] : config) {
    absl::Status status = CheckScope(scope);
    if (status.ok()) status = policy.options.Validate();
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("scope ", ToString(scope), ": ", status.message()));
    }
    applied.emplace(scope, PolicyInForce::Of(policy));
  }
  ChangePolicies(
      [&](PolicyTable* policies) { policies->SetApplied(std::move(applied)); });
  return absl::OkStatus();
}

std::vector<BreakerKey> BreakerRegistry::UnmatchedScopes() const {
  MutexLock lock(&state_->mu);
  std::set<BreakerKey> left;
  for (const auto& applied : state_->policies->applied()) {
    left.insert(applied.first);
  }
  for (const auto& breaker : state_->breakers) {
    if (left.empty()) break;
    for (const BreakerKey& scope : PolicyTable::ScopesOf(breaker->key())) {
      left.erase(scope);
    }
  }
  return {left.begin(), left.end()};
}

BreakerPolicy BreakerRegistry::PolicyFor(const BreakerKey& key) const {
  MutexLock lock(&state_->mu);
  return state_->policies->For(key)->policy;
}

PolicyOrigin BreakerRegistry::OriginFor(const BreakerKey& key) const {
  MutexLock lock(&state_->mu);
  const PolicyTable::Found found = state_->policies->Find(key);
  const PolicyTable::Found program = state_->policies->FindProgram(key);
  PolicyOrigin origin;
  if (found.applied) origin.configured_scope = found.scope;
  origin.program_scope = program.scope;
  origin.policy = found.policy->policy;
  origin.program_options = program.policy->policy.options;
  return origin;
}

BreakerOptions BreakerRegistry::ProgramOptions(const BreakerKey& scope) const {
  MutexLock lock(&state_->mu);
  return state_->policies->FindProgram(scope).policy->policy.options;
}

void BreakerRegistry::AddListener(std::weak_ptr<TransitionListener> listener) {
  state_->courier->AddListener(std::move(listener));
}

void BreakerRegistry::FlushTransitions() { state_->courier->Flush(); }

bool BreakerRegistry::HasToldAll() const { return state_->courier->IsIdle(); }

ConfigReloads& BreakerRegistry::config_reloads() {
  return state_->config_reloads;
}

const ConfigReloads& BreakerRegistry::config_reloads() const {
  return state_->config_reloads;
}

const Instruments& BreakerRegistry::instruments() const {
  return *state_->instruments;
}

uint64_t BreakerRegistry::overflow_total() const {
  return state_->overflow_total.load(std::memory_order_relaxed);
}

}  // namespace autobreaker
