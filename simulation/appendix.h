// What the summary leaves out, as tables in Markdown: incidents one by one, and
// peers in the settings that are tried, the best of them chosen with hindsight.
#ifndef AUTOBREAKER_SIMULATION_APPENDIX_H_
#define AUTOBREAKER_SIMULATION_APPENDIX_H_

#include <string>

#include "autobreaker/simulation/standings.h"

namespace autobreaker::decisions {

// REQUIRES: all contestants.
std::string Appendix(const Standings& standings);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_APPENDIX_H_
