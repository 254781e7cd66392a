#include "autobreaker/simulation/standings.h"

#include <algorithm>

namespace autobreaker::decisions {

double FailedBeforeOpening(const Measures& m) {
  return m.failed_before_opening_median;
}
double CostAfter(const Measures& m) { return m.cost_after(); }
double Lost(const Measures& m) { return m.lost(); }

Standings::Standings(const Results& results) : results_(results) {}

size_t Standings::Ours(absl::string_view setting) const {
  size_t i = 0;
  while (results_.contestants[i].role != Role::kOurs ||
         results_.contestants[i].setting != setting) {
    ++i;
  }
  return i;
}

size_t Standings::NoBreaker() const {
  size_t i = 0;
  while (results_.contestants[i].role != Role::kNone) ++i;
  return i;
}

double Standings::WorstNoise(size_t contestant) const {
  double worst = 0;
  for (size_t s = 0; s < results_.scenarios.size(); ++s) {
    worst = std::max(worst, of(s, contestant).false_openings_per_million);
  }
  return worst;
}

bool Standings::Qualifies(size_t contestant, std::optional<double> rate) const {
  for (size_t s = 0; s < results_.scenarios.size(); ++s) {
    const Scenario& scenario = results_.scenarios[s];
    if (!IsNoise(scenario.kind)) continue;
    if (rate.has_value() && scenario.rate != *rate) continue;
    if (results_.Took(s, contestant) &&
        of(s, contestant).false_openings_per_million >
            of(s, Ours()).false_openings_per_million) {
      return false;
    }
  }
  return true;
}

std::optional<size_t> Standings::Best(size_t scenario, Measure measure,
                                      Field field,
                                      absl::string_view breaker) const {
  std::optional<size_t> best;
  for (size_t c = 0; c < results_.contestants.size(); ++c) {
    const Contestant& contestant = results_.contestants[c];
    if (!breaker.empty() && contestant.breaker != breaker) continue;
    const bool grid = contestant.role == Role::kPeerGrid;
    if (!grid && contestant.role != Role::kPeerDefault) continue;
    if (grid && field == Field::kDefaults) continue;
    if (!results_.Took(scenario, c)) continue;
    if (best.has_value() &&
        measure(of(scenario, *best)) <= measure(of(scenario, c))) {
      continue;
    }
    if (field == Field::kQualified &&
        !Qualifies(c, results_.scenarios[scenario].rate)) {
      continue;
    }
    if (field == Field::kSteady && !Qualifies(c, std::nullopt)) continue;
    best = c;
  }
  return best;
}

std::vector<size_t> Standings::Of(Kind kind) const {
  std::vector<size_t> found;
  for (size_t s = 0; s < results_.scenarios.size(); ++s) {
    if (results_.scenarios[s].kind == kind) found.push_back(s);
  }
  return found;
}

}  // namespace autobreaker::decisions
