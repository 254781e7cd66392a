// The results as JSON: an array of one object per breaker and scenario. Of the
// settings that were tried, only the best are in it.
#ifndef AUTOBREAKER_SIMULATION_JSON_REPORT_H_
#define AUTOBREAKER_SIMULATION_JSON_REPORT_H_

#include <string>

#include "autobreaker/simulation/standings.h"

namespace autobreaker::decisions {

std::string JsonReport(const Standings& standings);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_JSON_REPORT_H_
