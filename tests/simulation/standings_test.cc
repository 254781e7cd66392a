// Who counts, and who is best.

#include "autobreaker/simulation/standings.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "autobreaker/simulation/contestants.h"
#include "autobreaker/simulation/measures.h"
#include "autobreaker/simulation/reach.h"
#include "autobreaker/simulation/scenarios.h"
#include "autobreaker/simulation/tournament.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

constexpr size_t kNoise = 0;
constexpr size_t kIncident = 1;

constexpr size_t kPeer = 1;
constexpr size_t kQuietSetting = 2;
constexpr size_t kNoisySetting = 3;

// Ours, a peer, and two settings of it: one is better than it, and one that is
// noisy is the best of all.
Results MakeResults() {
  Results results;
  results.scenarios.resize(2);
  results.scenarios[kNoise].background = 0.02;
  results.scenarios[kIncident].kind = Kind::kIncident;
  results.contestants = {
      {std::string(kOurs), std::string(kDefault), Role::kOurs, nullptr},
      {"peer", "default", Role::kPeerDefault, nullptr},
      {"peer", "quiet", Role::kPeerGrid, nullptr},
      {"peer", "noisy", Role::kPeerGrid, nullptr}};
  results.measures = {std::vector<Measures>(4), std::vector<Measures>(4)};
  results.measures[kNoise][0].false_openings_per_million = 1;
  results.measures[kNoise][kPeer].false_openings_per_million = 1;
  results.measures[kNoise][kNoisySetting].false_openings_per_million = 2;
  results.measures[kIncident][0].failed_admitted = 6;
  results.measures[kIncident][kPeer].failed_admitted = 4;
  results.measures[kIncident][kQuietSetting].failed_admitted = 3;
  results.measures[kIncident][kNoisySetting].failed_admitted = 2;
  return results;
}

TEST(Standings, ASettingThatIsNoisierThanOursDoesNotQualify) {
  const Results results = MakeResults();
  const Standings standings(results);
  EXPECT_TRUE(standings.Qualifies(kPeer, 1));
  EXPECT_TRUE(standings.Qualifies(kQuietSetting, 1));
  EXPECT_FALSE(standings.Qualifies(kNoisySetting, 1));
}

TEST(Standings, NoiseAtAnotherRateDoesNotCount) {
  const Results results = MakeResults();
  EXPECT_TRUE(Standings(results).Qualifies(kNoisySetting, 10));
}

TEST(Standings, NoiseAtAnyRateCountsIfNoneIsGiven) {
  const Results results = MakeResults();
  EXPECT_FALSE(Standings(results).Qualifies(kNoisySetting, std::nullopt));
}

TEST(Standings, ASettingThatIsNoisyAtAnotherRateIsNotSteady) {
  Results results = MakeResults();
  results.scenarios[kNoise].rate = 10;
  const Standings standings(results);
  EXPECT_EQ(standings.Best(kIncident, CostAfter, Field::kQualified),
            kNoisySetting);
  EXPECT_EQ(standings.Best(kIncident, CostAfter, Field::kSteady),
            kQuietSetting);
}

TEST(Standings, TheBestIsOfItsField) {
  const Results results = MakeResults();
  const Standings standings(results);
  const auto best = [&](Field field) {
    return standings.Best(kIncident, CostAfter, field);
  };
  EXPECT_EQ(best(Field::kDefaults), kPeer);
  EXPECT_EQ(best(Field::kQualified), kQuietSetting);
  EXPECT_EQ(best(Field::kAny), kNoisySetting);
}

TEST(Standings, WhoDoesNotTakePartIsNotTheBest) {
  Results results = MakeResults();
  results.scenarios[kIncident].rate = 2 * kHighestTriedRate;
  EXPECT_EQ(Standings(results).Best(kIncident, CostAfter, Field::kAny), kPeer);
}

TEST(Standings, NobodyIsTheBestOfNobody) {
  const Results results = MakeResults();
  EXPECT_EQ(Standings(results).Best(kIncident, CostAfter, Field::kAny, "other"),
            std::nullopt);
}

TEST(Reach, TheRatioIsOfOursToTheBest) {
  const Results results = MakeResults();
  EXPECT_EQ(Ratio(Standings(results), kIncident, CostAfter, Field::kQualified),
            2);
}

TEST(Reach, TheSummaryCountsScenariosByTheirRatio) {
  Results results = MakeResults();
  results.contestants.push_back(
      {std::string(kOurs), std::string(kPlain), Role::kOurs, nullptr});
  results.contestants.push_back({"none", "", Role::kNone, nullptr});
  for (std::vector<Measures>& measures : results.measures) measures.resize(6);
  const std::string summary = ReachSummary(Standings(results));
  EXPECT_NE(summary.find("| cost 1 | settings quiet at this rate | 1 | 0 | 0 "
                         "| 1 | 2.00 incident_100%_fast_at_1/s |"),
            std::string::npos)
      << summary;
}

TEST(Reach, TheBoundIsThatOfLorden) {
  EXPECT_NEAR(CallsBound(0.3), 24, 0.5);
  EXPECT_NEAR(CallsBound(0.6), 8.2, 0.1);
  EXPECT_NEAR(CallsBound(1), 3.5, 0.1);
}

}  // namespace
}  // namespace autobreaker::decisions
