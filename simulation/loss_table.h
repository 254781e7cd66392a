// The results on a screen: calls lost with each breaker as it comes, over those
// lost without one, and how many cells are within a limit.
#ifndef AUTOBREAKER_SIMULATION_LOSS_TABLE_H_
#define AUTOBREAKER_SIMULATION_LOSS_TABLE_H_

#include <string>

#include "autobreaker/simulation/standings.h"

namespace autobreaker::decisions {

std::string LossTable(const Standings& standings);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_LOSS_TABLE_H_
