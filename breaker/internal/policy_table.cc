#include "autobreaker/breaker/internal/policy_table.h"

namespace autobreaker {
namespace {

// The first of `key`'s scopes, which have no partition, from the most specific
// to the empty one, that one of the two has; of equal ones that of `first`.
const PolicyTable::SharedPolicy* MostSpecific(
    const BreakerKey& key, const PolicyTable::Policies& first,
    const PolicyTable::Policies& second) {
  for (const BreakerKey& scope : PolicyTable::ScopesOf(key)) {
    for (const PolicyTable::Policies* const policies : {&first, &second}) {
      const auto found = policies->find(scope);
      if (found != policies->end()) return &found->second;
    }
  }
  return nullptr;
}

}  // namespace

std::shared_ptr<const PolicyInForce> PolicyInForce::Of(
    const BreakerPolicy& policy) {
  return std::make_shared<const PolicyInForce>(
      PolicyInForce{policy, Rules::Of(policy.options)});
}

std::shared_ptr<const PolicyInForce> PolicyInForce::Of(
    const BreakerOptions& options) {
  BreakerPolicy policy;
  policy.options = options;
  return Of(policy);
}

std::array<BreakerKey, 6> PolicyTable::ScopesOf(const BreakerKey& key) {
  return {BreakerKey{key.name, key.service, key.method},
          BreakerKey{"", key.service, key.method},
          BreakerKey{key.name, key.service, ""},
          BreakerKey{"", key.service, ""},
          BreakerKey{key.name, "", ""},
          BreakerKey()};
}

// The program has a policy for the empty scope, so there is always one.
const PolicyTable::SharedPolicy& PolicyTable::For(const BreakerKey& key) const {
  return *MostSpecific(key, applied_, program_);
}

const PolicyTable::SharedPolicy& PolicyTable::ProgramFor(
    const BreakerKey& key) const {
  return *MostSpecific(key, program_, Policies());
}

}  // namespace autobreaker
