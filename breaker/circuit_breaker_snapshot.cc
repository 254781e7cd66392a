// What a breaker tells about itself.
#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "autobreaker/breaker/circuit_breaker.h"

namespace autobreaker {

BreakerSnapshot CircuitBreaker::Snapshot() {
  BreakerSnapshot s;
  s.key = key_;
  std::shared_ptr<const BreakerOptions> options;
  std::shared_ptr<const Transition> last_trip;
  int64_t failures_until_complete = 0;  // the evidence
  uint64_t handling = 0;
  uint64_t ramp_refused = 0;
  uint64_t ramp_shadow_refused = 0;
  // Only what must be of one moment is read under the lock, for which a call
  // may be waiting.
  {
    MutexLock lock(&mu_);
    const MonotonicTime now = CoarseNow();
    EndModeIfTimeLocked(now);
    HalfOpenIfTimeLocked(now);
    AdvanceWindowLocked(now);

    const uint64_t word = word_.load(std::memory_order_relaxed);
    s.mode = ModeOf(word);
    s.state = StateOf(word);
    if (mode_until() != MonotonicTime::max()) {
      s.mode_remaining = absl::FromChrono(mode_until() - now);
    }
    s.next_mode = policy_mode_;
    options = options_;
    handling = handling_.load(std::memory_order_relaxed);
    if (history_ != nullptr) {
      s.transition_count = history_->transition_count;
      last_trip = history_->last_trip;
      s.transitions = history_->transitions;
      s.trips = history_->trips;
      ramp_refused = history_->ramp_refused;
      ramp_shadow_refused = history_->ramp_shadow_refused;
    }
    s.reopenings = reopenings_;
    s.last_transition_time = last_transition_time_;
    s.probes_in_flight = probes_.Count(now);
    s.probe_successes = probe_successes_;
    if (s.state == State::kOpen) s.open_remaining = OpenRemainingLocked(now);

    // In the reverse order of counting, so that every part seen has its whole
    // seen too: what is slow or late is finished, what has ended has begun.
    s.slow_calls = counters_.JudgedTotals().slow +
                   counters_.Total(ShardedCounters::kUnjudgedSlow);
    s.late_results = counters_.Total(ShardedCounters::kLate);
    const CallCounts judged = counters_.JudgedTotals();
    s.successes =
        judged.successes + counters_.Total(ShardedCounters::kUnjudgedSuccess);
    s.failures =
        judged.failures + counters_.Total(ShardedCounters::kUnjudgedFailure);

    s.consecutive_successes = streak_.Successes(judged.successes);
    if (s.state == State::kClosed) {
      s.window = judged - window_.base();
      s.consecutive_failures = streak_.Failures(judged.successes);
      const FailureEvidence::Places places = evidence_.Read();
      const uint64_t successes = counters_.JudgedTotals().successes;
      s.evidence = evidence_.Level(places, successes);
      failures_until_complete =
          evidence_.FailuresUntilComplete(places, successes);
    } else {
      s.window = history_->window_at_trip;
      s.consecutive_failures = history_->failures_at_trip;
      s.evidence = s.state == State::kHalfOpen && options->Ramps()
                       ? history_->ramp.level()
                       : 1;
    }
  }
  // Still in that order. `requests` at once: what begins and ends before it is
  // read is taken for in flight.
  s.ignored = counters_.Total(ShardedCounters::kIgnored);
  s.abandoned = counters_.Total(ShardedCounters::kAbandoned);
  s.requests = counters_.Total(ShardedCounters::kAdmitted);
  s.in_flight =
      s.requests - (s.successes + s.failures + s.ignored + s.abandoned);
  for (int state = 0; durations_ != nullptr && state < kStateCount; ++state) {
    s.durations[state] = durations_->Counts(static_cast<State>(state));
  }
  for (int code = 0; status_codes_ != nullptr && code < kStatusCodeCount;
       ++code) {
    s.status_codes[code] = status_codes_->Total(code);
  }
  s.refused = {counters_.Total(ShardedCounters::kRefusedOpen),
               counters_.Total(ShardedCounters::kRefusedHalfOpen), ramp_refused,
               counters_.Total(ShardedCounters::kRefusedForcedOpen)};
  s.shadow_refused = {counters_.Total(ShardedCounters::kShadowOpen),
                      counters_.Total(ShardedCounters::kShadowHalfOpen),
                      ramp_shadow_refused, 0};
  s.callback_exceptions = callback_exceptions_.load(std::memory_order_relaxed);

  s.unguarded = (handling & kUnguardedBit) != 0;
  if ((handling & kClassesBit) != 0) s.status_classes = ClassesOf(handling);
  s.options = *options;
  if (!s.options.trip.evidence.has_value()) {
    s.evidence = std::numeric_limits<double>::quiet_NaN();
  }
  if (last_trip != nullptr) s.last_trip = *last_trip;
  s.failure_rate = FailureRate(s.window);
  s.success_rate = 1 - s.failure_rate;
  if (s.state == State::kClosed && s.mode != Mode::kForcedClosed) {
    s.failures_until_trip = std::min(
        failures_until_complete, TripRule::From(s.options).FailuresUntilTrip(
                                     s.window, s.consecutive_failures));
    s.will_trip_next = s.failures_until_trip == 1;
  }
  // Last: it may destroy the breaker.
  DeliverTransitions();
  return s;
}

}  // namespace autobreaker
