// Which scenarios are told of together, and what of them.

#include "autobreaker/simulation/summary.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "autobreaker/simulation/contestants.h"
#include "autobreaker/simulation/measures.h"
#include "autobreaker/simulation/scenarios.h"
#include "autobreaker/simulation/tournament.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

Scenario Incident(double share) {
  Scenario scenario;
  scenario.kind = Kind::kIncident;
  scenario.share = share;
  return scenario;
}

Measures Lost(double calls) {
  Measures m;
  m.failed_admitted = calls;
  return m;
}

// Two partial incidents and a total one, of which 100 calls are lost without a
// breaker; ours loses 50, 200 and 10, a peer 100, 100 and 5.
Results MakeResults() {
  Results results;
  results.scenarios = {Incident(0.3), Incident(0.45), Incident(1)};
  results.contestants = {
      {std::string(kOurs), std::string(kDefault), Role::kOurs, nullptr},
      {"none", "", Role::kNone, nullptr},
      {"peer", std::string(kDefault), Role::kPeerDefault, nullptr}};
  results.measures = {{Lost(50), Lost(100), Lost(100)},
                      {Lost(200), Lost(100), Lost(100)},
                      {Lost(10), Lost(100), Lost(5)}};
  return results;
}

TEST(Summary, ARowHasTheGeometricMeanOfItsScenarios) {
  const Results results = MakeResults();
  const std::string table = SummaryTable(Standings(results));
  EXPECT_TRUE(absl::StrContains(table, "| 30 to 45 % fail | 2 | 1 | 2 | 1 |"))
      << table;
  EXPECT_TRUE(absl::StrContains(table, "| 100 % fail | 1 | 0.1 | 0.1 | 0.05 |"))
      << table;
}

TEST(Summary, AnAimCountsScenariosAndNamesThoseThatMissIt) {
  const Results results = MakeResults();
  const std::string aims = Aims(Standings(results));
  EXPECT_TRUE(absl::StrContains(
      aims, "1.05 times: in 1 of 2 scenarios. Highest: 2.00 incident_45%"))
      << aims;
  EXPECT_TRUE(absl::StrContains(
      aims, "1 times: in 0 of 1 scenarios. Highest: 2.00 incident_100%"))
      << aims;
}

TEST(Summary, EveryScenarioInWhichSomethingIsWrongIsInAGroup) {
  for (const Scenario& scenario : AllScenarios(/*quick=*/false)) {
    EXPECT_EQ(GroupOf(scenario).empty(),
              IsNoise(scenario.kind) || scenario.kind == Kind::kFleet)
        << scenario.Name();
  }
}

TEST(Summary, IsAScreen) {
  std::vector<std::string> groups;
  for (const Scenario& scenario : AllScenarios(/*quick=*/false)) {
    const std::string group = GroupOf(scenario);
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) {
      groups.push_back(group);
    }
  }
  EXPECT_LE(groups.size(), 30);
}

}  // namespace
}  // namespace autobreaker::decisions
