#include "autobreaker/breaker/circuit_breaker.h"

#include <algorithm>
#include <new>
#include <random>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "autobreaker/breaker/internal/cold_state.h"
#include "autobreaker/breaker/internal/peer_tally.h"
#include "autobreaker/breaker/internal/rules.h"
#include "autobreaker/breaker/internal/state_machine.h"
#include "autobreaker/breaker/internal/transition_courier.h"

namespace autobreaker {
namespace {

// Each breaker has a seed of its own, so that what others draw does not change
// what it draws.
std::minstd_rand::result_type SeedFor(const Instruments& instruments,
                                      const BreakerKey& key) {
  if (!instruments.seed.has_value()) {
    return absl::Uniform<std::minstd_rand::result_type>(absl::BitGen());
  }
  std::string material = key.name + '/' + key.service + '/' + key.method;
  if (!key.partition.empty()) material += '/' + key.partition;
  for (int i = 0; i < 64; i += 8) {
    material.push_back(static_cast<char>(*instruments.seed >> i));
  }
  std::seed_seq sequence(material.begin(), material.end());
  return std::minstd_rand(sequence)();
}

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
  auto courier =
      std::make_shared<TransitionCourier>(instruments->on_transition);
  return std::shared_ptr<CircuitBreaker>(
      new CircuitBreaker(std::move(key), Rules::Of(options),
                         std::move(instruments), std::move(courier)));
}

CircuitBreaker::CircuitBreaker(BreakerKey key,
                               std::shared_ptr<const Rules> rules,
                               std::shared_ptr<const Instruments> instruments,
                               std::shared_ptr<TransitionCourier> courier)
    : gate_(instruments->clock),
      key_(std::move(key)),
      cold_(std::make_unique<ColdState>(
          instruments, std::move(courier),
          StateMachine(std::move(rules),
                       /*times_calls=*/!instruments->duration_buckets.empty(),
                       SeedFor(*instruments, key_), clock().CoarseNow(),
                       clock().WallNow()))) {
  MutexLock lock(&cold_->mu);
  const Terms terms = cold_->machine.terms();
  if (terms.admission.word.capped()) gate_.MakeCap();
  gate_.Publish(terms);
}

CircuitBreaker::~CircuitBreaker() {
  // The callback may use the breaker, which is whole only until here. The
  // breakers of a registry share a courier, for which the registry waits.
  if (cold_->courier.use_count() == 1) cold_->courier->Drain();
}

// ------------------------------------------------------------------ Changes

template <typename Decide>
void CircuitBreaker::Change(Decide decide, absl::FunctionRef<void()> together) {
  MutexLock lock(&cold_->mu);
  StateMachine& machine = cold_->machine;
  const MonotonicTime now = clock().CoarseNow();

  // What may throw comes first, and changes nothing.
  StateMachine::Move move = decide(&machine, now);
  if (move.rules != nullptr &&
      move.rules->options.max_calls_in_flight.has_value()) {
    gate_.MakeCap();
  }
  TransitionCourier::Letter letter;
  if (move.transition != nullptr) {
    move.transition->key = key_;
    move.transition->breaker_id = cold_->id;
    if (move.to == State::kOpen && move.reason != TransitionReason::kForced) {
      move.transition->failing_peers = FailingPeersAt(now);
    }
    if (cold_->courier->IsWanted()) {
      if (cold_->tally == nullptr) {
        cold_->tally = std::make_shared<TransitionCourier::Tally>();
      }
      letter.push_back({move.transition, cold_->tally});
    }
  }

  StateMachine::Totals totals;
  if (move.starts_generation()) {
    totals.judged = gate_.EndGeneration();
    totals.failures_in_a_row = gate_.failures_in_a_row(totals.judged);
    totals.asked = Asked(machine);
  } else if (move.rules != nullptr) {
    totals.judged = gate_.judged();
  }
  const absl::Time wall_now =
      move.to.has_value() ? clock().WallNow() : absl::Time();
  machine.Commit(std::move(move), totals, now, wall_now);
  gate_.Publish(machine.terms());
  together();
  if (!letter.empty()) cold_->courier->Push(std::move(letter));
}

void CircuitBreaker::FlushTransitions() { cold_->courier->Flush(); }

uint64_t CircuitBreaker::id() const { return cold_->id; }

absl::Status CircuitBreaker::UpdateOptions(const BreakerOptions& options) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  SetPolicy(Rules::Of(options), /*configured_mode=*/std::nullopt, [] {});
  return absl::OkStatus();
}

absl::Status CircuitBreaker::UpdateOptions(
    absl::FunctionRef<absl::Status(BreakerOptions*)> change) {
  absl::Status status;
  Change([&](StateMachine* machine, MonotonicTime now) {
    BreakerOptions options = machine->rules().options;
    status = change(&options);
    if (status.ok()) status = options.Validate();
    if (!status.ok()) return StateMachine::Move();
    machine->MoveWindow(gate_.judged(), now);
    return machine->DecidePolicy(Rules::Of(options),
                                 /*configured_mode=*/std::nullopt);
  });
  return status;
}

void CircuitBreaker::SetPolicy(std::shared_ptr<const Rules> rules,
                               std::optional<Mode> configured_mode,
                               absl::FunctionRef<void()> together) {
  Change(
      [&](StateMachine* machine, MonotonicTime now) {
        machine->MoveWindow(gate_.judged(), now);
        return machine->DecidePolicy(std::move(rules), configured_mode);
      },
      together);
}

void CircuitBreaker::SetMode(Mode mode, absl::Duration how_long) {
  // Far beyond any outage, and far before nanoseconds in 64 bits end.
  const bool for_good = how_long > absl::Hours(24 * 365 * 100);
  Change([&](StateMachine* machine, MonotonicTime now) {
    machine->MoveWindow(gate_.judged(), now);  // a change shows it
    StateMachine::ModeChange change{mode, std::nullopt};
    if (!for_good) change.until = now + absl::ToChronoNanoseconds(how_long);
    return machine->DecideMode(change);
  });
}

void CircuitBreaker::EndMode() {
  Change([&](StateMachine* machine, MonotonicTime now) {
    machine->MoveWindow(gate_.judged(), now);  // a change shows it
    return machine->DecideModeEnd(now);
  });
}

bool CircuitBreaker::Reset() {
  EndMode();
  bool done = false;
  Change([&](StateMachine* machine, MonotonicTime) {
    StateMachine::Move move = machine->DecideReset();
    done = move.starts_generation();
    PeerTally* const peers = cold_->peers.load(std::memory_order_acquire);
    if (done && peers != nullptr) peers->Clear();
    return move;
  });
  return done;
}

BreakerOptions CircuitBreaker::options() const {
  MutexLock lock(&cold_->mu);
  return cold_->machine.rules().options;
}

FailingPeers CircuitBreaker::FailingPeersAt(MonotonicTime now) const {
  const PeerTally* const peers = cold_->peers.load(std::memory_order_acquire);
  return peers != nullptr ? peers->Read(now) : FailingPeers();
}

// ---------------------------------------------------------------- Admission

uint64_t CircuitBreaker::Asked(const StateMachine& machine) const {
  const auto* const history = machine.history();
  return gate_.asked() + (history == nullptr ? 0 : history->ramp_refused);
}

Permit CircuitBreaker::Admit(Admitted::Kind kind, StateWord word,
                             uint64_t probe, bool finds_out) {
  Admitted admitted;
  admitted.holds_place = word.capped() && kind != Admitted::Kind::kUnjudged;
  if (!admitted.holds_place) gate_.Count(ShardedCounters::kAdmitted);
  admitted.generation = word.generation();
  admitted.probe = probe;
  admitted.state = word.state();
  admitted.kind = kind;
  admitted.finds_out = finds_out;
  if (word.timed()) {
    admitted.timed = true;
    admitted.start = clock().Now();
  }
  return Permit(this, admitted);
}

inline Permit CircuitBreaker::AdmitNormally(StateWord word, Refusal* refusal) {
  return !word.capped() || gate_.TakePlace()
             ? Admit(Admitted::Kind::kNormal, word)
             : Refuse(RefusalReason::kTooManyCalls, word, nullptr,
                      MonotonicTime(), refusal);
}

inline Permit CircuitBreaker::Refuse(RefusalReason reason, StateWord word,
                                     const MonotonicTime* until,
                                     MonotonicTime now, Refusal* refusal) {
  const bool shadow = word.mode() == Mode::kShadow;
  switch (reason) {
    case RefusalReason::kOpen:
      gate_.Count(shadow ? ShardedCounters::kShadowOpen
                         : ShardedCounters::kRefusedOpen);
      break;
    case RefusalReason::kHalfOpen:
      gate_.Count(shadow ? ShardedCounters::kShadowHalfOpen
                         : ShardedCounters::kRefusedHalfOpen);
      break;
    case RefusalReason::kForcedOpen:
      gate_.Count(ShardedCounters::kRefusedForcedOpen);
      break;
    case RefusalReason::kRamp:
      break;  // counted where it was decided
    case RefusalReason::kTooManyCalls:
      gate_.CountNoPlace(shadow);
      break;
  }
  if (shadow) return Admit(Admitted::Kind::kUnjudged, word);
  if (refusal != nullptr) Explain(reason, until, now, refusal);
  return Permit();
}

inline Permit CircuitBreaker::Refuse(const AdmissionTerms& terms,
                                     MonotonicTime now, Refusal* refusal) {
  if (terms.word.state() == State::kHalfOpen) {
    return Refuse(RefusalReason::kHalfOpen, terms.word, nullptr, now, refusal);
  }
  if (terms.word.mode() != Mode::kForcedOpen) {
    return Refuse(RefusalReason::kOpen, terms.word, &terms.expected_end, now,
                  refusal);
  }
  return Refuse(RefusalReason::kForcedOpen, terms.word,
                terms.word.mode_ends() ? &terms.mode_until : nullptr, now,
                refusal);
}

void CircuitBreaker::Explain(RefusalReason reason, const MonotonicTime* until,
                             MonotonicTime now, Refusal* refusal) {
  refusal->reason = reason;
  refusal->retry_after.reset();
  if (until != nullptr) {
    refusal->retry_after =
        std::max(absl::FromChrono(*until - now), absl::ZeroDuration());
  }
}

Permit CircuitBreaker::TryAcquireSlowly(Refusal* refusal) {
  StateWord word = gate_.word();
  if (word.mode_ends() && clock().CoarseNow() >= gate_.admission().mode_until) {
    EndMode();
    word = gate_.word();
  }
  if (word.state() == State::kClosed) {
    return AdmitNormally(word, refusal);
  }
  // Word and times of one moment, or a refusal might name the time of another
  // state.
  const AdmissionTerms terms = gate_.admission();
  if (terms.word.state() == State::kClosed) {
    return AdmitNormally(terms.word, refusal);
  }
  const MonotonicTime now = clock().CoarseNow();
  if (terms.word.mode() != Mode::kForcedOpen && now >= terms.refuse_until) {
    return TryProbe(refusal);
  }
  return Refuse(terms, now, refusal);
}

Permit CircuitBreaker::TryProbe(Refusal* refusal) {
  Change([&](StateMachine* machine, MonotonicTime now) {
    const uint64_t asked = Asked(*machine);
    machine->NoteAsked(asked, now);
    return machine->DecideHalfOpen(asked, now);
  });
  std::optional<HalfOpen::Answer> answer;
  AdmissionTerms terms;
  MonotonicTime now;
  bool has_place = true;
  Change([&](StateMachine* machine, MonotonicTime t) {
    now = t;
    const bool capped = machine->state() == State::kHalfOpen &&
                        machine->terms().admission.word.capped();
    // First, since it is no call that half-open may count on.
    if (!capped || (has_place = gate_.HasPlace())) {
      answer = machine->TakeProbe(Asked(*machine), t);
      // A call that was on its way since before may have been faster.
      if (capped && answer->probe != ProbeLeases::kNoProbe &&
          !(has_place = gate_.TakePlace())) {
        machine->FreeProbe(machine->generation(), answer->probe, t);
      }
    }
    terms = machine->terms().admission;
    return StateMachine::Move();
  });
  if (!has_place) {
    return Refuse(RefusalReason::kTooManyCalls, terms.word, nullptr, now,
                  refusal);
  }
  if (!answer.has_value()) {
    // Others changed the state meanwhile; a callback of this thread may have.
    return terms.word.state() == State::kClosed
               ? AdmitNormally(terms.word, refusal)
               : Refuse(terms, now, refusal);
  }
  if (answer->probe != ProbeLeases::kNoProbe) {
    // In shadow mode every call is made, so nothing is gained by asking in
    // another way.
    return Admit(Admitted::Kind::kProbe, terms.word, answer->probe,
                 answer->finds_out && terms.word.mode() != Mode::kShadow);
  }
  return answer->refused == RefusalReason::kRamp
             ? Refuse(RefusalReason::kRamp, terms.word, nullptr, now, refusal)
             : Refuse(terms, now, refusal);
}

Refusal CircuitBreaker::RefuseForProbe() {
  gate_.Count(ShardedCounters::kRefusedHalfOpen);
  Refusal refusal;
  refusal.reason = RefusalReason::kHalfOpen;
  return refusal;
}

// ------------------------------------------------------------------ Results

void CircuitBreaker::NotePeer(absl::string_view peer, MonotonicTime now) {
  PeerTally* peers = cold_->peers.load(std::memory_order_acquire);
  if (peers == nullptr) {
    // Without memory there is no tally; the failure counts all the same.
    auto* const made = new (std::nothrow) PeerTally;
    if (made == nullptr) return;
    if (cold_->peers.compare_exchange_strong(peers, made)) {
      peers = made;
    } else {
      delete made;
    }
  }
  peers->Add(peer, now);
}

void CircuitBreaker::SettleSlowly(const Admitted& admitted, Outcome outcome,
                                  absl::Duration retry_after,
                                  absl::string_view peer) {
  if (admitted.holds_place) {
    gate_.GivePlaceBack();
    if (outcome == Outcome::kSuccess &&
        admitted.kind == Admitted::Kind::kNormal && !admitted.timed &&
        gate_.CountSuccess(admitted.generation)) {
      return;
    }
  }
  if (outcome == Outcome::kIgnored || outcome == Outcome::kAbandoned) {
    gate_.Count(outcome == Outcome::kIgnored ? ShardedCounters::kIgnored
                                             : ShardedCounters::kAbandoned);
    if (admitted.kind == Admitted::Kind::kProbe) {
      Change([&](StateMachine* machine, MonotonicTime now) {
        machine->FreeProbe(admitted.generation, admitted.probe, now);
        return StateMachine::Move();
      });
    }
    return;
  }
  const bool failed = outcome == Outcome::kFailure;
  bool slow = false;
  MonotonicTime now;
  if (admitted.timed) {
    now = clock().Now();
    const MonotonicTime::duration taken = now - admitted.start;
    slow = gate_.IsSlow(taken);
    // First, so that each call that is seen finished is seen here too.
    if (cold_->durations != nullptr)
      cold_->durations->Add(admitted.state, taken);
  } else {
    now = clock().CoarseNow();
  }
  // First, since the failure may be told of.
  if (failed && !peer.empty()) NotePeer(peer, now);
  switch (admitted.kind) {
    case Admitted::Kind::kNormal:
      return SettleNormal(admitted, failed, slow, retry_after, now);
    case Admitted::Kind::kProbe:
      return SettleProbe(admitted, failed, slow, retry_after);
    case Admitted::Kind::kUnjudged:
      return gate_.CountUnjudged(failed, slow);
  }
}

void CircuitBreaker::SettleNormal(const Admitted& admitted, bool failed,
                                  bool slow, absl::Duration retry_after,
                                  MonotonicTime now) {
  // A verdict may rest on a failure, so it must be in its own step; a success
  // may as well wait for the next one that comes.
  if (gate_.WindowMoves(now)) MoveWindow(/*wait=*/failed || slow);
  const std::optional<CallGate::Judgment> judgment =
      gate_.CountAndJudge(admitted.generation, failed, slow, now);
  if (!judgment.has_value() || !judgment->suspicious) return;
  Change([&](StateMachine* machine, MonotonicTime t) {
    machine->MoveWindow(gate_.judged(), t);
    StateMachine::Suspicion suspicion;
    suspicion.generation = admitted.generation;
    suspicion.failures_in_a_row = judgment->failures_in_a_row;
    // With successes of now: this thread may have been held up, and took what
    // others added meanwhile for evidence.
    suspicion.evidence_is_complete =
        judgment->evidence_is_complete && gate_.evidence().level >= 1;
    suspicion.retry_after = retry_after;
    return machine->DecideTrip(suspicion, gate_.judged());
  });
}

void CircuitBreaker::LeaveToCalls(const Admitted& admitted) {
  if (admitted.holds_place) gate_.GivePlaceBack();
  gate_.Count(ShardedCounters::kIgnored);
  if (admitted.kind != Admitted::Kind::kProbe) return;
  Change([&](StateMachine* machine, MonotonicTime now) {
    machine->FreeProbe(admitted.generation, admitted.probe, now);
    machine->LeaveToCalls(admitted.generation);
    return StateMachine::Move();
  });
}

void CircuitBreaker::NoteProgress(Admitted* admitted) {
  if (gate_.word().generation() != admitted->generation) return;
  if (admitted->timed && gate_.IsSlow(clock().Now() - admitted->start)) return;
  Change([&](StateMachine* machine, MonotonicTime now) {
    if (!machine->Progress(admitted->generation, admitted->probe, now)) {
      return StateMachine::Move();
    }
    admitted->progressed = true;
    gate_.Publish(machine->terms());
    return machine->DecideRecovery(/*failed=*/false, /*slow=*/false,
                                   absl::ZeroDuration(), gate_.judged(), now);
  });
}

void CircuitBreaker::SettleProbe(const Admitted& admitted, bool failed,
                                 bool slow, absl::Duration retry_after) {
  // The success that it is has been judged.
  if (admitted.progressed && !failed) return gate_.CountUnjudged(failed, slow);
  Change([&](StateMachine* machine, MonotonicTime now) {
    const bool counts =
        admitted.progressed
            ? machine->FailAfterProgress(admitted.generation, admitted.probe,
                                         now)
            : machine->EndProbe(admitted.generation, admitted.probe, failed,
                                slow, now);
    if (!counts) {
      gate_.CountLate(failed, slow);
      return StateMachine::Move();
    }
    gate_.CountProbe(admitted.generation, failed, slow);
    // That the probe ended stays so, also if there is no memory for what
    // follows from it: the next probe decides then.
    gate_.Publish(machine->terms());
    return machine->DecideRecovery(failed, slow, retry_after, gate_.judged(),
                                   now);
  });
}

void CircuitBreaker::MoveWindow(bool wait) {
  if (wait) {
    cold_->mu.Lock();
  } else if (!cold_->mu.TryLock()) {
    return;
  }
  cold_->machine.MoveWindow(gate_.judged(), clock().CoarseNow());
  gate_.Publish(cold_->machine.terms());
  cold_->mu.Unlock();
}

}  // namespace autobreaker
