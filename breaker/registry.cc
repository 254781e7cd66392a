#include "breaker/registry.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace autobreaker {

absl::StatusOr<std::shared_ptr<BreakerRegistry>> BreakerRegistry::Create(
    RegistryOptions options) {
  if (absl::Status status = options.defaults.Validate(); !status.ok()) {
    return status;
  }
  if (options.max_breakers < 1 || options.max_breakers > 1'000'000) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_breakers is ", options.max_breakers, ", must be in [1, 1000000]"));
  }
  if (absl::Status status = options.environment.Validate(); !status.ok()) {
    return status;
  }
  return std::shared_ptr<BreakerRegistry>(
      new BreakerRegistry(std::move(options)));
}

BreakerRegistry::BreakerRegistry(RegistryOptions options)
    : max_breakers_(static_cast<size_t>(options.max_breakers)),
      environment_(std::make_shared<const BreakerEnvironment>(
          std::move(options.environment))),
      options_{{BreakerKey(),
                std::make_shared<const BreakerOptions>(options.defaults)}} {}

std::shared_ptr<CircuitBreaker> BreakerRegistry::GetOrCreate(
    const BreakerKey& key) {
  MutexLock lock(&mu_);
  const auto found = breakers_.find(key);
  if (found != breakers_.end()) return *found;
  const size_t length =
      key.name.size() + key.service.size() + key.method.size();
  if (breakers_.size() >= max_breakers_ || length > kMaxKeyLength) {
    overflow_total_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  BreakerKey scope;
  // Options and environment were checked when they came in.
  SharedBreaker breaker(
      new CircuitBreaker(key, OptionsFor(key, &scope), environment_));
  breakers_.insert(breaker);
  return breaker;
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
  if (!scope.method.empty() && scope.service.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("scope.method is \"", scope.method,
                     "\", must be empty where scope.service is"));
  }
  const auto shared = std::make_shared<const BreakerOptions>(options);
  MutexLock lock(&mu_);
  options_[scope] = shared;
  for (const SharedBreaker& breaker : breakers_) {
    BreakerKey applies;
    OptionsFor(breaker->key(), &applies);
    if (applies == scope) breaker->ReplaceOptions(shared);
  }
  return absl::OkStatus();
}

const BreakerRegistry::SharedOptions& BreakerRegistry::OptionsFor(
    const BreakerKey& key, BreakerKey* scope) const {
  for (const BreakerKey& candidate :
       {key, BreakerKey{"", key.service, key.method},
        BreakerKey{key.name, key.service, ""}, BreakerKey{"", key.service, ""},
        BreakerKey{key.name, "", ""}}) {
    const auto found = options_.find(candidate);
    if (found != options_.end()) {
      *scope = candidate;
      return found->second;
    }
  }
  *scope = BreakerKey();
  return options_.at(*scope);
}

}  // namespace autobreaker
