// Every contestant in every scenario.
#ifndef AUTOBREAKER_SIMULATION_TOURNAMENT_H_
#define AUTOBREAKER_SIMULATION_TOURNAMENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "autobreaker/simulation/contestants.h"
#include "autobreaker/simulation/measures.h"
#include "autobreaker/simulation/scenarios.h"

namespace autobreaker::decisions {

struct Results {
  std::vector<Scenario> scenarios;
  std::vector<Contestant> contestants;
  // By scenario and contestant.
  std::vector<std::vector<Measures>> measures;

  // Whether the contestant was in the scenario. Settings of a grid are not in
  // those that neither choose the best nor are what it is the best in.
  bool Took(size_t scenario, size_t contestant) const;
};

// Uses `threads` of them; the results are the same for any number.
Results RunTournament(std::vector<Scenario> scenarios,
                      std::vector<Contestant> contestants, uint64_t seed,
                      int threads);

// For Results::Took(). The settings of a grid are tried at no higher rate, to
// be done within an hour.
inline constexpr double kHighestTriedRate = 1000;
bool Takes(const Contestant& contestant, const Scenario& scenario);

// One scenario, with every contestant that takes part in it.
std::vector<Measures> RunScenario(const Scenario& scenario,
                                  const std::vector<Contestant>& contestants,
                                  uint64_t seed);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_TOURNAMENT_H_
