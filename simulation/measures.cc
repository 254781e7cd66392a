#include "autobreaker/simulation/measures.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace autobreaker::decisions {
namespace {

// The value that a share `q` of the others are at most.
double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(place);
  const size_t high = std::min(low + 1, values.size() - 1);
  const double part = place - std::floor(place);
  return values[low] + (values[high] - values[low]) * part;
}

}  // namespace

void EpisodeTally::Note(const Call& call, bool admitted, bool fails) {
  const bool opens = !admitted && admitted_ >= kApart;
  admitted_ = admitted ? admitted_ + 1 : 0;
  if (call.phase == Phase::kBefore) return;
  NoteDead(call, admitted);
  if (opens && !opened_) {
    opened_ = true;
    dead_calls_ = dead_time_ = 0;
  }
  if (call.phase == Phase::kDuring) {
    ++asked_;
    if (admitted && !fails) ++answered_;
    if (admitted && fails) {
      ++failed_admitted_;
      if (!opened_) ++failed_before_opening_;
    }
    if (!admitted && !fails) ++good_refused_during_;
    return;
  }
  ++after_;
  if (admitted) {
    ++quiet_;
    if (fails) ++failed_in_quiet_;
    return;
  }
  if (!fails) ++good_refused_after_;
  recovery_ = call.at - recovers_;
  // Full service was not yet: what failed until here counts, too.
  failed_admitted_ += failed_in_quiet_;
  failed_in_quiet_ = 0;
  quiet_ = 0;
}

void EpisodeTally::NoteDead(const Call& call, bool admitted) {
  if (!call.dead) {
    last_dead_ = -1;
    return;
  }
  if (last_dead_ >= 0) dead_time_ += call.at - last_dead_;
  if (admitted) ++dead_calls_;
  last_dead_ = call.at;
}

bool EpisodeTally::Over(Nanos now) const {
  const Nanos since = now - recovers_;
  // Hanging calls end a second late, and may still open it.
  constexpr Nanos kQuiet = 5'000'000'000;
  if (since - recovery_ > kQuiet && quiet_ >= 100) return true;
  constexpr Nanos kLongest = 600'000'000'000;
  return since > kLongest && after_ >= 300;
}

void NoiseTally::Note(bool admitted) {
  ++calls_;
  if (admitted) {
    ++admitted_;
    return;
  }
  if (admitted_ >= kApart) ++openings_;
  admitted_ = 0;
}

Measures Summarize(const NoiseTally& tally) {
  Measures m;
  m.false_openings = static_cast<double>(tally.openings());
  m.false_openings_per_million =
      m.false_openings * 1e6 / static_cast<double>(tally.calls());
  return m;
}

Measures Summarize(const std::vector<EpisodeTally>& tallies) {
  Measures m;
  std::vector<double> before_opening;
  double dead_calls = 0;
  double dead_seconds = 0;
  int64_t asked = 0;
  int64_t answered = 0;
  const double weight = 1 / static_cast<double>(tallies.size());
  for (const EpisodeTally& t : tallies) {
    before_opening.push_back(static_cast<double>(t.failed_before_opening()));
    m.failed_admitted += weight * static_cast<double>(t.failed_admitted());
    m.good_refused_during +=
        weight * static_cast<double>(t.good_refused_during());
    m.good_refused_after +=
        weight * static_cast<double>(t.good_refused_after());
    m.recovery_seconds += weight * ToSeconds(t.recovery());
    if (t.opened()) m.opened_share += weight;
    asked += t.asked();
    answered += t.answered();
    dead_calls += static_cast<double>(t.dead_calls());
    dead_seconds += ToSeconds(t.dead_time());
  }
  m.failed_before_opening_median = Quantile(before_opening, 0.5);
  m.failed_before_opening_p90 = Quantile(before_opening, 0.9);
  if (asked > 0) {
    m.answered_share =
        static_cast<double>(answered) / static_cast<double>(asked);
  }
  if (dead_seconds > 0)
    m.dead_calls_per_minute = 60 * dead_calls / dead_seconds;
  return m;
}

}  // namespace autobreaker::decisions
