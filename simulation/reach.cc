#include "autobreaker/simulation/reach.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
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
    case Field::kSteady:
      return "peers in any setting without noise at any rate";
    case Field::kAny:
      return "peers in any setting";
  }
  return "";
}

constexpr Field kFields[] = {Field::kDefaults, Field::kQualified,
                             Field::kSteady, Field::kAny};

// Of cells with a ratio each: in how many it is at most what.
class Ratios {
 public:
  void Add(const Scenario& scenario, double ratio) {
    cells_.push_back({ratio, scenario.Name()});
  }

  std::string Text(const std::vector<double>& limits) {
    std::sort(cells_.rbegin(), cells_.rend());
    std::vector<std::string> counts;
    for (const double limit : limits) {
      const auto held = std::count_if(
          cells_.begin(), cells_.end(),
          [limit](const auto& cell) { return cell.first <= limit; });
      counts.push_back(
          limit > 1
              ? absl::StrFormat("at most %g times as many in %d", limit, held)
              : absl::StrFormat("as few or fewer in %d", held));
    }
    std::string text =
        absl::StrFormat("%s of %d", absl::StrJoin(counts, ", "), cells_.size());
    std::vector<std::string> worst;
    for (const auto& [ratio, name] : cells_) {
      if (ratio <= limits.front() || worst.size() == 6) break;
      worst.push_back(absl::StrFormat("%s %.2f", name, ratio));
    }
    if (!worst.empty()) {
      absl::StrAppend(&text, "; worst: ", absl::StrJoin(worst, ", "));
    }
    return text;
  }

 private:
  std::vector<std::pair<double, std::string>> cells_;
};

std::string CountRatios(const Standings& standings,
                        const std::vector<size_t>& scenarios, Measure measure,
                        Field field, const std::vector<double>& limits) {
  Ratios ratios;
  for (const size_t s : scenarios) {
    // Where no peer is in the field, ours is the best.
    ratios.Add(standings.results().scenarios[s],
               Ratio(standings, s, measure, field).value_or(0));
  }
  return ratios.Text(limits);
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
    const auto fewer = [&](size_t c) {
      return results.contestants[c].role == Role::kPeerDefault &&
             standings.of(s, c).false_openings_per_million <
                 standings.of(s, standings.Ours()).false_openings_per_million;
    };
    bool most = false;
    for (size_t c = 0; c < results.contestants.size(); ++c) most |= fewer(c);
    if (most) {
      others.push_back(results.scenarios[s].Name());
    } else {
      ++hold;
    }
  }
  return absl::StrFormat("%d of %d%s%s", hold, of,
                         others.empty() ? "" : "; not in ",
                         absl::StrJoin(others, ", "));
}

std::string WorstNoise(const Standings& standings) {
  std::vector<std::pair<double, std::string>> worst;
  const Results& results = standings.results();
  for (size_t c = 0; c < results.contestants.size(); ++c) {
    if (results.contestants[c].role == Role::kPeerDefault) {
      worst.push_back({standings.WorstNoise(c), results.contestants[c].Name()});
    }
  }
  const auto& [least, name] = *std::min_element(worst.begin(), worst.end());
  return absl::StrFormat("%.2g a million; of peers as they come, %.2g (%s)",
                         standings.WorstNoise(standings.Ours()), least, name);
}

std::string SteadySettings(const Standings& standings) {
  const Results& results = standings.results();
  int tried = 0;
  int steady = 0;
  for (size_t c = 0; c < results.contestants.size(); ++c) {
    const Role role = results.contestants[c].role;
    if (role != Role::kPeerDefault && role != Role::kPeerGrid) continue;
    ++tried;
    if (standings.Qualifies(c, std::nullopt)) ++steady;
  }
  return absl::StrFormat("%d of %d", steady, tried);
}

std::string BoundReach(const Standings& standings, bool hangs) {
  Ratios ratios;
  for (const size_t s : Incidents(standings, 0.3)) {
    const Scenario& scenario = standings.results().scenarios[s];
    if (scenario.hangs != hangs) continue;
    const size_t plain = standings.Ours(kPlain);
    ratios.Add(scenario, FailedBeforeOpening(standings.of(s, plain)) /
                             FailedBound(scenario));
  }
  return ratios.Text({1.5});
}

int CheaperWithout(const Standings& standings) {
  int cells = 0;
  for (const size_t s : Incidents(standings, 0)) {
    if (CostAll(standings.of(s, standings.NoBreaker())) <
        CostAll(standings.of(s, standings.Ours()))) {
      ++cells;
    }
  }
  return cells;
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
  const std::vector<size_t> all = Incidents(standings, 0);
  const std::vector<size_t> half = standings.Of(Kind::kHalfCapacity);
  std::vector<std::string> lines = {
      absl::StrCat("False openings at or under those of every peer as it "
                   "comes, in scenarios: ",
                   FalseOpeningsReach(standings)),
      absl::StrCat("False openings in the worst scenario for each: ours ",
                   WorstNoise(standings)),
      absl::StrCat("Settings of peers without noise at any rate, which is to "
                   "say with no more than ours: ",
                   SteadySettings(standings)),
  };
  for (const bool hangs : {false, true}) {
    lines.push_back(absl::StrCat(
        "Failed calls before opening without the tolerated burst, over the "
        "bound, ",
        hangs ? "late" : "at once", ": ", BoundReach(standings, hangs)));
  }
  struct Line {
    const char* what;
    const std::vector<size_t>& scenarios;
    Measure measure;
  };
  const std::vector<size_t> clear = Incidents(standings, 0.3);
  for (const Line& line : std::vector<Line>{
           {"Failed calls before opening, 30 % and above", clear,
            FailedBeforeOpening},
           {"Failed calls and good calls refused after", all, CostAfter},
           {"Failed calls and good calls refused while it lasts and after", all,
            CostAll},
           {"Half capacity, failed calls", half, FailedAdmitted},
           {"Half capacity, failed calls and good calls refused", half,
            CostAll}}) {
    for (const Field field : kFields) {
      lines.push_back(
          absl::StrCat(line.what, ", over the best of ", FieldName(field), ": ",
                       CountRatios(standings, line.scenarios, line.measure,
                                   field, {1, 1.05, 2})));
    }
  }
  lines.push_back(absl::StrFormat(
      "A call that fails costs no more here than a good one that is refused, "
      "so where fewer than half fail no breaker is cheapest: in %d of %d",
      CheaperWithout(standings), all.size()));
  return absl::StrCat("- ", absl::StrJoin(lines, "\n- "), "\n");
}

}  // namespace autobreaker::decisions
