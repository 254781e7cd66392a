// The simulation as a whole, on few calls.

#include "autobreaker/simulation/tournament.h"

#include <cstdint>
#include <string>
#include <vector>

#include "autobreaker/simulation/contestants.h"
#include "autobreaker/simulation/json_report.h"
#include "autobreaker/simulation/markdown_report.h"
#include "autobreaker/simulation/scenarios.h"
#include "autobreaker/simulation/standings.h"
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
  return MarkdownReport(standings) + JsonReport(standings);
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

TEST(MarkdownReport, NumbersAreShort) {
  EXPECT_EQ(Short(0), "0");
  EXPECT_EQ(Short(0.4242), "0.42");
  EXPECT_EQ(Short(4), "4");
  EXPECT_EQ(Short(4.25), "4.2");
  EXPECT_EQ(Short(42.4), "42");
  EXPECT_EQ(Short(1234567), "1,234,567");
}

}  // namespace
}  // namespace autobreaker::decisions
