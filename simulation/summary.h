// The results on a screen, in Markdown: calls lost with each breaker as it
// comes, as a multiple of those lost without one, and in how many scenarios
// that is good enough.
#ifndef AUTOBREAKER_SIMULATION_SUMMARY_H_
#define AUTOBREAKER_SIMULATION_SUMMARY_H_

#include <string>

#include "autobreaker/simulation/standings.h"

namespace autobreaker::decisions {

// Both of the following.
std::string Summary(const Standings& standings);

// A row for each group of similar scenarios.
std::string SummaryTable(const Standings& standings);

// A line for each aim, with the scenarios that miss it most.
std::string Aims(const Standings& standings);

// The group's name; empty if the table leaves the scenario out.
std::string GroupOf(const Scenario& scenario);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_SUMMARY_H_
