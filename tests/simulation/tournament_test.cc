// The simulation as a whole, on few calls.

#include "autobreaker/simulation/tournament.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "autobreaker/simulation/appendix.h"
#include "autobreaker/simulation/charts.h"
#include "autobreaker/simulation/contestants.h"
#include "autobreaker/simulation/json_report.h"
#include "autobreaker/simulation/loss_table.h"
#include "autobreaker/simulation/scenarios.h"
#include "autobreaker/simulation/standings.h"
#include "autobreaker/simulation/summary.h"
#include "autobreaker/simulation/svg_chart.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

// Ours, none, and peers as they come: settings that are tried add nothing here
// but time.
std::vector<Contestant> FewContestants() {
  std::vector<Contestant> few;
  for (const Contestant& contestant : AllContestants()) {
    if (contestant.role != Role::kPeerGrid) few.push_back(contestant);
  }
  return few;
}

std::string Reports(uint64_t seed, int threads) {
  const Results results = RunTournament(AllScenarios(/*quick=*/true),
                                        FewContestants(), seed, threads);
  const Standings standings(results);
  std::string reports = Summary(standings) + LossTable(standings) +
                        Appendix(standings) + JsonReport(standings);
  for (const NamedChart& chart : AllCharts(standings)) {
    reports += Svg(chart.chart);
  }
  return reports;
}

TEST(Tournament, TheSameSeedGivesTheSameReports) {
  const std::string reports = Reports(/*seed=*/1, /*threads=*/1);
  EXPECT_EQ(reports, Reports(/*seed=*/1, /*threads=*/2));
  EXPECT_NE(reports, Reports(/*seed=*/2, /*threads=*/2));
}

TEST(Tournament, WithoutABreakerNothingIsRefused) {
  std::vector<Contestant> none;
  for (const Contestant& contestant : FewContestants()) {
    if (contestant.role == Role::kNone) none.push_back(contestant);
  }
  for (const Scenario& scenario : AllScenarios(/*quick=*/true)) {
    const Measures m = RunScenario(scenario, none, /*seed=*/1)[0];
    EXPECT_EQ(m.false_openings, 0) << scenario.Name();
    EXPECT_EQ(m.opened_share, 0) << scenario.Name();
    EXPECT_EQ(m.failed_before_opening_median > 0, !IsNoise(scenario.kind))
        << scenario.Name();
  }
}

TEST(Scenarios, NoTwoHaveTheSameName) {
  std::set<std::string> names;
  for (const Scenario& scenario : AllScenarios(/*quick=*/false)) {
    EXPECT_TRUE(names.insert(scenario.Name()).second) << scenario.Name();
  }
}

}  // namespace
}  // namespace autobreaker::decisions
