// The scenarios that are simulated.
#ifndef AUTOBREAKER_SIMULATION_SCENARIOS_H_
#define AUTOBREAKER_SIMULATION_SCENARIOS_H_

#include <vector>

#include "autobreaker/simulation/scenario.h"

namespace autobreaker::decisions {

// All of them, noise first; with fewer calls and episodes if `quick`.
std::vector<Scenario> AllScenarios(bool quick);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_SCENARIOS_H_
