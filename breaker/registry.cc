#include "autobreaker/breaker/registry.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace autobreaker {
namespace {

// The user's instruments, with the listeners told first: they do not throw.
std::shared_ptr<const Instruments> WithListeners(
    Instruments instruments, std::shared_ptr<TransitionListeners> listeners) {
  instruments.on_transition = [listeners = std::move(listeners),
                               user = std::move(instruments.on_transition)](
                                  const Transition& transition) {
    listeners->Notify(transition);
    if (user) user(transition);
  };
  return std::make_shared<const Instruments>(std::move(instruments));
}

std::shared_ptr<const BreakerPolicy> PolicyOf(const BreakerOptions& options) {
  BreakerPolicy policy;
  policy.options = options;
  return std::make_shared<const BreakerPolicy>(std::move(policy));
}

absl::Status CheckScope(const BreakerKey& scope) {
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

BreakerRegistry::BreakerRegistry(RegistryOptions options)
    : max_breakers_(static_cast<size_t>(options.max_breakers)),
      listeners_(std::make_shared<TransitionListeners>()),
      instruments_(WithListeners(std::move(options.instruments), listeners_)),
      program_{{BreakerKey(), PolicyOf(options.defaults)}} {}

std::shared_ptr<CircuitBreaker> BreakerRegistry::GetOrCreate(
    const BreakerKey& key) {
  SharedBreaker breaker;
  {
    MutexLock lock(&mu_);
    const auto found = breakers_.find(key);
    if (found != breakers_.end()) return *found;
    const size_t length =
        key.name.size() + key.service.size() + key.method.size();
    if (breakers_.size() >= max_breakers_ || length > kMaxKeyLength) {
      overflow_total_.fetch_add(1, std::memory_order_relaxed);
      return nullptr;
    }
    // Policy and instruments were checked when they came in.
    breaker.reset(new CircuitBreaker(key, MostSpecific(key, program_, applied_),
                                     instruments_));
    breakers_.insert(breaker);
  }
  breaker->DeliverTransitions();  // it may begin forced open
  return breaker;
}

std::shared_ptr<CircuitBreaker> BreakerRegistry::Find(
    const BreakerKey& key) const {
  MutexLock lock(&mu_);
  const auto found = breakers_.find(key);
  return found == breakers_.end() ? nullptr : *found;
}

bool BreakerRegistry::Remove(const BreakerKey& key) {
  MutexLock lock(&mu_);
  const auto found = breakers_.find(key);
  if (found == breakers_.end()) return false;
  (*found)->MarkRemoved();
  breakers_.erase(found);
  return true;
}

std::vector<std::shared_ptr<CircuitBreaker>> BreakerRegistry::Breakers() const {
  MutexLock lock(&mu_);
  return {breakers_.begin(), breakers_.end()};
}

absl::Status BreakerRegistry::SetOptions(const BreakerKey& scope,
                                         const BreakerOptions& options) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  if (absl::Status status = CheckScope(scope); !status.ok()) return status;
  SharedPolicy policy = PolicyOf(options);
  std::vector<SharedBreaker> changed;
  {
    MutexLock lock(&mu_);
    Policies program = program_;
    program[scope] = std::move(policy);
    changed = ReplacePoliciesLocked(std::move(program), applied_);
  }
  for (const SharedBreaker& breaker : changed) breaker->DeliverTransitions();
  return absl::OkStatus();
}

absl::Status BreakerRegistry::Apply(
    const std::map<BreakerKey, BreakerPolicy>& config) {
  Policies applied;
  for (const auto& [scope, policy] : config) {
    absl::Status status = CheckScope(scope);
    if (status.ok()) status = policy.options.Validate();
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("scope ", ToString(scope), ": ", status.message()));
    }
    applied.emplace(scope, std::make_shared<const BreakerPolicy>(policy));
  }
  std::vector<SharedBreaker> changed;
  {
    MutexLock lock(&mu_);
    changed = ReplacePoliciesLocked(program_, std::move(applied));
  }
  for (const SharedBreaker& breaker : changed) breaker->DeliverTransitions();
  return absl::OkStatus();
}

BreakerPolicy BreakerRegistry::PolicyFor(const BreakerKey& key) const {
  MutexLock lock(&mu_);
  return *MostSpecific(key, program_, applied_);
}

BreakerOptions BreakerRegistry::ProgramOptions(const BreakerKey& scope) const {
  MutexLock lock(&mu_);
  return MostSpecific(scope, program_, {})->options;
}

void BreakerRegistry::RecordReload(bool succeeded) {
  const absl::Time now = instruments_->clock->WallNow();
  MutexLock lock(&mu_);
  if (!reloads_.has_value()) reloads_.emplace();
  ++(succeeded ? reloads_->succeeded : reloads_->failed);
  reloads_->last_succeeded = succeeded;
  if (succeeded) reloads_->last_success_time = now;
}

std::optional<ConfigReloads> BreakerRegistry::reloads() const {
  MutexLock lock(&mu_);
  return reloads_;
}

const BreakerRegistry::SharedPolicy& BreakerRegistry::MostSpecific(
    const BreakerKey& key, const Policies& program, const Policies& applied) {
  const SharedPolicy* policy = nullptr;
  for (const BreakerKey& scope :
       {key, BreakerKey{"", key.service, key.method},
        BreakerKey{key.name, key.service, ""}, BreakerKey{"", key.service, ""},
        BreakerKey{key.name, "", ""}, BreakerKey()}) {
    for (const Policies* const policies : {&applied, &program}) {
      const auto found = policies->find(scope);
      if (found == policies->end()) continue;
      policy = &found->second;
      break;
    }
    if (policy != nullptr) break;
  }
  return *policy;  // the program has one for the empty scope
}

std::vector<std::shared_ptr<CircuitBreaker>>
BreakerRegistry::ReplacePoliciesLocked(Policies program, Policies applied) {
  std::vector<SharedBreaker> changed;
  for (const SharedBreaker& breaker : breakers_) {
    const SharedPolicy& before =
        MostSpecific(breaker->key(), program_, applied_);
    const SharedPolicy& after = MostSpecific(breaker->key(), program, applied);
    if (before == after || *before == *after) continue;
    changed.push_back(breaker);
    breaker->ReplacePolicy(*before, after);
  }
  program_ = std::move(program);
  applied_ = std::move(applied);
  return changed;
}

}  // namespace autobreaker
