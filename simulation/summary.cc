#include "autobreaker/simulation/summary.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "autobreaker/simulation/markdown_table.h"

namespace autobreaker::decisions {
namespace {

// Calls lost, over those lost without a breaker.
double LostRatio(const Standings& standings, size_t scenario,
                 size_t contestant) {
  return standings.of(scenario, contestant).lost() /
         standings.of(scenario, standings.NoBreaker()).lost();
}

double GeometricMean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += std::log(std::max(v, 1e-9));
  return std::exp(sum / static_cast<double>(values.size()));
}

using Ratios = std::vector<std::pair<double, std::string>>;  // and scenarios

std::string Aim(absl::string_view what, double limit, Ratios ratios) {
  std::sort(ratios.rbegin(), ratios.rend());
  const auto within =
      std::count_if(ratios.begin(), ratios.end(),
                    [limit](const auto& r) { return r.first <= limit; });
  std::vector<std::string> highest;
  for (const auto& [ratio, name] : ratios) {
    if (ratio <= limit || highest.size() == 3) break;
    highest.push_back(absl::StrFormat("%.2f %s", ratio, name));
  }
  return absl::StrCat("- ", what, " ", limit, " times: in ", within, " of ",
                      ratios.size(), " scenarios",
                      highest.empty() ? "" : ". Highest: ",
                      absl::StrJoin(highest, ", "), ".\n");
}

}  // namespace

std::string GroupOf(const Scenario& s) {
  switch (s.kind) {
    case Kind::kIncident:
      if (s.share < 0.3) return "6 to 15 % of the calls fail";
      if (s.share < 0.5) return "30 to 45 % fail";
      return absl::StrFormat("%g %% fail", s.share * 100);
    case Kind::kOnOff:
    case Kind::kDaily:
      return absl::StrFormat("%g %% fail, traffic that comes and goes",
                             s.share * 100);
    case Kind::kBackends:
      return absl::StrFormat("1 of %d backends is dead", s.backends);
    case Kind::kKeys:
      return absl::StrFormat("%g %% of the keys are dead", s.share * 100);
    case Kind::kRestarts:
      return absl::StrFormat("%d backends restart in turn", s.backends);
    case Kind::kDeploy:
      return "all fail for 3 to 5 s";
    case Kind::kSilenceBefore:
      return "all fail for an instant, after a silence";
    case Kind::kSilenceWhile:
      return "all fail for an instant, then silence";
    case Kind::kStreams:
      return "all fail, and calls last minutes";
    case Kind::kWarmUp:
      return "all fail, then the server warms up";
    case Kind::kBursts:
      return "bursts in which 80 % fail";
    case Kind::kFlapping:
      return "all fail for 2 s in every 5 s";
    case Kind::kDecline:
      return "from none to all within a minute";
    case Kind::kOverload:
      return s.collapses ? "overload, the server collapses"
                         : "overload, the server does what it can";
    case Kind::kImpatient:
      return absl::StrFormat("%g %% of the callers wait for 1 ms only",
                             s.share * 100);
    default:
      return "";
  }
}

std::string SummaryTable(const Standings& standings) {
  const Results& results = standings.results();
  std::vector<size_t> breakers = {standings.Ours()};
  Cells head = {"what happens", "scenarios", "this breaker", "its highest"};
  for (size_t c = 0; c < results.contestants.size(); ++c) {
    if (results.contestants[c].role != Role::kPeerDefault) continue;
    breakers.push_back(c);
    head.push_back(results.contestants[c].breaker);
  }
  std::vector<std::pair<std::string, std::vector<size_t>>> groups;
  for (size_t s = 0; s < results.scenarios.size(); ++s) {
    const std::string name = GroupOf(results.scenarios[s]);
    if (name.empty()) continue;
    const auto same = std::find_if(
        groups.begin(), groups.end(),
        [&name](const auto& group) { return group.first == name; });
    if (same == groups.end()) {
      groups.push_back({name, {s}});
    } else {
      same->second.push_back(s);
    }
  }
  MarkdownTable table(head);
  for (const auto& [name, scenarios] : groups) {
    Cells cells = {name, absl::StrCat(scenarios.size())};
    for (const size_t c : breakers) {
      std::vector<double> ratios;
      for (const size_t s : scenarios) {
        ratios.push_back(LostRatio(standings, s, c));
      }
      cells.push_back(Short(GeometricMean(ratios)));
      if (c == breakers.front()) {
        cells.push_back(Short(*std::max_element(ratios.begin(), ratios.end())));
      }
    }
    table.Add(cells);
  }
  return table.text();
}

std::string Aims(const Standings& standings) {
  const Results& results = standings.results();
  const size_t ours = standings.Ours();
  Ratios partial;
  Ratios overload;
  Ratios total;
  Ratios peers;
  for (size_t s = 0; s < results.scenarios.size(); ++s) {
    const Scenario& scenario = results.scenarios[s];
    if (IsNoise(scenario.kind)) continue;
    Ratios& ratios = IsPartial(scenario)                ? partial
                     : scenario.kind == Kind::kOverload ? overload
                                                        : total;
    ratios.push_back({LostRatio(standings, s, ours), scenario.Name()});
    const std::optional<size_t> best =
        standings.Best(s, Lost, Field::kDefaults);
    if (IsPartial(scenario) || !best.has_value()) continue;
    peers.push_back(
        {standings.of(s, ours).lost() / standings.of(s, *best).lost(),
         scenario.Name()});
  }
  return absl::StrCat(
      Aim("Partial outages: calls lost, over those without a breaker, at most",
          1.05, partial),
      Aim("Overload: the same, at most", 1.05, overload),
      Aim("All else: the same, at most", 1.05, total),
      Aim("Overload and all else: over the best of the others, at most", 1,
          peers));
}

std::string Summary(const Standings& standings) {
  return absl::StrCat(SummaryTable(standings), "\n", Aims(standings));
}

}  // namespace autobreaker::decisions
