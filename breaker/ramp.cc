#include "breaker/ramp.h"

#include <algorithm>
#include <chrono>

namespace autobreaker {

void Ramp::Restart(MonotonicTime now, MonotonicTime::duration open_time) {
  start_ = now;
  // Not so long that the sum below may overflow.
  open_time_ = std::clamp<MonotonicTime::duration>(
      open_time, MonotonicTime::duration(1), std::chrono::hours(1));
  successes_ = 0;
  level_ = 1;
  turns_ = 0;
}

bool Ramp::Admits(int64_t in_flight, int64_t at_once, MonotonicTime now) {
  if (in_flight == 0) return true;
  if (!answered()) return now >= NextTurn(in_flight, at_once, now);
  if (in_flight < at_once) return true;
  if (in_flight >= successes_) return false;
  turns_ += share();
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

Ramp::Verdict Ramp::Judge(const EvidenceRule& rule, bool failed) {
  const EvidenceRule::Test& test = rule.tests[0];
  const auto threshold = static_cast<double>(test.threshold);
  const double failure = static_cast<double>(test.failure) / threshold;
  const double success = EvidenceRule::kOneSuccess / threshold;
  if (failed) {
    level_ += failure;
    return level_ >= 1 ? Verdict::kReopen : Verdict::kNone;
  }
  if (!answered()) level_ -= failure;
  ++successes_;
  level_ = std::max(0.0, level_ - success);
  return level_ <= kCloses ? Verdict::kClose : Verdict::kNone;
}

double Ramp::share() const {
  return answered() ? (1 - level_) / (1 - kCloses) : 0;
}

}  // namespace autobreaker
