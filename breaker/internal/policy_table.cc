#include "autobreaker/breaker/internal/policy_table.h"

namespace autobreaker {
namespace {

using Entry = PolicyTable::Policies::value_type;

// The first of `key`'s scopes, which have no partition, from the most specific
// to the empty one, that one of the two has; of equal ones that of `first`.
const Entry* MostSpecific(const BreakerKey& key,
                          const PolicyTable::Policies& first,
                          const PolicyTable::Policies& second) {
  for (const BreakerKey& scope : PolicyTable::ScopesOf(key)) {
    for (const PolicyTable::Policies* const policies : {&first, &second}) {
      const auto found = policies->find(scope);
      if (found != policies->end()) return &*found;
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
  return MostSpecific(key, applied_, program_)->second;
}

PolicyTable::Found PolicyTable::Find(const BreakerKey& key) const {
  const Entry& entry = *MostSpecific(key, applied_, program_);
  const auto applied = applied_.find(entry.first);
  return {entry.first, entry.second,
          applied != applied_.end() && applied->second == entry.second};
}

PolicyTable::Found PolicyTable::FindProgram(const BreakerKey& key) const {
  const Entry& entry = *MostSpecific(key, program_, Policies());
  return {entry.first, entry.second, /*applied=*/false};
}

}  // namespace autobreaker
