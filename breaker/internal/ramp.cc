#include "autobreaker/breaker/internal/ramp.h"

#include <algorithm>
#include <chrono>

namespace autobreaker {

Ramp::Ramp(const EvidenceRule& rule, MonotonicTime::duration open_time,
           MonotonicTime now)
    : start_(now),
      // Not so long that the sum in NextTurn() could overflow.
      open_time_(std::clamp<MonotonicTime::duration>(
          open_time, MonotonicTime::duration(1), std::chrono::hours(1))) {
  SetWeights(rule);
}

void Ramp::SetWeights(const EvidenceRule& rule) {
  const EvidenceRule::Test& test = rule.tests[0];
  if (test.threshold == 0) return;
  const auto threshold = static_cast<double>(test.threshold);
  failure_ = static_cast<double>(test.failure) / threshold;
  success_ = EvidenceRule::kOneSuccess / threshold;
}

MonotonicTime Ramp::OverdueBefore(MonotonicTime now) const {
  return now - 2 * slowest_;
}

bool Ramp::Admits(const Traffic& traffic, int64_t at_once, MonotonicTime now) {
  const int64_t in_flight = traffic.in_flight;
  if (in_flight == 0) return true;
  if (!answered()) {
    const std::optional<MonotonicTime> turn = NextTurn(in_flight, at_once, now);
    return turn.has_value() && now >= *turn;
  }
  if (in_flight < at_once) return true;
  if (in_flight >= std::min(successes_, kMostInFlight)) return false;
  turns_ += Share(traffic.overdue);
  if (turns_ < 1) return false;
  turns_ -= 1;
  return true;
}

std::optional<MonotonicTime> Ramp::NextTurn(int64_t in_flight, int64_t at_once,
                                            MonotonicTime now) const {
  if (answered()) return now;
  if (in_flight >= at_once) return std::nullopt;
  return start_ + in_flight * open_time_;
}

void Ramp::Note(bool failed, MonotonicTime::duration taken) {
  if (failed) {
    level_ += failure_;
    return;
  }
  if (!answered()) level_ -= failure_;
  ++successes_;
  slowest_ = std::max(slowest_, taken);
  level_ -= success_;
}

double Ramp::Share(int64_t overdue) const {
  if (!answered()) return 0;
  const double level = level_ + static_cast<double>(overdue) * failure_;
  return std::clamp((1 - level) / (1 - kCloses), 0.0, 1.0);
}

}  // namespace autobreaker
