// How a breaker is set and overruled: by the program, a configuration, an
// operator.
#include <memory>
#include <utility>

#include "autobreaker/breaker/circuit_breaker.h"

namespace autobreaker {

absl::Status CircuitBreaker::UpdateOptions(const BreakerOptions& options) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  auto updated = std::make_shared<const BreakerOptions>(options);
  MutexLock lock(&mu_);
  ReplaceOptionsLocked(std::move(updated));
  return absl::OkStatus();
}

void CircuitBreaker::ReplacePolicy(
    const BreakerPolicy& before,
    const std::shared_ptr<const BreakerPolicy>& policy) {
  MutexLock lock(&mu_);
  if (before.options != policy->options) {
    ReplaceOptionsLocked({policy, &policy->options});
  }
  if (before.mode != policy->mode) {
    policy_mode_ = policy->mode;
    SetModeLocked(policy_mode_, MonotonicTime::max(), CoarseNow());
  }
  handling_.store(HandlingOf(*policy), std::memory_order_relaxed);
}

void CircuitBreaker::ReplaceOptionsLocked(
    std::shared_ptr<const BreakerOptions> updated) {
  const BreakerOptions& options = *updated;
  const MonotonicTime now = CoarseNow();
  AdvanceWindowLocked(now);
  options_.swap(updated);
  const BreakerOptions& before = *updated;
  const uint64_t word = word_.load(std::memory_order_relaxed);
  if (before.trip.evidence != options.trip.evidence) {
    const FailureEvidence::Places places = evidence_.Read();
    const uint64_t successes = counters_.JudgedTotals().successes;
    evidence_.SetRule(EvidenceRule::From(options),
                      evidence_.Level(places, successes), successes,
                      GenerationOf(word));
    if (history_ != nullptr) history_->ramp.SetWeights(evidence_.rule());
  }
  if (before.trip.window != options.trip.window ||
      before.trip.window_buckets != options.trip.window_buckets) {
    window_.Restart(absl::ToChronoNanoseconds(options.trip.window),
                    options.trip.window_buckets, counters_.JudgedTotals(), now);
  }
  if (StateOf(word) == State::kOpen) SetOpenUntilLocked();
  // The next call finds out whether there are more places for probes now.
  if (StateOf(word) == State::kHalfOpen) SetRefuseUntilLocked(now);
  PublishBasisLocked();
  SetWordLocked(GenerationOf(word), StateOf(word), ModeOf(word));
}

void CircuitBreaker::SetMode(Mode mode, absl::Duration how_long) {
  // Far beyond any outage, and far before nanoseconds in 64 bits end.
  const bool for_good = how_long > absl::Hours(24 * 365 * 100);
  {
    MutexLock lock(&mu_);
    const MonotonicTime now = CoarseNow();
    // That the mode is what follows, too, is no end.
    const MonotonicTime until = for_good || mode == policy_mode_
                                    ? MonotonicTime::max()
                                    : now + absl::ToChronoNanoseconds(how_long);
    SetModeLocked(mode, until, now);
  }
  DeliverTransitions();
}

void CircuitBreaker::EndModeIfTimeLocked(MonotonicTime now) {
  if (now < mode_until()) return;
  SetModeLocked(policy_mode_, MonotonicTime::max(), now);
}

void CircuitBreaker::SetModeLocked(Mode mode, MonotonicTime until,
                                   MonotonicTime now) {
  const uint64_t word = word_.load(std::memory_order_relaxed);
  const State state = StateOf(word);
  const Mode before = ModeOf(word);
  const MonotonicTime until_before = mode_until();
  const auto store_until = [this](MonotonicTime time) {
    mode_until_.store(time.time_since_epoch().count(),
                      std::memory_order_release);
  };
  AdvanceWindowLocked(now);  // a trip by force shows it
  store_until(until);
  SetWordLocked(GenerationOf(word), state, mode);
  if (mode == before) return;
  try {
    if (mode == Mode::kForcedOpen) {
      if (state == State::kOpen) {
        SetOpenUntilLocked();
      } else {
        TransitionLocked(State::kOpen, TransitionReason::kForced, now);
      }
    } else if (mode == Mode::kForcedClosed) {
      if (state != State::kClosed) {
        TransitionLocked(State::kClosed, TransitionReason::kForced, now);
      }
    } else if (before == Mode::kForcedOpen) {
      TransitionLocked(State::kHalfOpen, TransitionReason::kForced, now);
    }
  } catch (...) {
    // Out of memory, before anything else was changed.
    store_until(until_before);
    SetWordLocked(GenerationOf(word), state, before);
    throw;
  }
}

bool CircuitBreaker::Reset() {
  {
    MutexLock lock(&mu_);
    const MonotonicTime now = CoarseNow();
    EndModeIfTimeLocked(now);
    const uint64_t word = word_.load(std::memory_order_relaxed);
    if (ModeOf(word) == Mode::kForcedOpen) return false;
    if (StateOf(word) != State::kClosed) {
      TransitionLocked(State::kClosed, TransitionReason::kForced, now);
    } else {
      const uint64_t generation = GenerationOf(word) + 1;
      const CallCounts totals = counters_.StartGeneration(generation);
      window_.Restart(totals, now);
      streak_.Restart(totals.successes, generation);
      evidence_.Restart(/*level=*/0, totals.successes, generation);
      PublishBasisLocked();
      SetWordLocked(generation, State::kClosed, ModeOf(word));
    }
  }
  DeliverTransitions();
  return true;
}

void CircuitBreaker::MarkRemoved() {
  MutexLock lock(&mu_);
  word_.fetch_or(kRemovedBit, std::memory_order_relaxed);
}

BreakerOptions CircuitBreaker::options() const {
  MutexLock lock(&mu_);
  return *options_;
}

}  // namespace autobreaker
