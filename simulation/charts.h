// The results as charts, one for each question.
#ifndef AUTOBREAKER_SIMULATION_CHARTS_H_
#define AUTOBREAKER_SIMULATION_CHARTS_H_

#include <string>
#include <vector>

#include "autobreaker/simulation/standings.h"
#include "autobreaker/simulation/svg_chart.h"

namespace autobreaker::decisions {

struct NamedChart {
  std::string name;  // of its file, without an ending
  Chart chart;
};

// With every breaker as it comes.
std::vector<NamedChart> AllCharts(const Standings& standings);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_CHARTS_H_
