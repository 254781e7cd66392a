// The calls of a simulated world are as its scenario says.

#include "autobreaker/simulation/world.h"

#include <cstddef>
#include <vector>

#include "autobreaker/simulation/scenarios.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

std::vector<Call> Calls(World world, size_t count) {
  std::vector<Call> all;
  std::vector<Call> some;
  while (all.size() < count) {
    world.Next(&some);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Scenario Incident() {
  Scenario scenario;
  scenario.kind = Kind::kIncident;
  scenario.rate = 100;
  scenario.share = 0.6;
  scenario.shortest = Seconds(5);
  scenario.longest = Seconds(300);
  scenario.episodes = 10;
  return scenario;
}

TEST(World, TheSameSeedIsTheSameWorld) {
  const Scenario scenario = Incident();
  const std::vector<Call> a = Calls(World(scenario, 7, 3), 10'000);
  const std::vector<Call> b = Calls(World(scenario, 7, 3), 10'000);
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].at, b[i].at);
    ASSERT_EQ(a[i].ends, b[i].ends);
    ASSERT_EQ(a[i].fails, b[i].fails);
  }
}

TEST(World, CallsComeAtTheRate) {
  const Scenario scenario = Incident();
  const std::vector<Call> calls = Calls(World(scenario, 1, 0), 100'000);
  EXPECT_NEAR(static_cast<double>(calls.size()) / ToSeconds(calls.back().at),
              100, 1);
}

TEST(World, TheShareFailsDuringTheIncident) {
  const Scenario scenario = Incident();
  int calls = 0;
  int failed = 0;
  for (const Call& call : Calls(World(scenario, 1, 9), 50'000)) {
    if (call.phase != Phase::kDuring) continue;
    ++calls;
    if (call.fails) ++failed;
  }
  ASSERT_GT(calls, 10'000);
  EXPECT_NEAR(static_cast<double>(failed) / calls, 0.6, 0.02);
}

TEST(World, IncidentsAreOfAllLengths) {
  const Scenario scenario = Incident();
  const World first(scenario, 1, 0);
  const World last(scenario, 1, 9);
  EXPECT_LT(first.recovers() - first.begins(), Seconds(7.6));
  EXPECT_GT(last.recovers() - last.begins(), Seconds(199));
}

TEST(World, HangingCallsFailAtTheDeadline) {
  Scenario scenario = Incident();
  scenario.hangs = true;
  for (const Call& call : Calls(World(scenario, 1, 9), 10'000)) {
    if (call.phase == Phase::kDuring && call.fails) {
      ASSERT_EQ(call.ends - call.at, kDeadline);
    } else {
      ASSERT_LE(call.ends - call.at, Seconds(0.1));
    }
  }
}

TEST(World, ALostConnectionFailsAllCallsUnderWayAtOnce) {
  Scenario scenario;
  scenario.kind = Kind::kLostConnections;
  scenario.rate = 100;
  scenario.background = 0;
  int lost = 0;
  for (const Call& call : Calls(World(scenario, 1, 0), 200'000)) {
    if (!call.fails) continue;
    ++lost;
    ASSERT_EQ(call.ends % Seconds(20), 0);
  }
  EXPECT_NEAR(lost / 100.0, kInFlightWhenLost, 2);
}

TEST(World, ABlipIsShort) {
  Scenario scenario;
  scenario.kind = Kind::kBlip;
  scenario.rate = 1000;
  scenario.background = 0;
  for (const Call& call : Calls(World(scenario, 1, 0), 100'000)) {
    ASSERT_EQ(call.fails, call.at % Seconds(30) >= Seconds(29.95));
  }
}

}  // namespace
}  // namespace autobreaker::decisions
