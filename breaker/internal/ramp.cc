#include "autobreaker/breaker/internal/ramp.h"

#include <algorithm>
#include <chrono>

namespace autobreaker {

void Ramp::Restart(MonotonicTime now, MonotonicTime::duration open_time) {
  start_ = now;
  // Not so long that the sum below may overflow.
  open_time_ = std::clamp<MonotonicTime::duration>(
      open_time, MonotonicTime::duration(1), std::chrono::hours(1));
  successes_ = 0;
  slowest_ = MonotonicTime::duration(0);
  level_ = 1;
  turns_ = 0;
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
  if (!answered()) return now >= NextTurn(in_flight, at_once, now);
  if (in_flight < at_once) return true;
  if (in_flight >= std::min(successes_, kMostInFlight)) return false;
  turns_ += Share(traffic.overdue);
  if (turns_ < 1) return false;
  turns_ -= 1;
  return true;
}

MonotonicTime Ramp::NextTurn(int64_t in_flight, int64_t at_once,
                             MonotonicTime now) const {
  if (answered()) return now;
  if (in_flight >= at_once) return MonotonicTime::max();
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
