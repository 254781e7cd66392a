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
#include "autobreaker/simulation/markdown_table.h"

namespace autobreaker::decisions {
namespace {

constexpr double kNormal = 0.02;
constexpr double kCallsPerFalseOpening = 1e6;

// What the summary calls a field, in the order of its rows.
constexpr std::pair<Field, const char*> kFields[] = {
    {Field::kDefaults, "default settings"},
    {Field::kQualified, "settings quiet at this rate"},
    {Field::kSteady, "settings quiet at every rate"},
    {Field::kAny, "all settings"},
};

// One ratio for each scenario.
class Ratios {
 public:
  void Add(const Scenario& scenario, double ratio) {
    cells_.push_back({ratio, scenario.Name()});
  }

  size_t size() const { return cells_.size(); }

  std::string CountUpTo(double limit) const {
    return absl::StrCat(std::count_if(
        cells_.begin(), cells_.end(),
        [limit](const auto& cell) { return cell.first <= limit; }));
  }

  // The highest six of those above `limit`, with their scenarios.
  std::string HighestAbove(double limit) const {
    std::vector<std::pair<double, std::string>> cells = cells_;
    std::sort(cells.rbegin(), cells.rend());
    std::vector<std::string> highest;
    for (const auto& [ratio, name] : cells) {
      if (ratio <= limit || highest.size() == 6) break;
      highest.push_back(absl::StrFormat("%.2f %s", ratio, name));
    }
    return absl::StrJoin(highest, ", ");
  }

 private:
  std::vector<std::pair<double, std::string>> cells_;
};

Ratios RatiosOf(const Standings& standings,
                const std::vector<size_t>& scenarios, Measure measure,
                Field field) {
  Ratios ratios;
  for (const size_t s : scenarios) {
    // Where no peer is in the field, ours is the best.
    ratios.Add(standings.results().scenarios[s],
               Ratio(standings, s, measure, field).value_or(0));
  }
  return ratios;
}

// Those in which settings are tried.
std::vector<size_t> Incidents(const Standings& standings, double least_share) {
  std::vector<size_t> found;
  for (const size_t s : standings.Of(Kind::kIncident)) {
    const Scenario& scenario = standings.results().scenarios[s];
    if (scenario.share >= least_share && scenario.rate <= kHighestTriedRate) {
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
  return absl::StrFormat(
      "%d of %d%s%s", hold, of,
      others.empty() ? "" : "; the exceptions: ", absl::StrJoin(others, ", "));
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
  return absl::StrFormat(
      "%.2g; the best of the others in its default settings (%s): %.2g",
      standings.WorstNoise(standings.Ours()), name, least);
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

Ratios RatiosToBound(const Standings& standings, bool hangs) {
  Ratios ratios;
  for (const size_t s : Incidents(standings, 0.3)) {
    const Scenario& scenario = standings.results().scenarios[s];
    if (scenario.hangs != hangs) continue;
    const size_t plain = standings.Ours(kPlain);
    ratios.Add(scenario, FailedBeforeOpening(standings.of(s, plain)) /
                             FailedBound(scenario));
  }
  return ratios;
}

int CheaperWithout(const Standings& standings) {
  int cells = 0;
  for (const size_t s : Incidents(standings, 0)) {
    if (Lost(standings.of(s, standings.NoBreaker())) <
        Lost(standings.of(s, standings.Ours()))) {
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
  const std::vector<size_t> clear = Incidents(standings, 0.3);

  std::string text = absl::StrCat(
      "Openings without cause:\n\n"
      "- Per million calls, in the worst scenario of each breaker: this "
      "breaker ",
      WorstNoise(standings),
      ".\n- Scenarios in which no other breaker in its default settings has "
      "fewer than this breaker: ",
      FalseOpeningsReach(standings),
      ".\n- Settings of other breakers that are quiet at every rate: ",
      SteadySettings(standings), ".\n");

  absl::StrAppend(&text,
                  "\nThe ratio of this breaker to the best of the others. A "
                  "ratio of 1 or less means that this breaker is as good or "
                  "better:\n\n");
  struct Row {
    const char* what;
    const std::vector<size_t>& scenarios;
    Measure measure;
  };
  MarkdownTable ratios({"figure", "others in", "scenarios", "1 or less",
                        "1.05 or less", "2 or less", "highest above 1"});
  for (const Row& row :
       {Row{"failed calls before the breaker opens, 30 % failing or more",
            clear, FailedBeforeOpening},
        Row{"cost 1", all, CostAfter}, Row{"cost 2", all, Lost}}) {
    for (const auto& [field, name] : kFields) {
      const Ratios r = RatiosOf(standings, row.scenarios, row.measure, field);
      ratios.Add({row.what, name, absl::StrCat(r.size()), r.CountUpTo(1),
                  r.CountUpTo(1.05), r.CountUpTo(2), r.HighestAbove(1)});
    }
  }
  absl::StrAppend(&text, ratios.text());

  absl::StrAppend(&text,
                  "\nFailed calls before this breaker opens with no tolerated "
                  "burst, divided by the least failed calls that any test "
                  "needs, 30 % failing or more:\n\n");
  MarkdownTable bound(
      {"how calls fail", "scenarios", "1.5 or less", "highest above 1.5"});
  for (const bool hangs : {false, true}) {
    const Ratios r = RatiosToBound(standings, hangs);
    bound.Add({hangs ? "hang" : "at once", absl::StrCat(r.size()),
               r.CountUpTo(1.5), r.HighestAbove(1.5)});
  }
  absl::StrAppend(&text, bound.text());

  absl::StrAppendFormat(&text,
                        "\nIncidents in which cost 2 is lower with no breaker "
                        "than with this one: %d of %d.\n",
                        CheaperWithout(standings), all.size());
  return text;
}

}  // namespace autobreaker::decisions
