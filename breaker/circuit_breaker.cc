#include "autobreaker/breaker/circuit_breaker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/random/random.h"

namespace autobreaker {
namespace {

// The seed of one breaker: its own, so that what other breakers draw does not
// change it.
std::minstd_rand::result_type SeedFor(const Instruments& instruments,
                                      const BreakerKey& key) {
  if (!instruments.seed.has_value()) {
    return absl::Uniform<std::minstd_rand::result_type>(absl::BitGen());
  }
  std::string material = key.name + '/' + key.service + '/' + key.method;
  for (int i = 0; i < 64; i += 8) {
    material.push_back(static_cast<char>(*instruments.seed >> i));
  }
  std::seed_seq sequence(material.begin(), material.end());
  return std::minstd_rand(sequence)();
}

int Index(State state) { return static_cast<int>(state); }

}  // namespace

absl::StatusOr<std::shared_ptr<CircuitBreaker>> CircuitBreaker::Create(
    BreakerKey key, const BreakerOptions& options,
    std::shared_ptr<const Instruments> instruments) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  if (instruments == nullptr) {
    instruments = std::make_shared<const Instruments>();
  }
  if (absl::Status status = instruments->Validate(); !status.ok()) {
    return status;
  }
  BreakerPolicy policy;
  policy.options = options;
  return std::shared_ptr<CircuitBreaker>(new CircuitBreaker(
      std::move(key), std::make_shared<const BreakerPolicy>(std::move(policy)),
      std::move(instruments)));
}

CircuitBreaker::CircuitBreaker(BreakerKey key,
                               std::shared_ptr<const BreakerPolicy> policy,
                               std::shared_ptr<const Instruments> instruments)
    : clock_(instruments->clock),
      handling_(HandlingOf(*policy)),
      key_(std::move(key)),
      instruments_(std::move(instruments)),
      durations_(instruments_->duration_buckets.empty()
                     ? nullptr
                     : std::make_unique<DurationHistogram>(
                           &instruments_->duration_buckets)),
      status_codes_(instruments_->count_status_codes
                        ? std::make_unique<ShardedArray>(kStatusCodeCount)
                        : nullptr),
      options_(policy, &policy->options),
      policy_mode_(policy->mode),
      random_(SeedFor(*instruments_, key_)),
      last_transition_time_(clock_->WallNow()) {
  MutexLock lock(&mu_);
  window_.Restart(absl::ToChronoNanoseconds(options_->trip.window),
                  options_->trip.window_buckets, CallCounts(), CoarseNow());
  evidence_.SetRule(EvidenceRule::From(*options_), /*level=*/0, /*successes=*/0,
                    /*generation=*/0);
  PublishBasisLocked();
  SetWordLocked(/*generation=*/0, State::kClosed, Mode::kAutomatic);
  SetModeLocked(policy_mode_, MonotonicTime::max(), CoarseNow());
}

// ---------------------------------------------------------------- Admission

Permit CircuitBreaker::Admit(Permit::Kind kind, uint64_t word) {
  counters_.Add(ShardedCounters::kAdmitted);
  Permit permit;
  permit.breaker_ = this;
  permit.generation_ = GenerationOf(word);
  permit.state_ = StateOf(word);
  permit.kind_ = kind;
  if ((word & kTimedBit) != 0) {
    permit.timed_ = true;
    permit.start_ = clock_->Now();
  }
  return permit;
}

Permit CircuitBreaker::TryAcquireSlowly(uint64_t word, Refusal* refusal) {
  if ((word & kModeEndsBit) != 0) word = EndModeIfTime(word);
  if (StateOf(word) == State::kClosed) {
    return Admit(Permit::Kind::kNormal, word);
  }
  const MonotonicTime now = CoarseNow();
  if (now >= refuse_until()) return TryProbe(now, refusal);
  return RefuseOrShadow(word, now, refusal);
}

uint64_t CircuitBreaker::EndModeIfTime(uint64_t word) {
  const MonotonicTime now = CoarseNow();
  if (now < mode_until()) return word;
  {
    MutexLock lock(&mu_);
    EndModeIfTimeLocked(now);
    word = word_.load(std::memory_order_relaxed);
  }
  DeliverTransitions();
  return word;
}

Permit CircuitBreaker::TryProbe(MonotonicTime now, Refusal* refusal) {
  Permit permit;
  uint64_t word;
  bool ramp = false;  // it is not this call's turn
  {
    MutexLock lock(&mu_);
    HalfOpenIfTimeLocked(now);
    word = word_.load(std::memory_order_relaxed);
    if (StateOf(word) == State::kClosed) {
      permit = Admit(Permit::Kind::kNormal, word);
    } else if (StateOf(word) == State::kHalfOpen) {
      const uint64_t probe = TakeProbeLocked(now);
      if (probe != ProbeSlots::kNoProbe) {
        permit = Admit(Permit::Kind::kProbe, word);
        permit.probe_ = probe;
        // In shadow mode every call is made.
        permit.finds_out_ =
            probe_successes_ == 0 && ModeOf(word) != Mode::kShadow;
      } else if (options_->Ramps() && history_->ramp.answered()) {
        ++(ModeOf(word) == Mode::kShadow ? history_->ramp_shadow_refused
                                         : history_->ramp_refused);
        ramp = true;
      }
    }
  }
  DeliverTransitions();
  if (permit) {
    // The call begins now; what a callback took is not the server's time.
    if (permit.timed_) permit.start_ = clock_->Now();
    return permit;
  }
  if (!ramp) return RefuseOrShadow(word, now, refusal);
  if (ModeOf(word) == Mode::kShadow)
    return Admit(Permit::Kind::kUnjudged, word);
  if (refusal != nullptr) {
    Explain(RefusalReason::kRamp, now, /*until=*/now, refusal);
  }
  return Permit();
}

uint64_t CircuitBreaker::TakeProbeLocked(MonotonicTime now) {
  const MonotonicTime::duration lease =
      absl::ToChronoNanoseconds(options_->half_open.lease);
  const int64_t at_once = options_->half_open.max_calls;
  const int64_t in_flight = probes_.Count(now);
  uint64_t probe = ProbeSlots::kNoProbe;
  MonotonicTime next = now;
  if (!options_->Ramps()) {
    probe = probes_.Take(at_once, lease, now);
    if (probes_.Count(now) >= at_once) next = MonotonicTime::max();
  } else {
    if (history_->ramp.Admits({in_flight, OverdueLocked(now)}, at_once, now)) {
      probe = probes_.Take(in_flight + 1, lease, now);
    }
    next = history_->ramp.NextTurn(probes_.Count(now), at_once, now);
  }
  // Until then, or until a probe ends, no call need come here.
  if (next > now) SetRefuseUntilLocked(std::min(next, *probes_.FirstEnd()));
  return probe;
}

inline Permit CircuitBreaker::RefuseOrShadow(uint64_t word, MonotonicTime now,
                                             Refusal* refusal) {
  if (ModeOf(word) == Mode::kShadow) return LetThrough(word);
  const MonotonicTime until = refuse_until();
  RefusalReason reason = RefusalReason::kOpen;
  ShardedCounters::Counter counter = ShardedCounters::kRefusedOpen;
  if (StateOf(word) == State::kHalfOpen) {
    reason = RefusalReason::kHalfOpen;
    counter = ShardedCounters::kRefusedHalfOpen;
  } else if (until == MonotonicTime::max()) {
    // As it is now; the word may be from just before it was forced.
    reason = RefusalReason::kForcedOpen;
    counter = ShardedCounters::kRefusedForcedOpen;
  }
  counters_.Add(counter);
  if (refusal != nullptr) {
    Explain(reason, now,
            reason == RefusalReason::kForcedOpen ? mode_until() : until,
            refusal);
  }
  return Permit();
}

Refusal CircuitBreaker::RefuseForProbe() {
  counters_.Add(ShardedCounters::kRefusedHalfOpen);
  Refusal refusal;
  refusal.reason = RefusalReason::kHalfOpen;
  return refusal;
}

Permit CircuitBreaker::LetThrough(uint64_t word) {
  counters_.Add(StateOf(word) == State::kHalfOpen
                    ? ShardedCounters::kShadowHalfOpen
                    : ShardedCounters::kShadowOpen);
  return Admit(Permit::Kind::kUnjudged, word);
}

void CircuitBreaker::Explain(RefusalReason reason, MonotonicTime now,
                             MonotonicTime until, Refusal* refusal) {
  refusal->reason = reason;
  refusal->retry_after.reset();
  if (reason == RefusalReason::kOpen ||
      (reason == RefusalReason::kForcedOpen && until != MonotonicTime::max())) {
    refusal->retry_after =
        std::max(absl::FromChrono(until - now), absl::ZeroDuration());
  }
}

// ----------------------------------------------------------------- Outcomes

void CircuitBreaker::SettleAny(const Permit& permit, Outcome outcome,
                               absl::Duration retry_after) {
  if (outcome == Outcome::kIgnored || outcome == Outcome::kAbandoned) {
    counters_.Add(outcome == Outcome::kIgnored ? ShardedCounters::kIgnored
                                               : ShardedCounters::kAbandoned);
    if (permit.kind_ == Permit::Kind::kProbe) ReleaseProbe(permit);
    return;
  }
  const bool failed = outcome == Outcome::kFailure;
  bool slow = false;
  MonotonicTime now;
  if (permit.timed_) {
    now = clock_->Now();
    const MonotonicTime::duration taken = now - permit.start_;
    // Compared with what is in force now; 0 if calls are no longer judged by
    // it.
    const MonotonicTime::duration limit(
        slow_call_duration_.load(std::memory_order_relaxed));
    slow = limit.count() > 0 && taken >= limit;
    // First, so that every call seen finished is seen here too; what follows
    // may even destroy the breaker (see DeliverTransitions).
    if (durations_ != nullptr) durations_->Add(permit.state_, taken);
  } else {
    now = CoarseNow();
  }
  switch (permit.kind_) {
    case Permit::Kind::kNormal:
      return SettleNormal(permit, now, failed, slow, retry_after);
    case Permit::Kind::kProbe:
      return SettleProbe(permit, failed, slow, retry_after);
    case Permit::Kind::kUnjudged:
      return AddUnjudged(failed, slow);
  }
}

inline void CircuitBreaker::SettleNormal(const Permit& permit,
                                         MonotonicTime now, bool failed,
                                         bool slow,
                                         absl::Duration retry_after) {
  if (now.time_since_epoch().count() >=
      next_boundary_.load(std::memory_order_relaxed)) {
    AdvanceWindow(now, /*wait=*/failed || slow);
  }
  const uint64_t word = word_.load(std::memory_order_acquire);
  // The counters compare only the low bits of the generation, which is enough
  // for a transition that comes after this line, but not for a call that lasted
  // for 2^16 of them.
  if (GenerationOf(word) != permit.generation_ ||
      !AddJudged(permit.generation_, failed, slow)) {
    return AddLate(failed, slow);
  }
  if (failed || slow) Judge(permit.generation_, now, failed, retry_after);
}

void CircuitBreaker::SettleProbe(const Permit& permit, bool failed, bool slow,
                                 absl::Duration retry_after) {
  {
    MutexLock lock(&mu_);
    const MonotonicTime now = CoarseNow();
    const uint64_t generation =
        GenerationOf(word_.load(std::memory_order_relaxed));
    std::optional<MonotonicTime> start;
    if (generation == permit.generation_) {
      start = probes_.Release(permit.probe_, now);
    }
    if (!start.has_value()) return AddLate(failed, slow);
    SetRefuseUntilLocked(now);
    AddJudged(generation, failed, slow);
    if (failed) {
      streak_.AddFailure(counters_.JudgedTotals().successes, generation);
    }
    const bool ramps = options_->Ramps();
    if (ramps) history_->ramp.Note(failed, now - *start);
    bool reopens = failed && (!ramps || history_->ramp.reopens());
    // On a ramp, where one slow call among many says little, their share
    // counts.
    if (slow && !failed) {
      reopens = !ramps || TripRule::From(*options_).TooManySlow(
                              counters_.JudgedTotals() - window_.base());
    }
    if (!failed && !reopens) ++probe_successes_;
    if (reopens) {
      TransitionLocked(State::kOpen,
                       failed ? TransitionReason::kProbeFailed
                              : TransitionReason::kProbeSlow,
                       now, failed ? retry_after : absl::ZeroDuration());
    } else if (!failed &&
               (ramps ? history_->ramp.Closes(OverdueLocked(now))
                      : probe_successes_ >=
                            options_->half_open.successes_to_close)) {
      TransitionLocked(State::kClosed, TransitionReason::kProbesSucceeded, now);
    }
  }
  DeliverTransitions();
}

int64_t CircuitBreaker::OverdueLocked(MonotonicTime now) const {
  return probes_.CountTakenBefore(history_->ramp.OverdueBefore(now));
}

void CircuitBreaker::ReleaseProbe(const Permit& permit) {
  MutexLock lock(&mu_);
  const MonotonicTime now = CoarseNow();
  if (probes_.Release(permit.probe_, now)) SetRefuseUntilLocked(now);
}

inline bool CircuitBreaker::AddJudged(uint64_t generation, bool failed,
                                      bool slow) {
  if (!counters_.AddJudged(
          failed ? ShardedCounters::kFailure : ShardedCounters::kSuccess,
          generation)) {
    return false;
  }
  if (slow && !counters_.AddJudged(ShardedCounters::kSlow, generation)) {
    counters_.Add(ShardedCounters::kUnjudgedSlow);
  }
  return true;
}

void CircuitBreaker::AddUnjudged(bool failed, bool slow) {
  counters_.Add(failed ? ShardedCounters::kUnjudgedFailure
                       : ShardedCounters::kUnjudgedSuccess);
  if (slow) counters_.Add(ShardedCounters::kUnjudgedSlow);
}

void CircuitBreaker::AddLate(bool failed, bool slow) {
  AddUnjudged(failed, slow);
  counters_.Add(ShardedCounters::kLate);
}

// ----------------------------------------------------------------- Verdicts

void CircuitBreaker::Judge(uint64_t generation, MonotonicTime now, bool failed,
                           absl::Duration retry_after) {
  // Before the totals, so that these are never the older of the two.
  Basis basis;
  const bool consistent = basis_.TryRead(&basis);
  const CallCounts totals = counters_.JudgedTotals();
  int64_t streak = 0;
  bool complete = false;  // the evidence
  if (failed) {
    streak = streak_.AddFailure(totals.successes, generation);
    complete = evidence_.AddFailure(totals.successes, generation, now);
  }
  if (consistent && !complete &&
      !basis.rule.Judge(totals - basis.base, streak)) {
    return;
  }
  if (consistent &&
      ModeOf(word_.load(std::memory_order_relaxed)) == Mode::kForcedClosed) {
    return;
  }
  {
    MutexLock lock(&mu_);
    const uint64_t word = word_.load(std::memory_order_relaxed);
    if (GenerationOf(word) != generation || ModeOf(word) == Mode::kForcedClosed)
      return;
    now = CoarseNow();
    AdvanceWindowLocked(now);
    std::optional<TransitionReason> reason = TripRule::From(*options_).Judge(
        counters_.JudgedTotals() - window_.base(), streak);
    // Again, with successes read after the evidence: this thread may have been
    // held up, and took what others added meanwhile for evidence.
    const FailureEvidence::Places places = evidence_.Read();
    if (complete && reason != TransitionReason::kConsecutiveFailures &&
        evidence_.Level(places, counters_.JudgedTotals().successes) >= 1) {
      reason = TransitionReason::kEvidence;
    }
    if (!reason.has_value()) return;
    TransitionLocked(State::kOpen, *reason, now, retry_after);
  }
  DeliverTransitions();
}

void CircuitBreaker::AdvanceWindow(MonotonicTime now, bool wait) {
  if (wait) {
    // A verdict may rest on what is added next, so it must be in its own step.
    MutexLock lock(&mu_);
    AdvanceWindowLocked(now);
  } else if (mu_.TryLock()) {
    AdvanceWindowLocked(now);
    mu_.Unlock();
  }
}

void CircuitBreaker::AdvanceWindowLocked(MonotonicTime now) {
  // Half-open is judged by its probes alone, however far apart they are.
  if (StateOf(word_.load(std::memory_order_relaxed)) != State::kClosed) return;
  if (now < window_.next_boundary()) return;
  window_.Advance(counters_.JudgedTotals(), now);
  PublishBasisLocked();
}

void CircuitBreaker::HalfOpenIfTimeLocked(MonotonicTime now) {
  if (StateOf(word_.load(std::memory_order_relaxed)) == State::kOpen &&
      now >= refuse_until()) {
    TransitionLocked(State::kHalfOpen, TransitionReason::kOpenTimeElapsed, now);
  }
}

void CircuitBreaker::TransitionLocked(State to, TransitionReason reason,
                                      MonotonicTime now,
                                      absl::Duration open_at_least) {
  const uint64_t word = word_.load(std::memory_order_relaxed);
  const State from = StateOf(word);
  const uint64_t generation = GenerationOf(word) + 1;

  // What may throw comes first: a transition happens as a whole or not at all.
  if (history_ == nullptr) history_ = std::make_unique<History>();
  Transition transition;
  transition.key = key_;
  transition.number = history_->transition_count + 1;
  transition.from = from;
  transition.to = to;
  transition.reason = reason;
  transition.time = clock_->WallNow();
  std::shared_ptr<Transition> trip;
  if (to == State::kOpen) trip = std::make_shared<Transition>(transition);
  if (instruments_->on_transition) {
    undelivered_.reserve(undelivered_.size() + 1);
  }

  // From this line on, results of the generation that ends here are late.
  const CallCounts totals = counters_.StartGeneration(generation);
  const uint64_t asked = AskedLocked();

  transition.window = totals - window_.base();
  transition.failure_rate = FailureRate(transition.window);
  transition.consecutive_failures = streak_.Failures(totals.successes);

  if (from == State::kClosed) {
    history_->window_at_trip = transition.window;
    history_->failures_at_trip = transition.consecutive_failures;
  }
  const MonotonicTime::duration window_covered = window_.Covers(now);
  window_.Restart(totals, now);
  streak_.Restart(totals.successes, generation);
  // A ramp goes on in closed where it ended; see ramp.h.
  const bool ramped = to == State::kClosed && options_->Ramps() &&
                      reason == TransitionReason::kProbesSucceeded;
  evidence_.Restart(ramped ? history_->ramp.level() : 0, totals.successes,
                    generation);
  probes_.Clear();
  probe_successes_ = 0;
  ++history_->transition_count;
  ++history_->transitions[Index(from)][Index(to)];
  last_transition_time_ = transition.time;

  switch (to) {
    case State::kClosed:
      reopenings_ = 0;
      break;
    case State::kHalfOpen:
      SetRefuseUntilLocked(now);
      history_->ramp.Restart(now, now - opened_at_);
      history_->ramp.SetWeights(evidence_.rule());
      break;
    case State::kOpen:
      ++history_->trips[static_cast<int>(reason)];
      if (from == State::kHalfOpen && reason != TransitionReason::kForced) {
        ++reopenings_;
      }
      if (from == State::kClosed) {
        history_->asked_at_trip = asked;
        history_->demand =
            Demand::Of(0, transition.window.finished(), window_covered);
      } else {
        history_->demand =
            Demand::Of(asked - history_->asked_at_trip,
                       asked - history_->asked_at_open, now - opened_at_);
      }
      history_->asked_at_open = asked;
      opened_at_ = now;
      open_random_ = std::uniform_real_distribution<double>()(random_);
      open_at_least_ = open_at_least;
      SetOpenUntilLocked();
      transition.open_for = OpenRemainingLocked(now);
      *trip = transition;  // its key has the room already
      history_->last_trip = std::move(trip);
      break;
  }
  PublishBasisLocked();
  // Last: whoever sees the new state sees all that belongs to it.
  SetWordLocked(generation, to, ModeOf(word));
  if (instruments_->on_transition) {
    undelivered_.push_back(std::move(transition));
  }
}

void CircuitBreaker::DeliverTransitions() {
  if (!instruments_->on_transition) return;
  // A callback may remove the breaker from the registry, its last owner.
  const std::shared_ptr<CircuitBreaker> self = shared_from_this();
  for (bool first = true;; first = false) {
    Transition next;
    {
      MutexLock lock(&mu_);
      if (first && delivering_) return;  // whoever is at it takes ours along
      delivering_ = !undelivered_.empty();
      if (!delivering_) {
        undelivered_.shrink_to_fit();  // the next may be a long time off
        return;
      }
      next = std::move(undelivered_.front());
      undelivered_.erase(undelivered_.begin());
    }
    try {
      instruments_->on_transition(next);
    } catch (...) {
      CountCallbackException();
    }
  }
}

// -------------------------------------------------------------- Publication

void CircuitBreaker::PublishBasisLocked() {
  basis_.Write({TripRule::From(*options_), window_.base()});
  next_boundary_.store(window_.next_boundary().time_since_epoch().count(),
                       std::memory_order_relaxed);
  slow_call_duration_.store(
      options_->trip.JudgesSlowCalls()
          ? absl::ToInt64Nanoseconds(*options_->trip.slow_call_duration)
          : 0,
      std::memory_order_relaxed);
}

uint64_t CircuitBreaker::AskedLocked() const {
  uint64_t asked = counters_.Total(ShardedCounters::kAdmitted) +
                   counters_.Total(ShardedCounters::kRefusedOpen) +
                   counters_.Total(ShardedCounters::kRefusedHalfOpen) +
                   counters_.Total(ShardedCounters::kRefusedForcedOpen);
  if (history_ != nullptr) asked += history_->ramp_refused;
  return asked;
}

void CircuitBreaker::SetOpenUntilLocked() {
  if (ModeOf(word_.load(std::memory_order_relaxed)) == Mode::kForcedOpen) {
    return SetRefuseUntilLocked(MonotonicTime::max());
  }
  const MonotonicTime::duration asked = absl::ToChronoNanoseconds(
      std::min(open_at_least_, options_->open.duration_max));
  SetRefuseUntilLocked(
      opened_at_ + std::max(asked, OpenTime(*options_, reopenings_,
                                            history_->demand, open_random_)));
}

absl::Duration CircuitBreaker::OpenRemainingLocked(MonotonicTime now) const {
  // Forced open, it is the end of the mode.
  const MonotonicTime until =
      refuse_until() == MonotonicTime::max() ? mode_until() : refuse_until();
  return until == MonotonicTime::max() ? absl::InfiniteDuration()
                                       : absl::FromChrono(until - now);
}

void CircuitBreaker::SetRefuseUntilLocked(MonotonicTime time) {
  refuse_until_.store(time.time_since_epoch().count(),
                      std::memory_order_release);
}

void CircuitBreaker::SetWordLocked(uint64_t generation, State state,
                                   Mode mode) {
  word_.store(
      generation << kGenerationShift |
          static_cast<uint64_t>(mode) << kModeShift |
          static_cast<uint64_t>(state) |
          (options_->trip.JudgesSlowCalls() || durations_ != nullptr ? kTimedBit
                                                                     : 0) |
          (mode_until() != MonotonicTime::max() ? kModeEndsBit : 0) |
          (word_.load(std::memory_order_relaxed) & kRemovedBit),
      std::memory_order_release);
}

}  // namespace autobreaker
