// A row for each scenario, for those who change a breaker and look what that
// does.
#ifndef AUTOBREAKER_SIMULATION_LOSS_TABLE_H_
#define AUTOBREAKER_SIMULATION_LOSS_TABLE_H_

#include <string>

#include "autobreaker/simulation/standings.h"

namespace autobreaker::decisions {

// False openings and calls lost with each breaker as it comes; calls that
// failed before ours opened, in how many episodes it did, which share was
// answered without and with it, and the seconds until full service. Then
// Aims().
std::string LossTable(const Standings& standings);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_LOSS_TABLE_H_
