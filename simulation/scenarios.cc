#include "autobreaker/simulation/scenarios.h"

#include <algorithm>
#include <cstdint>

namespace autobreaker::decisions {
namespace {

constexpr double kRates[] = {0.05, 1, 10, 100, 1000, 5000, 20'000};
constexpr double kSomeRates[] = {1, 10, 100, 1000, 20'000};
constexpr double kShares[] = {0.06, 0.1, 0.15, 0.3, 0.45, 0.6, 0.85, 1};
constexpr double kBackgrounds[] = {0.001, 0.01, 0.02};

// Enough that a mean over them is steady, and few where calls are many.
int Episodes(double rate) {
  if (rate <= 1) return 200;
  if (rate <= 10) return 100;
  if (rate <= 100) return 30;
  if (rate <= 1000) return 10;
  return rate <= 5000 ? 3 : 2;
}

Scenario Noise(Kind kind, double rate, double background, double calls) {
  Scenario scenario;
  scenario.kind = kind;
  scenario.rate = rate;
  scenario.background = background;
  scenario.calls = static_cast<int64_t>(calls);
  return scenario;
}

Scenario Lasting(Kind kind, double rate, double shortest, double longest) {
  Scenario scenario;
  scenario.kind = kind;
  scenario.rate = rate;
  scenario.shortest = Seconds(shortest);
  scenario.longest = Seconds(longest);
  scenario.episodes = Episodes(rate);
  return scenario;
}

// As long as incidents are. Where calls are few, longer, so that some fall into
// each; where they are many, shorter, so that it ends soon.
Scenario Incident(Kind kind, double rate, double share = 1) {
  const double shortest = rate < 1 ? 600 : rate <= 1 ? 30 : 5;
  const double longest = rate < 1        ? 10'800
                         : rate <= 1     ? 1800
                         : rate <= 1000  ? 300
                         : rate <= 5'000 ? 60
                                         : 20;
  Scenario scenario = Lasting(kind, rate, shortest, longest);
  scenario.share = share;
  return scenario;
}

void AddNoise(std::vector<Scenario>* all) {
  for (const double background : kBackgrounds) {
    for (const double rate : {0.05, 1.0, 100.0, 20'000.0}) {
      // The most where the most are to be expected.
      all->push_back(Noise(Kind::kHealthy, rate, background,
                           background < 0.02 ? 1e6 : 5e6));
    }
  }
  for (const double rate : {10.0, 100.0, 1000.0, 20'000.0}) {
    // 200 blips or lost connections, at few calls more and at many fewer.
    const double calls = std::clamp(rate * 6000, 3e5, 3e6);
    all->push_back(Noise(Kind::kBlip, rate, 0.01, calls));
    all->push_back(Noise(Kind::kLostConnections, rate, 0.01, calls));
  }
}

// At once, and hanging.
void AddBoth(Scenario scenario, std::vector<Scenario>* all) {
  for (const bool hangs : {false, true}) {
    scenario.hangs = hangs;
    all->push_back(scenario);
  }
}

void AddIncidents(std::vector<Scenario>* all) {
  for (const double rate : kRates) {
    for (const double share : kShares) {
      AddBoth(Incident(Kind::kIncident, rate, share), all);
    }
  }
}

void AddParts(std::vector<Scenario>* all) {
  for (const double rate : kSomeRates) {
    for (const int backends : {2, 3, 5, 10}) {
      Scenario scenario = Incident(Kind::kBackends, rate);
      scenario.backends = backends;
      AddBoth(scenario, all);
    }
    for (const double share : {0.1, 0.3}) {
      AddBoth(Incident(Kind::kKeys, rate, share), all);
    }
    Scenario scenario = Lasting(Kind::kRestarts, rate, 30, 30);
    scenario.backends = 3;
    AddBoth(scenario, all);
  }
}

// Some seconds, and what has few calls in them has no need of a breaker.
void AddShort(std::vector<Scenario>* all) {
  for (const double rate : {10.0, 100.0, 1000.0, 20'000.0}) {
    AddBoth(Lasting(Kind::kDeploy, rate, 3, 5), all);
    const double instant = std::max(0.3, 10 / rate);
    all->push_back(Lasting(Kind::kSilenceBefore, rate, instant, instant));
    all->push_back(
        Lasting(Kind::kSilenceWhile, rate, instant + 15, instant + 15));
    for (const double burst : {0.3, 3.0}) {
      Scenario scenario = Lasting(Kind::kBursts, rate, 120, 120);
      scenario.share = 0.8;
      scenario.lasts = Seconds(burst);
      all->push_back(scenario);
    }
  }
}

void AddTraffic(std::vector<Scenario>* all) {
  for (const double rate : {1.0, 10.0, 100.0, 1000.0}) {
    for (const double share : {0.3, 1.0}) {
      all->push_back(Incident(Kind::kOnOff, rate, share));
      all->push_back(Incident(Kind::kDaily, rate, share));
    }
  }
  for (const double rate : {1.0, 10.0}) {
    for (const double seconds : {61.0, 600.0}) {
      Scenario scenario = Lasting(Kind::kStreams, rate, 5, 60);
      scenario.lasts = Seconds(seconds);
      scenario.episodes = 10;
      all->push_back(scenario);
    }
  }
  for (const double rate : {10.0, 1000.0}) {
    for (const double share : {0.25, 0.75}) {
      all->push_back(Lasting(Kind::kImpatient, rate, 60, 60));
      all->back().share = share;
    }
  }
}

void AddLoad(std::vector<Scenario>* all) {
  for (const double rate : {10.0, 100.0, 300.0, 1000.0, 20'000.0}) {
    for (const double load : {1.5, 2.0, 4.0}) {
      // Where calls are many, one is as good as some.
      Scenario scenario = Lasting(Kind::kOverload, rate, 60, 60);
      if (rate > 1000) scenario.episodes = 1;
      scenario.load = load;
      AddBoth(scenario, all);
      scenario.collapses = true;
      AddBoth(scenario, all);
    }
    all->push_back(Lasting(Kind::kWarmUp, rate, 25, 80));
  }
}

void AddOthers(std::vector<Scenario>* all) {
  for (const double rate : {10.0, 100.0, 1000.0}) {
    all->push_back(Lasting(Kind::kFlapping, rate, 300, 300));
    all->push_back(Lasting(Kind::kDecline, rate, 120, 120));
  }
  for (const double rate : {1.0, 10.0}) {
    all->push_back(Lasting(Kind::kFleet, rate, 300, 300));
    all->back().episodes = 100;  // each is a client
  }
}

}  // namespace

std::vector<Scenario> AllScenarios(bool quick) {
  std::vector<Scenario> all;
  AddNoise(&all);
  AddIncidents(&all);
  AddParts(&all);
  AddShort(&all);
  AddTraffic(&all);
  AddLoad(&all);
  AddOthers(&all);
  if (!quick) return all;
  std::vector<Scenario> few;
  for (Scenario scenario : all) {
    if (scenario.rate > 100) continue;
    scenario.calls /= 100;
    scenario.episodes = std::max(1, scenario.episodes / 40);
    few.push_back(scenario);
  }
  return few;
}

}  // namespace autobreaker::decisions
