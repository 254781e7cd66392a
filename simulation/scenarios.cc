#include "autobreaker/simulation/scenarios.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace autobreaker::decisions {
namespace {

constexpr double kRates[] = {0.2, 1, 10, 100, 1000};
constexpr double kShares[] = {0.1, 0.3, 0.6, 1};
constexpr double kBackgrounds[] = {0.001, 0.01, 0.02};

// Enough that a mean over them is steady, and few where calls are many.
int Episodes(double rate) {
  if (rate <= 1) return 400;
  if (rate <= 10) return 200;
  return rate <= 100 ? 40 : 12;
}

Scenario Noise(Kind kind, double rate, double background, int64_t calls) {
  Scenario scenario;
  scenario.kind = kind;
  scenario.rate = rate;
  scenario.background = background;
  scenario.calls = calls;
  return scenario;
}

Scenario Lasting(Kind kind, double rate, double seconds) {
  Scenario scenario;
  scenario.kind = kind;
  scenario.rate = rate;
  scenario.shortest = scenario.longest = Seconds(seconds);
  scenario.episodes = Episodes(rate);
  return scenario;
}

void AddNoise(std::vector<Scenario>* all) {
  for (const double background : kBackgrounds) {
    for (const double rate : kRates) {
      // The most where the most are to be expected.
      const int64_t calls = background < 0.02 ? 3'000'000 : 10'000'000;
      all->push_back(Noise(Kind::kHealthy, rate, background, calls));
    }
  }
  for (const double rate : {10.0, 100.0, 1000.0}) {
    // 200 blips or lost connections, and at few calls more.
    const auto calls = static_cast<int64_t>(std::max(rate * 6000, 300'000.0));
    all->push_back(Noise(Kind::kBlip, rate, 0.01, calls));
    all->push_back(Noise(Kind::kLostConnections, rate, 0.01, calls));
  }
}

void AddIncidents(std::vector<Scenario>* all) {
  for (const double rate : kRates) {
    for (const double share : kShares) {
      for (const bool hangs : {false, true}) {
        Scenario scenario;
        scenario.kind = Kind::kIncident;
        scenario.rate = rate;
        scenario.share = share;
        scenario.hangs = hangs;
        // Where calls are few, longer, so that some fall into each incident.
        scenario.shortest = Seconds(rate <= 1 ? 30 : 5);
        scenario.longest = Seconds(rate <= 1 ? 1800 : 300);
        scenario.episodes = Episodes(rate);
        all->push_back(scenario);
      }
    }
  }
}

void AddOthers(std::vector<Scenario>* all) {
  for (const double rate : {10.0, 100.0, 1000.0}) {
    all->push_back(Lasting(Kind::kFlapping, rate, 300));
    all->push_back(Lasting(Kind::kDecline, rate, 120));
    all->push_back(Lasting(Kind::kHalfCapacity, rate, 25));
  }
  for (const double rate : {1.0, 10.0}) {
    all->push_back(Lasting(Kind::kFleet, rate, 300));
    all->back().episodes = 100;  // each is a client
  }
}

}  // namespace

std::string Scenario::Name() const {
  switch (kind) {
    case Kind::kHealthy:
      return absl::StrFormat("healthy_%g%%_at_%g/s", background * 100, rate);
    case Kind::kBlip:
      return absl::StrFormat("blip_at_%g/s", rate);
    case Kind::kLostConnections:
      return absl::StrFormat("lost_connections_at_%g/s", rate);
    case Kind::kIncident:
      return absl::StrFormat("incident_%g%%_%s_at_%g/s", share * 100,
                             hangs ? "hang" : "fast", rate);
    case Kind::kFlapping:
      return absl::StrFormat("flapping_at_%g/s", rate);
    case Kind::kDecline:
      return absl::StrFormat("decline_at_%g/s", rate);
    case Kind::kHalfCapacity:
      return absl::StrFormat("half_capacity_at_%g/s", rate);
    case Kind::kFleet:
      return absl::StrFormat("fleet_of_100_at_%g/s_each", rate);
  }
  return "";
}

Nanos HalfCapacityTime(const Scenario& scenario) {
  return scenario.kind == Kind::kHalfCapacity ? Seconds(5) : 0;
}

double FailureShare(const Scenario& scenario, Nanos since, Nanos length) {
  switch (scenario.kind) {
    case Kind::kFlapping:
      return since % Seconds(5) < Seconds(2) ? 1 : scenario.background;
    case Kind::kDecline:
      return std::clamp(ToSeconds(since) / 60, scenario.background, 1.0);
    case Kind::kHalfCapacity:
      return since < length - HalfCapacityTime(scenario) ? 1
                                                         : scenario.background;
    default:
      return scenario.share;
  }
}

std::vector<Scenario> AllScenarios(bool quick) {
  std::vector<Scenario> all;
  AddNoise(&all);
  AddIncidents(&all);
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
