#include "autobreaker/breaker/internal/half_open.h"

#include <algorithm>

#include "absl/time/time.h"

namespace autobreaker {

namespace {

double BreakEven(const Rules& rules) {
  return rules.options.trip.evidence.value_or(EvidenceOptions())
      .break_even_failure_rate;
}

}  // namespace

HalfOpen::HalfOpen(const Rules& rules, const OpenTime& open_time,
                   uint64_t asked, MonotonicTime now)
    : refuse_until_(now), ramp_(BreakEven(rules), open_time, asked, now) {}

HalfOpen::Answer HalfOpen::TakeProbe(const Rules& rules, uint64_t asked,
                                     MonotonicTime now) {
  const HalfOpenOptions& options = rules.options.half_open;
  const bool ramps = rules.options.Ramps();
  const int64_t at_once = options.max_calls;
  const int64_t in_flight = leases_.Count(now);
  const bool goes =
      ramps
          ? ramp_.Admits(
                {leases_.next(), in_flight, Overdue(now), at_once, asked}, now)
          : in_flight < at_once;
  Answer answer;
  if (goes) {
    answer.probe = leases_.Take(absl::ToChronoNanoseconds(options.lease), now);
    answer.finds_out = successes_ == 0 && !left_to_calls_;
  } else if (ramps && ramp_.answered()) {
    answer.refused = RefusalReason::kRamp;
  }
  // No call need come here before the next one's time, or the end of a lease.
  const int64_t taken = leases_.Count(now);
  const MonotonicTime next =
      ramps             ? ramp_.NextTurn(taken, at_once, asked + 1, now)
      : taken < at_once ? now
                        : MonotonicTime::max();
  refuse_until_ = std::min(next, leases_.FirstEnd(now));
  return answer;
}

bool HalfOpen::EndProbe(const Rules& rules, uint64_t probe, bool failed,
                        bool slow, MonotonicTime now) {
  const std::optional<MonotonicTime> start = leases_.Release(probe, now);
  if (!start.has_value() && failed) return false;
  refuse_until_ = now;
  if (rules.options.Ramps()) {
    const MonotonicTime::duration at_least =
        absl::ToChronoNanoseconds(rules.options.half_open.lease);
    ramp_.Note(probe, failed, start.has_value() ? now - *start : at_least,
               Overdue(now), leases_.next(), now);
  }
  if (!failed && (!slow || rules.options.Ramps())) ++successes_;
  return true;
}

void HalfOpen::Progress(const Rules& rules, uint64_t probe, MonotonicTime now) {
  EndProbe(rules, probe, /*failed=*/false, /*slow=*/false, now);
  ++progressed_;
}

void HalfOpen::FailAfterProgress(const Rules& rules, uint64_t probe,
                                 MonotonicTime now) {
  refuse_until_ = now;
  --successes_;
  --progressed_;
  if (rules.options.Ramps()) {
    ramp_.NoteFailureAfterSuccess(probe, Overdue(now), leases_.next(), now);
  }
}

void HalfOpen::FreeProbe(uint64_t probe, MonotonicTime now) {
  if (leases_.Release(probe, now).has_value()) refuse_until_ = now;
}

std::optional<State> HalfOpen::Next(const Rules& rules, bool failed, bool slow,
                                    const CallCounts& results,
                                    MonotonicTime now) const {
  if (rules.options.Ramps()) {
    if (ramp_.reopens()) return State::kOpen;
    // One slow call among many says little, so it is their share that counts.
    CallCounts all = results;
    all.successes += progressed_;  // which are in no result
    if (slow && rules.trip.TooManySlow(all)) return State::kOpen;
    return ramp_.Closes(Overdue(now), now) ? std::make_optional(State::kClosed)
                                           : std::nullopt;
  }
  if (failed || slow) return State::kOpen;
  return successes_ >= *rules.options.half_open.successes_to_close
             ? std::make_optional(State::kClosed)
             : std::nullopt;
}

void HalfOpen::SetRules(const Rules& rules, MonotonicTime now) {
  ramp_.SetBreakEven(BreakEven(rules));
  refuse_until_ = now;
}

int64_t HalfOpen::Overdue(MonotonicTime now) const {
  return leases_.CountTakenBefore(ramp_.OverdueBefore(now), ramp_.first_probe(),
                                  now);
}

}  // namespace autobreaker
