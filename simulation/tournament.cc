#include "autobreaker/simulation/tournament.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>

#include "autobreaker/simulation/simulation.h"
#include "autobreaker/simulation/world.h"

namespace autobreaker::decisions {
namespace {

// A setting of a grid that is noisy is out soon.
constexpr int64_t kGridCalls = 2'000'000;
constexpr int64_t kGridOpenings = 20;
constexpr int64_t kEnoughOpenings = 500;

template <typename Tally>
struct Run {
  size_t contestant;
  std::unique_ptr<Simulation> simulation;
  Tally tally;
  bool over = false;
};

template <typename Tally>
std::vector<Run<Tally>> Start(const Scenario& scenario,
                              const std::vector<Contestant>& contestants,
                              uint64_t seed, const Tally& tally) {
  std::vector<Run<Tally>> runs;
  for (size_t i = 0; i < contestants.size(); ++i) {
    if (!Takes(contestants[i], scenario)) continue;
    runs.push_back(
        {i, std::make_unique<Simulation>(contestants[i].make(seed)), tally});
  }
  return runs;
}

bool Enough(const Contestant& contestant, const Scenario& scenario,
            const NoiseTally& tally) {
  const bool grid = contestant.role == Role::kPeerGrid;
  return tally.calls() >=
             (grid ? std::min(kGridCalls, scenario.calls) : scenario.calls) ||
         tally.openings() >= (grid ? kGridOpenings : kEnoughOpenings);
}

// Feeds the runs side by side, so that each call is made up once and still in
// the CPU's cache when the last breaker asks for it. `ask` tells whether that
// run is over.
template <typename Tally, typename Ask>
void Feed(World world, std::vector<Run<Tally>>* runs, Ask ask) {
  std::vector<Call> calls;
  for (bool any = true; any;) {
    any = false;
    world.Next(&calls);
    for (Run<Tally>& run : *runs) {
      for (size_t i = 0; i < calls.size() && !run.over; ++i) {
        run.over = ask(calls[i], run);
      }
      any |= !run.over;
    }
  }
}

std::vector<Measures> RunNoise(const Scenario& scenario,
                               const std::vector<Contestant>& contestants,
                               uint64_t seed) {
  auto runs = Start(scenario, contestants, seed, NoiseTally());
  Feed(World(scenario, seed, 0), &runs,
       [&](const Call& call, Run<NoiseTally>& run) {
         run.tally.Note(run.simulation->Ask(call).admitted);
         return Enough(contestants[run.contestant], scenario, run.tally);
       });
  std::vector<Measures> measures(contestants.size());
  for (const auto& run : runs) measures[run.contestant] = Summarize(run.tally);
  return measures;
}

std::vector<Measures> RunEpisodes(const Scenario& scenario,
                                  const std::vector<Contestant>& contestants,
                                  uint64_t seed) {
  std::vector<std::vector<EpisodeTally>> tallies(contestants.size());
  for (int episode = 0; episode < scenario.episodes; ++episode) {
    World world(scenario, seed, episode);
    auto runs =
        Start(scenario, contestants, seed + static_cast<uint64_t>(episode),
              EpisodeTally(world.recovers()));
    Feed(std::move(world), &runs, [](const Call& call, Run<EpisodeTally>& run) {
      const Simulation::Fate fate = run.simulation->Ask(call);
      run.tally.Note(call, fate.admitted, fate.fails);
      return call.phase == Phase::kAfter && run.tally.Over(call.at);
    });
    for (const auto& run : runs) {
      tallies[run.contestant].push_back(run.tally);
    }
  }
  std::vector<Measures> measures(contestants.size());
  for (size_t i = 0; i < contestants.size(); ++i) {
    if (!tallies[i].empty()) measures[i] = Summarize(tallies[i]);
  }
  return measures;
}

// The calls to make up, or so.
double Cost(const Scenario& scenario) {
  constexpr double kAround = 100;  // seconds before and after
  return static_cast<double>(scenario.calls) +
         scenario.episodes * scenario.rate *
             (kAround + ToSeconds(scenario.longest));
}

}  // namespace

bool Takes(const Contestant& contestant, const Scenario& scenario) {
  if (contestant.role != Role::kPeerGrid) return true;
  if (scenario.rate > kHighestTriedRate) return false;
  return scenario.kind == Kind::kHealthy
             ? scenario.background >= 0.02
             : IsNoise(scenario.kind) || scenario.kind == Kind::kIncident;
}

bool Results::Took(size_t scenario, size_t contestant) const {
  return Takes(contestants[contestant], scenarios[scenario]);
}

std::vector<Measures> RunScenario(const Scenario& scenario,
                                  const std::vector<Contestant>& contestants,
                                  uint64_t seed) {
  return IsNoise(scenario.kind) ? RunNoise(scenario, contestants, seed)
                                : RunEpisodes(scenario, contestants, seed);
}

Results RunTournament(std::vector<Scenario> scenarios,
                      std::vector<Contestant> contestants, uint64_t seed,
                      int threads) {
  Results results;
  results.scenarios = std::move(scenarios);
  results.contestants = std::move(contestants);
  results.measures.resize(results.scenarios.size());
  // The longest first: a thread that begins such a one at the end would be
  // alone with it.
  std::vector<size_t> order(results.scenarios.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return Cost(results.scenarios[a]) > Cost(results.scenarios[b]);
  });
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < order.size();) {
      results.measures[order[i]] =
          RunScenario(results.scenarios[order[i]], results.contestants, seed);
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  return results;
}

}  // namespace autobreaker::decisions
