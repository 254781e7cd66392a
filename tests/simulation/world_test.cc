// The calls of a simulated world are as its scenario says.

#include "autobreaker/simulation/world.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "autobreaker/simulation/scenario.h"
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

// Something is wrong for a minute.
Scenario Minute(Kind kind, double rate) {
  Scenario scenario;
  scenario.kind = kind;
  scenario.rate = rate;
  scenario.background = 0;
  scenario.shortest = scenario.longest = Seconds(60);
  return scenario;
}

// Those of its calls that come while something is wrong.
std::vector<Call> During(const Scenario& scenario, size_t count = 100'000) {
  std::vector<Call> during;
  for (const Call& call : Calls(World(scenario, 1, 0), count)) {
    if (call.phase == Phase::kDuring) during.push_back(call);
  }
  return during;
}

double FailedShare(const std::vector<Call>& calls) {
  const auto failed = std::count_if(
      calls.begin(), calls.end(), [](const Call& call) { return call.fails; });
  return static_cast<double>(failed) / static_cast<double>(calls.size());
}

// How often a call fails after one that did.
double FailedAgainShare(const std::vector<Call>& calls) {
  int failed = 0;
  int again = 0;
  for (size_t i = 1; i < calls.size(); ++i) {
    if (!calls[i - 1].fails) continue;
    ++failed;
    if (calls[i].fails) ++again;
  }
  return static_cast<double>(again) / failed;
}

TEST(World, OneOfTheBackendsIsDead) {
  Scenario scenario = Minute(Kind::kBackends, 100);
  scenario.backends = 5;
  for (const Call& call : During(scenario, 10'000)) {
    ASSERT_EQ(call.backends, 5);
    ASSERT_EQ(call.dead_backend, 0);
    ASSERT_FALSE(call.fails);
  }
}

TEST(World, BackendsRestartOneAfterTheOther) {
  Scenario scenario = Minute(Kind::kRestarts, 100);
  scenario.backends = 3;
  const World world(scenario, 1, 0);
  for (const Call& call : During(scenario, 10'000)) {
    ASSERT_EQ(call.dead_backend, (call.at - world.begins()) / Seconds(20));
  }
}

TEST(World, AShareOfTheKeysIsDeadAndTheNextCallOftenHasTheSame) {
  Scenario scenario = Minute(Kind::kKeys, 1000);
  scenario.share = 0.3;
  const std::vector<Call> calls = During(scenario);
  EXPECT_NEAR(FailedShare(calls), 0.3, 0.02);
  EXPECT_NEAR(FailedAgainShare(calls), 0.8 + 0.2 * 0.3, 0.02);
}

TEST(World, BurstsAreOneInElevenPartsOfTheTime) {
  Scenario scenario = Minute(Kind::kBursts, 1000);
  scenario.share = 0.8;
  scenario.lasts = Seconds(0.1);
  scenario.shortest = scenario.longest = Seconds(600);
  const std::vector<Call> calls = During(scenario, 600'000);
  EXPECT_NEAR(FailedShare(calls), 0.8 / 11, 0.015);
  EXPECT_NEAR(FailedAgainShare(calls), 0.8, 0.03);
}

TEST(World, TrafficIsOnForAQuarterOfTheTime) {
  const Scenario scenario = Minute(Kind::kOnOff, 1000);
  const World world(scenario, 1, 0);
  const std::vector<Call> calls = During(scenario);
  EXPECT_NEAR(static_cast<double>(calls.size()), 15'000, 500);
  for (const Call& call : calls) {
    ASSERT_LT((call.at - world.begins()) % Seconds(20), Seconds(5));
  }
}

TEST(World, TheRateOfADayGoesUpAndDown) {
  const Scenario scenario = Minute(Kind::kDaily, 100);
  std::vector<int> minutes(10);
  const std::vector<Call> calls = Calls(World(scenario, 1, 0), 60'000);
  for (const Call& call : calls) {
    const Nanos minute = call.at / Seconds(60);
    if (minute < 10) ++minutes[static_cast<size_t>(minute)];
  }
  std::sort(minutes.begin(), minutes.end());
  EXPECT_LT(minutes.front(), 6000 * 0.2);
  EXPECT_GT(minutes.back(), 6000 * 1.8);
}

TEST(World, NoCallComesBeforeOrWhileAllIsDead) {
  Scenario before = Minute(Kind::kSilenceBefore, 100);
  const World world(before, 1, 0);
  for (const Call& call : Calls(World(before, 1, 0), 10'000)) {
    ASSERT_FALSE(call.at >= world.begins() - Seconds(15) &&
                 call.at < world.begins());
  }
  Scenario during = Minute(Kind::kSilenceWhile, 100);
  for (const Call& call : During(during, 10'000)) {
    ASSERT_LT(call.at, World(during, 1, 0).recovers() - Seconds(15));
  }
}

TEST(World, StreamsTellThatTheyAreServedLongBeforeTheyEnd) {
  Scenario scenario = Minute(Kind::kStreams, 10);
  scenario.lasts = Seconds(600);
  for (const Call& call : Calls(World(scenario, 1, 0), 10'000)) {
    if (call.phase != Phase::kAfter) continue;
    ASSERT_EQ(call.ends - call.at, Seconds(600));
    ASSERT_LE(call.progress - call.at, Seconds(0.1));
  }
}

TEST(World, StreamsUnderWayAreLostWithTheServer) {
  Scenario scenario = Minute(Kind::kStreams, 10);
  scenario.lasts = Seconds(61);
  const World world(scenario, 1, 0);
  int lost = 0;
  for (const Call& call : Calls(World(scenario, 1, 0), 10'000)) {
    if (call.phase != Phase::kBefore || !call.fails) continue;
    ++lost;
    ASSERT_EQ(call.ends, world.begins());
  }
  EXPECT_NEAR(lost, 610, 75);
}

TEST(World, AfterTheOutageTheServerBearsFewCallsAtFirst) {
  const Scenario scenario = Minute(Kind::kWarmUp, 100);
  const World world(scenario, 1, 0);
  for (const Call& call : During(scenario, 10'000)) {
    const double warm = ToSeconds(call.at - world.recovers()) + 20;
    ASSERT_EQ(call.dead, warm < 0);
    if (call.dead) continue;
    ASSERT_NEAR(call.capacity, 10 + 4.5 * warm, 0.1);
  }
}

TEST(World, TheServerBearsLessThanTheLoad) {
  Scenario scenario = Minute(Kind::kOverload, 100);
  scenario.load = 4;
  for (const Call& call : During(scenario, 10'000)) {
    ASSERT_EQ(call.capacity, 25);
  }
}

TEST(World, ImpatientCallersGiveUpAfterAMillisecond) {
  Scenario scenario = Minute(Kind::kImpatient, 1000);
  scenario.share = 0.25;
  const std::vector<Call> calls = During(scenario);
  for (const Call& call : calls) {
    if (!call.fails) continue;
    ASSERT_EQ(call.ends - call.at, Seconds(0.001));
  }
  EXPECT_NEAR(FailedShare(calls), 0.25 * 0.9, 0.01);
}

}  // namespace
}  // namespace autobreaker::decisions
