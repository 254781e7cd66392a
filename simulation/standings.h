// Who is best at what, and who counts.
#ifndef AUTOBREAKER_SIMULATION_STANDINGS_H_
#define AUTOBREAKER_SIMULATION_STANDINGS_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "autobreaker/simulation/measures.h"
#include "autobreaker/simulation/tournament.h"

namespace autobreaker::decisions {

// Less is better.
using Measure = double (*)(const Measures&);

double FailedBeforeOpening(const Measures& m);
double CostAfter(const Measures& m);
double Lost(const Measures& m);

// Which peers.
enum class Field {
  kDefaults,   // as they come
  kQualified,  // in any setting that opens for noise no more than ours does
  kSteady,     // and does so at every rate, not only at that of the scenario
  kAny,        // in any setting
};

class Standings {
 public:
  // `results` must remain live while the standings are in use.
  explicit Standings(const Results& results);

  const Results& results() const { return results_; }
  const Measures& of(size_t scenario, size_t contestant) const {
    return results_.measures[scenario][contestant];
  }

  // The index of one of ours, by its setting.
  size_t Ours(absl::string_view setting = kDefault) const;
  size_t NoBreaker() const;

  // The most false openings per million calls in any noise.
  double WorstNoise(size_t contestant) const;

  // Whether in all noise, at that rate if one is given, it opens at most as
  // often as our default.
  bool Qualifies(size_t contestant, std::optional<double> rate) const;

  // The best of the peers in `field`; of one peer, if `breaker` names it.
  std::optional<size_t> Best(size_t scenario, Measure measure, Field field,
                             absl::string_view breaker = "") const;

  // The scenarios of a kind.
  std::vector<size_t> Of(Kind kind) const;

 private:
  const Results& results_;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_STANDINGS_H_
