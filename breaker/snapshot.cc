// A look at a breaker. It changes nothing: no state, no window, no callback.
#include "autobreaker/breaker/snapshot.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/internal/cold_state.h"
#include "autobreaker/breaker/internal/rules.h"
#include "autobreaker/breaker/internal/state_machine.h"
#include "autobreaker/breaker/internal/transition_courier.h"

namespace autobreaker {
namespace {

// The smaller of two, of which nothing is the largest.
std::optional<int64_t> Fewer(std::optional<int64_t> a,
                             std::optional<int64_t> b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() ? a : b;
  return std::min(*a, *b);
}

}  // namespace

BreakerSnapshot CircuitBreaker::SnapshotAnd(
    absl::FunctionRef<void()> together) const {
  BreakerSnapshot s;
  s.key = key_;
  std::shared_ptr<const Rules> rules;
  std::shared_ptr<const Transition> last_trip;
  std::optional<int64_t> failures_until_complete;  // the evidence
  // Under the lock, for which a call may be waiting, only what must be of one
  // moment.
  {
    MutexLock lock(&cold_->mu);
    const StateMachine& machine = cold_->machine;
    const CallCounts judged = gate_.DescribeFinished(&s);
    const CallGate::Evidence evidence = gate_.evidence();
    s.evidence = evidence.level;
    failures_until_complete = evidence.failures_until_complete;
    machine.Describe(judged, Asked(machine), clock().CoarseNow(), &s);
    rules = machine.shared_rules();
    if (const auto* const history = machine.history()) {
      last_trip = history->last_trip;
      s.refused[static_cast<int>(RefusalReason::kRamp)] = history->ramp_refused;
      s.shadow_refused[static_cast<int>(RefusalReason::kRamp)] =
          history->ramp_shadow_refused;
    }
    together();
    if (cold_->tally != nullptr) {
      s.callback_exceptions = cold_->tally->exceptions;
      s.lost_transitions = cold_->tally->lost;
    }
  }
  gate_.DescribeAdmitted(&s);
  s.failing_peers = FailingPeersAt(clock().CoarseNow());
  const DurationHistogram* const durations = cold_->durations.get();
  for (int state = 0; durations != nullptr && state < kStateCount; ++state) {
    s.durations[state] = durations->Counts(static_cast<State>(state));
  }
  s.options = rules->options;
  if (last_trip != nullptr) s.last_trip = *last_trip;
  if (!s.options.trip.evidence.has_value()) {
    s.evidence = std::numeric_limits<double>::quiet_NaN();
  }
  s.failure_rate = FailureRate(s.window);
  s.success_rate = 1 - s.failure_rate;
  if (s.state == State::kClosed && s.mode != Mode::kForcedClosed) {
    s.failures_until_trip =
        Fewer(failures_until_complete,
              rules->trip.FailuresUntilTrip(s.window, s.consecutive_failures));
    s.will_trip_next = s.failures_until_trip == 1;
  }
  return s;
}

}  // namespace autobreaker
