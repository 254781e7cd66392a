// Which policy applies to which breaker: the one with the most specific scope,
// by method first, then by service, then by name. If the program and the
// operator's configuration have the same scope, the configuration's applies.
//
// To change it, change a copy and put that in its place. A copy shares the
// policies, so it is cheap.
//
// Thread-compatible.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_POLICY_TABLE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_POLICY_TABLE_H_

#include <array>
#include <map>
#include <memory>
#include <utility>

#include "autobreaker/breaker/internal/rules.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/policy.h"

namespace autobreaker {

// A policy, and its options worked out once for all breakers it applies to.
struct PolicyInForce {
  BreakerPolicy policy;
  std::shared_ptr<const Rules> rules;

  // REQUIRES: valid options.
  static std::shared_ptr<const PolicyInForce> Of(const BreakerPolicy& policy);
  static std::shared_ptr<const PolicyInForce> Of(const BreakerOptions& options);
};

class PolicyTable {
 public:
  using SharedPolicy = std::shared_ptr<const PolicyInForce>;
  // By scope: a key of which the parts that are empty stand for any.
  using Policies = std::map<BreakerKey, SharedPolicy>;

  // `defaults` apply where nothing else does.
  explicit PolicyTable(const BreakerOptions& defaults)
      : program_{{BreakerKey(), PolicyInForce::Of(defaults)}} {}

  struct Found {
    BreakerKey scope;
    SharedPolicy policy;  // never null
    bool applied;         // by the configuration
  };

  // What applies to a breaker.
  Found Find(const BreakerKey& key) const;
  // The same with no regard to the configuration.
  Found FindProgram(const BreakerKey& key) const;
  // The policy alone. Never null.
  const SharedPolicy& For(const BreakerKey& key) const;

  // What the program sets for a scope.
  void SetProgram(const BreakerKey& scope, SharedPolicy policy) {
    program_[scope] = std::move(policy);
  }
  // What a configuration says, in place of the one before.
  void SetApplied(Policies applied) { applied_ = std::move(applied); }
  const Policies& applied() const { return applied_; }

  // The scopes that a key agrees with, from the most specific to the empty one.
  static std::array<BreakerKey, 6> ScopesOf(const BreakerKey& key);

 private:
  Policies program_;
  Policies applied_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_POLICY_TABLE_H_
