// The results as JSON: an array of one object per breaker and scenario. Of the
// settings that were tried, only the best are in it.
#ifndef AUTOBREAKER_BENCHMARKS_DECISIONS_JSON_REPORT_H_
#define AUTOBREAKER_BENCHMARKS_DECISIONS_JSON_REPORT_H_

#include <string>

#include "benchmarks/decisions/standings.h"

namespace autobreaker::decisions {

std::string JsonReport(const Standings& standings);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_BENCHMARKS_DECISIONS_JSON_REPORT_H_
