#include "benchmarks/decisions/reach.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace autobreaker::decisions {
namespace {

constexpr double kNormal = 0.02;
constexpr double kCallsPerFalseOpening = 1e6;

std::string FieldName(Field field) {
  switch (field) {
    case Field::kDefaults:
      return "peers as they come";
    case Field::kQualified:
      return "peers in any setting without noise";
    case Field::kAny:
      return "peers in any setting";
  }
  return "";
}

constexpr Field kFields[] = {Field::kDefaults, Field::kQualified, Field::kAny};

// Cells in which a ratio is at most a limit, and those in which it is not.
class Count {
 public:
  explicit Count(double limit) : limit_(limit) {}

  void Add(const Scenario& scenario, double ratio) {
    ++cells_;
    worst_ = std::max(worst_, ratio);
    if (ratio <= limit_) {
      ++hold_;
    } else {
      others_.push_back(absl::StrFormat("%s (%.2f)", scenario.Name(), ratio));
    }
  }

  std::string Text() const {
    std::string text = absl::StrFormat("%d of %d", hold_, cells_);
    if (!others_.empty()) {
      absl::StrAppendFormat(&text, "; at most %.2f times; not in %s", worst_,
                            absl::StrJoin(others_, ", "));
    }
    return text;
  }

 private:
  const double limit_;
  int cells_ = 0;
  int hold_ = 0;
  double worst_ = 0;
  std::vector<std::string> others_;
};

std::string CountRatios(const Standings& standings,
                        const std::vector<size_t>& scenarios, Measure measure,
                        Field field, double limit) {
  Count count(limit);
  for (const size_t s : scenarios) {
    // Where no peer is in the field, ours is the best.
    count.Add(standings.results().scenarios[s],
              Ratio(standings, s, measure, field).value_or(0));
  }
  return count.Text();
}

std::vector<size_t> Incidents(const Standings& standings, double least_share) {
  std::vector<size_t> found;
  for (const size_t s : standings.Of(Kind::kIncident)) {
    if (standings.results().scenarios[s].share >= least_share) {
      found.push_back(s);
    }
  }
  return found;
}

std::string FalseOpeningsReach(const Standings& standings) {
  const Results& results = standings.results();
  int hold = 0;
  int of = 0;
  std::vector<std::string> others;
  for (size_t s = 0; s < results.scenarios.size(); ++s) {
    if (!IsNoise(results.scenarios[s].kind)) continue;
    ++of;
    const double ours = standings.of(s, 0).false_openings_per_million;
    bool most = false;
    for (size_t c = 0; c < results.contestants.size(); ++c) {
      if (results.contestants[c].role == Role::kPeerDefault &&
          standings.of(s, c).false_openings_per_million < ours) {
        most = true;
      }
    }
    if (!most) ++hold;
    if (most) others.push_back(results.scenarios[s].Name());
  }
  std::string text = absl::StrFormat("%d of %d", hold, of);
  if (!others.empty()) {
    absl::StrAppend(&text, "; not in ", absl::StrJoin(others, ", "));
  }
  return text;
}

std::string BoundReach(const Standings& standings, bool hangs) {
  Count count(1.5);
  for (const size_t s : Incidents(standings, 0.3)) {
    const Scenario& scenario = standings.results().scenarios[s];
    if (scenario.hangs != hangs) continue;
    count.Add(scenario,
              FailedBeforeOpening(standings.of(s, standings.Ours(kPlain))) /
                  FailedBound(scenario));
  }
  return count.Text();
}

std::string NoBreakerReach(const Standings& standings) {
  Count count(1);
  for (const size_t s : Incidents(standings, 0)) {
    count.Add(standings.results().scenarios[s],
              CostAll(standings.of(s, standings.NoBreaker())) /
                  CostAll(standings.of(s, standings.Ours())));
  }
  return count.Text();
}

}  // namespace

double CallsBound(double fails) {
  double divergence = fails * std::log(fails / kNormal);
  if (fails < 1) {
    divergence += (1 - fails) * std::log((1 - fails) / (1 - kNormal));
  }
  return std::log(kCallsPerFalseOpening) / divergence;
}

double FailedBound(const Scenario& scenario) {
  const Nanos latency = scenario.hangs ? kDeadline : kMeanFailFast;
  return scenario.share *
         (CallsBound(scenario.share) + scenario.rate * ToSeconds(latency));
}

std::optional<double> Ratio(const Standings& standings, size_t scenario,
                            Measure measure, Field field) {
  const std::optional<size_t> best = standings.Best(scenario, measure, field);
  if (!best.has_value()) return std::nullopt;
  const double ours = measure(standings.of(scenario, standings.Ours()));
  const double theirs = measure(standings.of(scenario, *best));
  if (theirs > 0) return ours / theirs;
  return ours > 0 ? std::numeric_limits<double>::infinity() : 1;
}

std::string ReachSummary(const Standings& standings) {
  std::vector<std::string> lines;
  lines.push_back(absl::StrCat(
      "False openings at or under those of every peer as it comes: ",
      FalseOpeningsReach(standings)));
  const std::vector<size_t> clear = Incidents(standings, 0.3);
  const std::vector<size_t> all = Incidents(standings, 0);
  for (const Field field : kFields) {
    lines.push_back(absl::StrCat(
        "Failed calls before opening, 30 % and above: best or within 5 % of ",
        FieldName(field), ": ",
        CountRatios(standings, clear, FailedBeforeOpening, field, 1.05)));
  }
  for (const bool hangs : {false, true}) {
    lines.push_back(absl::StrCat(
        "Without the tolerated burst, failing ", hangs ? "late" : "at once",
        ": within 1.5 times the bound: ", BoundReach(standings, hangs)));
  }
  for (const auto& [cost, name] :
       {std::pair<Measure, const char*>{CostAfter,
                                        "Failed + good refused after"},
        {CostAll, "Failed + good refused while it lasts and after"}}) {
    for (const Field field : kFields) {
      for (const double limit : {1.0, 2.0}) {
        lines.push_back(absl::StrCat(
            name, limit > 1 ? ": at most twice that of " : ": lowest against ",
            FieldName(field), ": ",
            CountRatios(standings, all, cost, field, limit)));
      }
    }
  }
  lines.push_back(absl::StrCat(
      "No breaker at all has the lower sum of these two, for a call that fails "
      "is no dearer here than one that is refused: ",
      NoBreakerReach(standings)));
  for (const Field field : kFields) {
    lines.push_back(
        absl::StrCat("Half capacity, failed calls: fewer than or as few as ",
                     FieldName(field), ": ",
                     CountRatios(standings, standings.Of(Kind::kHalfCapacity),
                                 FailedAdmitted, field, 1)));
  }
  return absl::StrCat("- ", absl::StrJoin(lines, "\n- "), "\n");
}

}  // namespace autobreaker::decisions
