#include "autobreaker/simulation/json_report.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace autobreaker::decisions {
namespace {

// Every name is of characters that JSON takes as they are.
std::string Text(absl::string_view name, absl::string_view value) {
  return absl::StrFormat("\"%s\": \"%s\"", name, value);
}
std::string Number(absl::string_view name, double value) {
  return absl::StrFormat("\"%s\": %.10g", name, value);
}

absl::string_view RoleName(Role role) {
  switch (role) {
    case Role::kOurs:
      return "ours";
    case Role::kNone:
      return "none";
    default:
      return "peer_default";
  }
}

std::string Row(const Standings& standings, size_t s, size_t c,
                absl::string_view role) {
  const Scenario& scenario = standings.results().scenarios[s];
  const Contestant& contestant = standings.results().contestants[c];
  const Measures& m = standings.of(s, c);
  std::vector<std::string> fields = {
      Text("breaker", contestant.breaker),
      Text("setting", contestant.setting),
      Text("role", role),
      Text("scenario", scenario.Name()),
      Number("calls_per_second", scenario.rate),
  };
  if (IsNoise(scenario.kind)) {
    fields.push_back(Number("false_openings", m.false_openings));
    fields.push_back(
        Number("false_openings_per_million", m.false_openings_per_million));
  } else {
    for (const auto& [name, value] :
         std::vector<std::pair<const char*, double>>{
             {"failed_before_opening_median", m.failed_before_opening_median},
             {"failed_before_opening_p90", m.failed_before_opening_p90},
             {"failed_admitted", m.failed_admitted},
             {"good_refused_during", m.good_refused_during},
             {"good_refused_after", m.good_refused_after},
             {"cost_after", m.cost_after()},
             {"lost", m.lost()},
             {"dead_calls_per_minute", m.dead_calls_per_minute},
             {"recovery_seconds", m.recovery_seconds},
             {"opened_share", m.opened_share},
             {"answered_share", m.answered_share}}) {
      fields.push_back(Number(name, value));
    }
  }
  return absl::StrCat("{", absl::StrJoin(fields, ", "), "}");
}

}  // namespace

std::string JsonReport(const Standings& standings) {
  const Results& results = standings.results();
  std::vector<std::string> rows;
  // Of those that are tried in other settings, too.
  std::set<std::string> peers;
  for (const Contestant& c : results.contestants) {
    if (c.role == Role::kPeerGrid) peers.insert(c.breaker);
  }
  for (size_t s = 0; s < results.scenarios.size(); ++s) {
    for (size_t c = 0; c < results.contestants.size(); ++c) {
      const Role role = results.contestants[c].role;
      if (role != Role::kPeerGrid) {
        rows.push_back(Row(standings, s, c, RoleName(role)));
      }
    }
    if (IsNoise(results.scenarios[s].kind)) continue;
    const auto add = [&](absl::string_view role, Measure measure, Field field,
                         absl::string_view peer) {
      const std::optional<size_t> best =
          standings.Best(s, measure, field, peer);
      if (best.has_value()) rows.push_back(Row(standings, s, *best, role));
    };
    for (const std::string& peer : peers) {
      add("best_cost_after_qualified", CostAfter, Field::kQualified, peer);
      add("best_cost_after_any", CostAfter, Field::kAny, peer);
      add("best_opening_qualified", FailedBeforeOpening, Field::kQualified,
          peer);
      add("best_opening_any", FailedBeforeOpening, Field::kAny, peer);
    }
  }
  return absl::StrCat("[\n", absl::StrJoin(rows, ",\n"), "\n]\n");
}

}  // namespace autobreaker::decisions
