// How far our default reaches: in how many cells it is as good as was set out
// to be. Counted, not claimed.
#ifndef AUTOBREAKER_SIMULATION_REACH_H_
#define AUTOBREAKER_SIMULATION_REACH_H_

#include <cstddef>
#include <optional>
#include <string>

#include "autobreaker/simulation/standings.h"

namespace autobreaker::decisions {

// The fewest calls, on average, in which any test can tell that a share `fails`
// of them fails instead of 2 %, at one false alarm in a million calls (G.
// Lorden, Annals of Mathematical Statistics 1971).
double CallsBound(double fails);

// The failures among them, and among the calls that are under way when the last
// of them ends.
double FailedBound(const Scenario& scenario);

// What our default has, over what the best of the peers has. Nothing if no peer
// is in the field.
std::optional<double> Ratio(const Standings& standings, size_t scenario,
                            Measure measure, Field field);

// In Markdown, without a heading.
std::string ReachSummary(const Standings& standings);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_REACH_H_
