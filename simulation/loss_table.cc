#include "autobreaker/simulation/loss_table.h"

#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "autobreaker/simulation/summary.h"

namespace autobreaker::decisions {
namespace {

constexpr int kNameWidth = 36;

std::string Calls(double calls) {
  return absl::StrFormat("%10.*f", calls < 100 ? 1 : 0, calls);
}

std::vector<size_t> Peers(const Standings& standings) {
  std::vector<size_t> peers;
  const std::vector<Contestant>& all = standings.results().contestants;
  for (size_t c = 0; c < all.size(); ++c) {
    if (all[c].role == Role::kPeerDefault) peers.push_back(c);
  }
  return peers;
}

std::string Head(const Standings& standings, absl::string_view first) {
  std::string text = absl::StrFormat("%-*s%10s", kNameWidth, first, "ours");
  for (const size_t c : Peers(standings)) {
    absl::StrAppendFormat(
        &text, "%10s", standings.results().contestants[c].breaker.substr(0, 8));
  }
  return text;
}

std::string NoiseRows(const Standings& standings) {
  std::string text;
  const Results& results = standings.results();
  for (size_t s = 0; s < results.scenarios.size(); ++s) {
    if (!IsNoise(results.scenarios[s].kind)) continue;
    absl::StrAppendFormat(
        &text, "%-*s%10.3g", kNameWidth, results.scenarios[s].Name(),
        standings.of(s, standings.Ours()).false_openings_per_million);
    for (const size_t c : Peers(standings)) {
      absl::StrAppendFormat(&text, "%10.3g",
                            standings.of(s, c).false_openings_per_million);
    }
    absl::StrAppend(&text, "\n");
  }
  if (text.empty()) return text;
  return absl::StrCat(Head(standings, "false openings per million calls"), "\n",
                      text, "\n");
}

std::string LossRows(const Standings& standings) {
  std::string text;
  const Results& results = standings.results();
  for (size_t s = 0; s < results.scenarios.size(); ++s) {
    if (IsNoise(results.scenarios[s].kind)) continue;
    const Measures& ours = standings.of(s, standings.Ours());
    const Measures& none = standings.of(s, standings.NoBreaker());
    absl::StrAppendFormat(&text, "%-*s", kNameWidth,
                          results.scenarios[s].Name());
    absl::StrAppend(&text, Calls(ours.lost()));
    for (const size_t c : Peers(standings)) {
      absl::StrAppend(&text, Calls(standings.of(s, c).lost()));
    }
    absl::StrAppendFormat(&text, "%s%7.2f%8.1f%6.0f%7.1f%7.1f%7.2f\n",
                          Calls(none.lost()), ours.lost() / none.lost(),
                          ours.failed_before_opening_median,
                          100 * ours.opened_share, 100 * none.answered_share,
                          100 * ours.answered_share, ours.recovery_seconds);
  }
  if (text.empty()) return text;
  return absl::StrCat(Head(standings, "calls lost in an episode"),
                      "      none  /none  before open% noneA% oursA%   back\n",
                      text, "\n");
}

}  // namespace

std::string LossTable(const Standings& standings) {
  return absl::StrCat(NoiseRows(standings), LossRows(standings),
                      Aims(standings));
}

}  // namespace autobreaker::decisions
