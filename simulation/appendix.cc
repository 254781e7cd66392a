#include "autobreaker/simulation/appendix.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "autobreaker/simulation/markdown_table.h"
#include "autobreaker/simulation/reach.h"

namespace autobreaker::decisions {
namespace {

constexpr char kBestDefaults[] = "best of the others, default settings";
constexpr char kBestQuiet[] = "best of the others, settings quiet at this rate";

// The best of the peers, by name.
std::string BestText(const Standings& standings, size_t scenario,
                     Measure measure, Field field) {
  const std::optional<size_t> best = standings.Best(scenario, measure, field);
  if (!best.has_value()) return "none";
  return absl::StrCat(Short(measure(standings.of(scenario, *best))), " ",
                      standings.results().contestants[*best].Name());
}

std::string FalseOpenings(const Standings& standings) {
  Cells head = {"breaker"};
  for (const double background : {0.001, 0.01, 0.02}) {
    head.push_back(
        absl::StrFormat("no incident, %g %% fail", background * 100));
  }
  std::vector<size_t> bursts = standings.Of(Kind::kBlip);
  for (const size_t s : standings.Of(Kind::kLostConnections)) {
    bursts.push_back(s);
  }
  const Results& results = standings.results();
  for (const size_t s : bursts) {
    const Scenario& scenario = results.scenarios[s];
    head.push_back(absl::StrFormat(
        "%s, %s/s", scenario.kind == Kind::kBlip ? "blips" : "lost connections",
        Short(scenario.rate)));
  }
  head.push_back("highest");
  MarkdownTable table(head);
  for (size_t c = 0; c < results.contestants.size(); ++c) {
    const Role role = results.contestants[c].role;
    if (role != Role::kOurs && role != Role::kPeerDefault) continue;
    Cells cells = {results.contestants[c].Name()};
    for (const double background : {0.001, 0.01, 0.02}) {
      double most = 0;
      for (const size_t s : standings.Of(Kind::kHealthy)) {
        if (results.scenarios[s].background != background) continue;
        most = std::max(most, standings.of(s, c).false_openings_per_million);
      }
      cells.push_back(Short(most));
    }
    for (const size_t s : bursts) {
      cells.push_back(Short(standings.of(s, c).false_openings_per_million));
    }
    cells.push_back(Short(standings.WorstNoise(c)));
    table.Add(cells);
  }
  return table.text();
}

Cells CellName(const Scenario& scenario) {
  return {Short(scenario.rate), absl::StrFormat("%g %%", scenario.share * 100),
          scenario.hangs ? "hang" : "at once"};
}

std::string Openings(const Standings& standings) {
  MarkdownTable table({"calls/s", "fail", "how", "least calls",
                       "least failed calls", std::string(kOurs),
                       "90th percentile", std::string(kPlain), kBestDefaults,
                       kBestQuiet});
  for (const size_t s : standings.Of(Kind::kIncident)) {
    const Scenario& scenario = standings.results().scenarios[s];
    Cells cells = CellName(scenario);
    const size_t ours = standings.Ours();
    for (const std::string& cell :
         {Short(CallsBound(scenario.share)), Short(FailedBound(scenario)),
          Short(FailedBeforeOpening(standings.of(s, ours))),
          Short(standings.of(s, ours).failed_before_opening_p90),
          Short(FailedBeforeOpening(standings.of(s, standings.Ours(kPlain)))),
          BestText(standings, s, FailedBeforeOpening, Field::kDefaults),
          BestText(standings, s, FailedBeforeOpening, Field::kQualified)}) {
      cells.push_back(cell);
    }
    table.Add(cells);
  }
  return table.text();
}

std::string RatioText(const Standings& standings, size_t scenario,
                      Measure measure, Field field) {
  const std::optional<double> ratio =
      Ratio(standings, scenario, measure, field);
  return ratio.has_value() ? absl::StrFormat("%.2f", *ratio) : "";
}

std::string Costs(const Standings& standings, Measure cost) {
  MarkdownTable table({"calls/s", "fail", "how", "no breaker",
                       std::string(kOurs), kBestDefaults, "ratio", kBestQuiet,
                       "ratio"});
  for (const size_t s : standings.Of(Kind::kIncident)) {
    Cells cells = CellName(standings.results().scenarios[s]);
    cells.push_back(Short(cost(standings.of(s, standings.NoBreaker()))));
    cells.push_back(Short(cost(standings.of(s, standings.Ours()))));
    for (const Field field : {Field::kDefaults, Field::kQualified}) {
      cells.push_back(BestText(standings, s, cost, field));
      cells.push_back(RatioText(standings, s, cost, field));
    }
    table.Add(cells);
  }
  return table.text();
}

// Our other configurations, to see what each part is worth.
std::string OurCosts(const Standings& standings, Measure cost) {
  const Results& results = standings.results();
  Cells head = {"calls/s", "fail", "how"};
  std::vector<size_t> ours;
  for (size_t c = 0; c < results.contestants.size(); ++c) {
    if (results.contestants[c].role != Role::kOurs) continue;
    ours.push_back(c);
    head.push_back(results.contestants[c].setting);
  }
  MarkdownTable table(head);
  for (const size_t s : standings.Of(Kind::kIncident)) {
    Cells cells = CellName(results.scenarios[s]);
    for (const size_t c : ours) {
      cells.push_back(Short(cost(standings.of(s, c))));
    }
    table.Add(cells);
  }
  return table.text();
}

}  // namespace

std::string Appendix(const Standings& standings) {
  return absl::StrCat(
      "## Summary\n\n", ReachSummary(standings),
      "\n## Openings without cause, per million calls\n\n",
      FalseOpenings(standings),
      "\n## Failed calls before the breaker opens, median\n\n",
      Openings(standings),
      "\n## Cost 1: failed calls, and good calls refused after the "
      "incident\n\n",
      Costs(standings, CostAfter),
      "\nThis breaker in each of its settings:\n\n",
      OurCosts(standings, CostAfter),
      "\n## Cost 2: failed calls, and all good calls refused\n\n",
      Costs(standings, Lost), "\nThis breaker in each of its settings:\n\n",
      OurCosts(standings, Lost));
}

}  // namespace autobreaker::decisions
