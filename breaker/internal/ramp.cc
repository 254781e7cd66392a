#include "autobreaker/breaker/internal/ramp.h"

#include <algorithm>
#include <chrono>

namespace autobreaker {

Ramp::Ramp(double break_even, const OpenTime& open_time, uint64_t asked,
           MonotonicTime now)
    : break_even_(break_even),
      open_time_(open_time),
      asked_at_start_(asked),
      since_(now) {}

bool Ramp::Admits(const Request& request, MonotonicTime now) {
  const int64_t in_flight = request.in_flight;
  if (in_flight == 0) return true;
  if (!answered()) {
    return in_flight < request.at_once &&
           TurnHasCome(in_flight, request.asked, now);
  }
  if (in_flight < request.at_once) return true;
  if (in_flight >= std::min(successes_, kMostInFlight)) return false;
  // Calls that hang bring the share down before they fail.
  Move(request.overdue, request.probe, now);
  if (Balance(request.overdue) <= -1) return false;
  turns_ += share();
  if (turns_ < 1) return false;
  turns_ -= 1;
  return true;
}

bool Ramp::TurnHasCome(int64_t in_flight, uint64_t asked,
                       MonotonicTime now) const {
  const auto times = static_cast<uint64_t>(in_flight);
  return (now - since_) / in_flight >= open_time_.shortest &&
         (asked - asked_at_start_) / times >= open_time_.calls;
}

MonotonicTime Ramp::NextTurn(int64_t in_flight, int64_t at_once, uint64_t asked,
                             MonotonicTime now) const {
  if (answered()) return now;
  if (in_flight >= at_once) return MonotonicTime::max();
  if (TurnHasCome(in_flight, asked, now)) return now;
  // At most an hour, so that the sum cannot overflow.
  const MonotonicTime turn =
      since_ + in_flight * std::min<MonotonicTime::duration>(
                               open_time_.shortest, std::chrono::hours(1));
  return std::max(turn, now + std::chrono::milliseconds(1));
}

void Ramp::Note(uint64_t probe, bool failed, MonotonicTime::duration taken,
                int64_t overdue, uint64_t next_probe, MonotonicTime now) {
  if (!answered()) {
    if (failed) {
      reopens_ = true;
      return;
    }
    successes_ = 1;
    slowest_ = taken;
    GoTo(0, next_probe, now);
    return;
  }
  if (!failed) {
    ++successes_;
    slowest_ = std::max(slowest_, taken);
  }
  if (probe < first_probe_) return;
  Weigh(failed ? -(1 - break_even_) : break_even_, overdue, next_probe, now);
}

void Ramp::NoteFailureAfterSuccess(uint64_t probe, int64_t overdue,
                                   uint64_t next_probe, MonotonicTime now) {
  --successes_;
  if (!answered()) {
    reopens_ = true;
    return;
  }
  if (probe < first_probe_) return;
  Weigh(-1, overdue, next_probe, now);
}

void Ramp::Weigh(double by, int64_t overdue, uint64_t next_probe,
                 MonotonicTime now) {
  // What is more than enough is not saved up.
  const double enough = 1 + static_cast<double>(overdue) * (1 - break_even_);
  balance_ = std::min(balance_ + by, enough);
  reopens_ = step_ == 0 && Balance(overdue) <= -1;
  Move(overdue, next_probe, now);
}

void Ramp::Move(int64_t overdue, uint64_t next_probe, MonotonicTime now) {
  const double balance = Balance(overdue);
  if (balance <= -1 && step_ > 0) {
    GoTo(step_ - 1, next_probe, now);
  } else if (balance >= 1 && step_ < kLastStep) {
    GoTo(step_ + 1, next_probe, now);
  }
}

void Ramp::GoTo(int step, uint64_t next_probe, MonotonicTime now) {
  step_ = step;
  balance_ = 0;
  turns_ = 0;
  first_probe_ = next_probe;
  since_ = now;
}

bool Ramp::Closes(int64_t overdue, MonotonicTime now) const {
  return answered() && step_ == kLastStep && Balance(overdue) >= 1 &&
         now - since_ >= open_time_.shortest;
}

}  // namespace autobreaker
