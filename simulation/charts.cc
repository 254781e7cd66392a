#include "autobreaker/simulation/charts.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <map>

#include "absl/strings/str_cat.h"
#include "autobreaker/simulation/markdown_table.h"

namespace autobreaker::decisions {
namespace {

// Told apart by those who see few colors, too; names stand beside the lines.
constexpr const char* kColors[] = {"#d55e00", "#009e73", "#cc79a7", "#b8860b",
                                   "#56b4e9", "#8c564b", "#7f7f7f", "#6a51a3"};
constexpr char kOurColor[] = "#0072b2";
constexpr char kNoneColor[] = "#000000";

// Something of a scenario that a chart is by, such as its rate.
using Key = std::function<double(const Scenario&)>;
// Of a contestant in a scenario.
using Value = std::function<double(size_t scenario, size_t contestant)>;
using Which = std::function<bool(const Scenario&)>;

// Peers, no breaker, ours; without points.
std::vector<std::pair<size_t, Series>> Contestants(const Standings& standings) {
  std::vector<std::pair<size_t, Series>> all;
  const std::vector<Contestant>& contestants = standings.results().contestants;
  for (size_t c = 0; c < contestants.size(); ++c) {
    if (contestants[c].role != Role::kPeerDefault) continue;
    all.push_back({c,
                   {contestants[c].breaker,
                    kColors[all.size() % std::size(kColors)],
                    1.5,
                    false,
                    {}}});
  }
  all.push_back(
      {standings.NoBreaker(), {"no breaker", kNoneColor, 2, true, {}}});
  all.push_back(
      {standings.Ours(), {"this breaker", kOurColor, 3.5, false, {}}});
  return all;
}

// A line for each contestant: the mean of the values by key, or of their
// logarithms.
std::vector<Series> Lines(const Standings& standings, const Which& which,
                          const Key& key, const Value& value,
                          bool logarithmic) {
  std::vector<Series> lines;
  for (auto& [contestant, series] : Contestants(standings)) {
    std::map<double, std::vector<double>> by_key;
    for (size_t s = 0; s < standings.results().scenarios.size(); ++s) {
      const Scenario& scenario = standings.results().scenarios[s];
      if (!which(scenario)) continue;
      const double v = value(s, contestant);
      by_key[key(scenario)].push_back(logarithmic ? std::log(std::max(v, 1e-9))
                                                  : v);
    }
    for (const auto& [x, values] : by_key) {
      double sum = 0;
      for (const double v : values) sum += v;
      const double mean = sum / static_cast<double>(values.size());
      series.points.push_back({x, logarithmic ? std::exp(mean) : mean});
    }
    if (!series.points.empty()) lines.push_back(series);
  }
  return lines;
}

std::vector<std::pair<double, std::string>> Ticks(
    const std::vector<double>& values, const char* unit = "") {
  std::vector<std::pair<double, std::string>> ticks;
  for (const double v : values)
    ticks.push_back({v, absl::StrCat(Short(v), unit)});
  return ticks;
}

NamedChart LostByShare(const Standings& standings) {
  Chart chart;
  chart.title =
      "Partial outage to total outage: does the breaker lose calls or save "
      "them?";
  chart.x = {"calls that fail", false, 0, 100,
             Ticks({0, 10, 30, 45, 60, 85, 100}, " %")};
  chart.y = {
      "calls lost, as a multiple of those lost without a breaker; above 1x it "
      "does harm",
      true, 0.02, 10, Ticks({0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10}, "x")};
  chart.series = Lines(
      standings, [](const Scenario& s) { return s.kind == Kind::kIncident; },
      [](const Scenario& s) { return s.share * 100; },
      [&](size_t s, size_t c) {
        return standings.of(s, c).lost() /
               standings.of(s, standings.NoBreaker()).lost();
      },
      true);
  return {"lost_by_share", chart};
}

NamedChart FailedBeforeOpeningByRate(const Standings& standings) {
  Chart chart;
  chart.title = "Total outage: how many calls fail before the breaker opens?";
  chart.x = {"calls a second", true, 0.05, 20'000,
             Ticks({0.05, 1, 10, 100, 1000, 20'000})};
  chart.y = {"failed calls", true, 1, 1e6,
             Ticks({1, 10, 100, 1000, 1e4, 1e5, 1e6})};
  chart.series = Lines(
      standings,
      [](const Scenario& s) {
        return s.kind == Kind::kIncident && s.share == 1 && !s.hangs;
      },
      [](const Scenario& s) { return s.rate; },
      [&](size_t s, size_t c) {
        return standings.of(s, c).failed_before_opening_median;
      },
      true);
  return {"failed_before_opening", chart};
}

NamedChart FalseOpenings(const Standings& standings) {
  struct World {
    Kind kind;
    const char* name;
    const char* color;
  };
  constexpr World kWorlds[] = {
      {Kind::kHealthy, "up to 2 % fail", "#0072b2"},
      {Kind::kBlip, "blips of 50 ms", "#e69f00"},
      {Kind::kLostConnections, "lost connections", "#000000"}};
  // What is none is drawn at the left end.
  constexpr double kNone = 0.05;
  Chart chart;
  chart.title = "The server is well: how often does the breaker open?";
  chart.dots = true;
  chart.x = {"openings in a million calls, at the rate of calls that is worst",
             true, kNone, 10'000, Ticks({1, 10, 100, 1000, 10'000})};
  chart.x.ticks.insert(chart.x.ticks.begin(), {kNone, "none"});
  auto rows = Contestants(standings);
  rows.erase(rows.end() - 2);  // no breaker
  chart.y = {"", false, -0.5, static_cast<double>(rows.size()) - 0.5, {}};
  for (size_t row = 0; row < rows.size(); ++row) {
    chart.y.ticks.push_back({static_cast<double>(row), rows[row].second.name});
  }
  // So that dots in one place all show.
  double shift = 0.22;
  for (const World& world : kWorlds) {
    Series series{world.name, world.color, 1, false, {}};
    for (size_t row = 0; row < rows.size(); ++row) {
      double most = 0;
      for (const size_t s : standings.Of(world.kind)) {
        most = std::max(
            most, standings.of(s, rows[row].first).false_openings_per_million);
      }
      series.points.push_back({most, static_cast<double>(row) + shift});
    }
    shift -= 0.22;
    chart.series.push_back(series);
  }
  return {"false_openings", chart};
}

NamedChart AnsweredByLoad(const Standings& standings) {
  Chart chart;
  chart.title =
      "Overload, and the more load the less the server does: how many calls "
      "are answered?";
  chart.x = {"calls asked for, as a multiple of what the server bears", false,
             1.5, 4, Ticks({1.5, 2, 3, 4}, "x")};
  chart.y = {"calls answered", false, 0, 80, Ticks({0, 20, 40, 60, 80}, " %")};
  chart.series = Lines(
      standings,
      [](const Scenario& s) {
        return s.kind == Kind::kOverload && s.collapses;
      },
      [](const Scenario& s) { return s.load; },
      [&](size_t s, size_t c) {
        return 100 * standings.of(s, c).answered_share;
      },
      false);
  Series most{"all it bears", "#999999", 1.5, true, {}};
  for (const double load : {1.5, 2.0, 2.5, 3.0, 3.5, 4.0}) {
    most.points.push_back({load, 100 / load});
  }
  chart.series.insert(chart.series.begin(), most);
  return {"answered_by_load", chart};
}

}  // namespace

std::vector<NamedChart> AllCharts(const Standings& standings) {
  return {LostByShare(standings), FailedBeforeOpeningByRate(standings),
          FalseOpenings(standings), AnsweredByLoad(standings)};
}

}  // namespace autobreaker::decisions
