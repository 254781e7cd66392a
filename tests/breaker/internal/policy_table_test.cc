#include "autobreaker/breaker/internal/policy_table.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "autobreaker/breaker/key.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

const BreakerKey kPlace = {"payments", "shop.Orders", "Place"};

// All scopes that kPlace is in, from the most specific to the empty one.
const BreakerKey kScopes[] = {
    kPlace,
    {"", "shop.Orders", "Place"},
    {"payments", "shop.Orders", ""},
    {"", "shop.Orders", ""},
    {"payments", "", ""},
    {"", "", ""},
};
constexpr size_t kScopeCount = 6;

// Options that are told apart by a number.
BreakerOptions Numbered(int64_t number) {
  BreakerOptions options = ExactOptions();
  options.trip.minimum_calls = number;
  return options;
}
PolicyTable::SharedPolicy Policy(int64_t number) {
  return PolicyInForce::Of(Numbered(number));
}
int64_t Number(const PolicyTable::SharedPolicy& policy) {
  return policy->policy.options.trip.minimum_calls;
}

constexpr int64_t kDefault = 1000;

class PolicyTableTest : public ::testing::Test {
 protected:
  PolicyTable table_{Numbered(kDefault)};
};

TEST(PolicyInForceTest, RulesAreThoseOfItsOptions) {
  EXPECT_EQ(Policy(7)->rules->options, Numbered(7));
  EXPECT_EQ(Policy(7)->rules->trip.minimum_calls, 7);
}

TEST_F(PolicyTableTest, DefaultsApplyWhereNothingElseDoes) {
  table_.SetProgram({"search", "", ""}, Policy(1));
  table_.SetProgram({"", "shop.Stock", ""}, Policy(2));
  table_.SetProgram({"", "shop.Orders", "Cancel"}, Policy(3));
  table_.SetProgram({"search", "shop.Orders", ""}, Policy(4));
  EXPECT_EQ(Number(table_.For(kPlace)), kDefault);
}

TEST_F(PolicyTableTest, EachScopeAloneApplies) {
  for (size_t i = 0; i < kScopeCount; ++i) {
    PolicyTable program = table_;
    program.SetProgram(kScopes[i], Policy(7));
    EXPECT_EQ(Number(program.For(kPlace)), 7) << "scope " << i;
    PolicyTable applied = table_;
    applied.SetApplied({{kScopes[i], Policy(8)}});
    EXPECT_EQ(Number(applied.For(kPlace)), 8) << "scope " << i;
  }
}

TEST_F(PolicyTableTest, MoreSpecificScopeAppliesWhoeverSetIt) {
  for (size_t specific = 0; specific < kScopeCount; ++specific) {
    for (size_t other = specific + 1; other < kScopeCount; ++other) {
      for (const bool specific_is_applied : {false, true}) {
        for (const bool other_is_applied : {false, true}) {
          PolicyTable table = table_;
          PolicyTable::Policies applied;
          const auto set = [&](bool is_applied, size_t scope, int64_t number) {
            if (is_applied) {
              applied[kScopes[scope]] = Policy(number);
            } else {
              table.SetProgram(kScopes[scope], Policy(number));
            }
          };
          set(specific_is_applied, specific, 1);
          set(other_is_applied, other, 2);
          table.SetApplied(std::move(applied));
          EXPECT_EQ(Number(table.For(kPlace)), 1)
              << "scope " << specific << " of configuration "
              << specific_is_applied << ", scope " << other
              << " of configuration " << other_is_applied;
        }
      }
    }
  }
}

TEST_F(PolicyTableTest, OnEqualScopesTheConfigurationApplies) {
  for (const BreakerKey& scope : kScopes) {
    PolicyTable table = table_;
    table.SetProgram(scope, Policy(1));
    table.SetApplied({{scope, Policy(2)}});
    EXPECT_EQ(Number(table.For(kPlace)), 2) << ToString(scope);
  }
}

TEST_F(PolicyTableTest, ProgramsOwnIgnoresTheConfiguration) {
  table_.SetApplied({{kPlace, Policy(1)}, {{}, Policy(2)}});
  EXPECT_EQ(Number(table_.FindProgram(kPlace).policy), kDefault);
  table_.SetProgram({"payments", "", ""}, Policy(3));
  EXPECT_EQ(Number(table_.FindProgram(kPlace).policy), 3);
}

TEST_F(PolicyTableTest, NextConfigurationTakesThePlaceOfTheOneBefore) {
  table_.SetApplied({{kPlace, Policy(1)}});
  table_.SetApplied({{{}, Policy(2)}});
  EXPECT_EQ(Number(table_.For(kPlace)), 2);
}

TEST_F(PolicyTableTest, ProgramReplacesOneScopeAndKeepsOthers) {
  table_.SetProgram(kPlace, Policy(1));
  table_.SetProgram({"payments", "", ""}, Policy(2));
  table_.SetProgram(kPlace, Policy(3));
  EXPECT_EQ(Number(table_.For(kPlace)), 3);
  EXPECT_EQ(Number(table_.For({"payments", "a.B", "C"})), 2);
}

TEST_F(PolicyTableTest, BreakersOfOneScopeShareOnePolicy) {
  table_.SetProgram({"payments", "", ""}, Policy(1));
  EXPECT_EQ(table_.For(kPlace), table_.For({"payments", "a.B", "C"}));
}

TEST_F(PolicyTableTest, ChangeOfACopyLeavesTheOriginal) {
  PolicyTable copy = table_;
  copy.SetProgram(kPlace, Policy(1));
  copy.SetApplied({{{}, Policy(2)}});
  EXPECT_EQ(Number(table_.For(kPlace)), kDefault);
}

}  // namespace
}  // namespace autobreaker
