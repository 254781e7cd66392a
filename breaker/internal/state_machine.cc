#include "autobreaker/breaker/internal/state_machine.h"

#include <algorithm>
#include <utility>

namespace autobreaker {
namespace {

int Index(State state) { return static_cast<int>(state); }

}  // namespace

StateMachine::StateMachine(std::shared_ptr<const Rules> rules, bool times_calls,
                           std::minstd_rand::result_type seed,
                           MonotonicTime now, absl::Time wall_now)
    : rules_(std::move(rules)),
      times_calls_(times_calls),
      random_(seed),
      last_transition_time_(wall_now) {
  const TripOptions& options = rules_->options.trip;
  window_.Restart(absl::ToChronoNanoseconds(options.window),
                  options.window_buckets, CallCounts(), now);
}

// ---------------------------------------------------------------- Decisions

StateMachine::Move StateMachine::DecideModeEnd(MonotonicTime now) const {
  Move move;
  if (ModeIsOver(now)) ChangeMode(&move, {configured_mode_, std::nullopt});
  return move;
}

StateMachine::Move StateMachine::DecideHalfOpen(uint64_t asked,
                                                MonotonicTime now) const {
  Move move;
  if (state_ == State::kOpen && mode_ != Mode::kForcedOpen &&
      outage_->IsOver(asked, now)) {
    Change(&move, State::kHalfOpen, TransitionReason::kOpenTimeElapsed);
  }
  return move;
}

StateMachine::Move StateMachine::DecideTrip(const Suspicion& suspicion,
                                            const CallCounts& judged) const {
  Move move;
  if (state_ != State::kClosed || generation_ != suspicion.generation ||
      mode_ == Mode::kForcedClosed) {
    return move;
  }
  const std::optional<TransitionReason> reason =
      rules_->trip.Judge(judged - window_.base(), suspicion.failures_in_a_row,
                         suspicion.evidence_is_complete);
  if (reason.has_value()) {
    Change(&move, State::kOpen, *reason);
    move.open_at_least = suspicion.retry_after;
  }
  return move;
}

StateMachine::Move StateMachine::DecideRecovery(bool failed, bool slow,
                                                absl::Duration retry_after,
                                                const CallCounts& judged,
                                                MonotonicTime now) const {
  Move move;
  const std::optional<State> next = outage_->half_open()->Next(
      *rules_, failed, slow, judged - window_.base(), now);
  if (next == State::kClosed) {
    Change(&move, State::kClosed, TransitionReason::kProbesSucceeded);
  } else if (next == State::kOpen) {
    Change(
        &move, State::kOpen,
        failed ? TransitionReason::kProbeFailed : TransitionReason::kProbeSlow);
    if (failed) move.open_at_least = retry_after;
  }
  return move;
}

StateMachine::Move StateMachine::DecideMode(const ModeChange& change) const {
  Move move;
  ChangeMode(&move, change);
  // To fall back from the configured mode to itself would be no end.
  if (change.mode == configured_mode_) move.mode->until.reset();
  return move;
}

StateMachine::Move StateMachine::DecidePolicy(
    std::shared_ptr<const Rules> rules,
    std::optional<Mode> configured_mode) const {
  Move move;
  move.rules = std::move(rules);
  move.configured_mode = configured_mode;
  if (configured_mode.has_value()) {
    ChangeMode(&move, {*configured_mode, std::nullopt});
  }
  return move;
}

StateMachine::Move StateMachine::DecideReset() const {
  Move move;
  if (mode_ == Mode::kForcedOpen) return move;
  if (state_ == State::kClosed) {
    move.forgets = true;
  } else {
    Change(&move, State::kClosed, TransitionReason::kForced);
  }
  return move;
}

void StateMachine::Change(Move* move, State to, TransitionReason reason) const {
  move->to = to;
  move->reason = reason;
  move->transition = std::make_shared<Transition>();
  if (outage_ == nullptr) move->outage = std::make_unique<Outage>();
  if (history_ == nullptr) move->history = std::make_unique<History>();
}

void StateMachine::ChangeMode(Move* move, const ModeChange& change) const {
  move->mode = change;
  const State to = StateIn(change.mode);
  if (to != state_) Change(move, to, TransitionReason::kForced);
}

State StateMachine::StateIn(Mode mode) const {
  if (mode == Mode::kForcedOpen) return State::kOpen;
  if (mode == Mode::kForcedClosed) return State::kClosed;
  // Whoever forced it open knew nothing of the server, so it is to be tried.
  if (mode_ == Mode::kForcedOpen) return State::kHalfOpen;
  return state_;
}

// ------------------------------------------------------------------ Changes

void StateMachine::Commit(Move move, const Totals& totals, MonotonicTime now,
                          absl::Time wall_now) noexcept {
  if (move.rules != nullptr) {
    PutInForce(std::move(move.rules), totals.judged, now);
  }
  if (move.configured_mode.has_value()) {
    configured_mode_ = *move.configured_mode;
  }
  if (move.mode.has_value()) {
    mode_ = move.mode->mode;
    mode_ends_ = move.mode->until.has_value();
    if (mode_ends_) mode_until_ = *move.mode->until;
  }
  if (!move.starts_generation()) return;

  Outage::Cause judged_by = {totals.judged - window_.base(),
                             totals.failures_in_a_row};
  if (state_ == State::kHalfOpen) {
    judged_by.window.successes += outage_->half_open()->progressed();
  }
  const MonotonicTime::duration window_time = window_.Covers(now);
  const State from = state_;
  if (move.to.has_value()) {
    state_ = *move.to;
    if (outage_ == nullptr) outage_ = std::move(move.outage);
    if (history_ == nullptr) history_ = std::move(move.history);
    switch (state_) {
      case State::kClosed:
        outage_.reset();
        break;
      case State::kHalfOpen:
        outage_->BecomeHalfOpen(*rules_, totals.asked, now);
        break;
      case State::kOpen: {
        const Outage::Opening opening = {
            totals.asked, move.open_at_least,
            std::uniform_real_distribution<double>()(random_)};
        if (from == State::kClosed) {
          outage_->OpenFirst(*rules_, judged_by, window_time, opening, now);
        } else {
          outage_->OpenAgain(*rules_,
                             from == State::kHalfOpen &&
                                 move.reason != TransitionReason::kForced,
                             opening, now);
        }
        break;
      }
    }
    last_transition_time_ = wall_now;
    Transition& told = *move.transition;
    told.number = ++history_->transition_count;
    told.from = from;
    told.to = state_;
    told.reason = move.reason;
    told.time = wall_now;
    told.window = judged_by.window;
    told.failure_rate = FailureRate(judged_by.window);
    told.consecutive_failures = judged_by.consecutive_failures;
    ++history_->transitions[Index(from)][Index(state_)];
    if (state_ == State::kOpen) {
      told.open_for = OpenRemaining(mode_, totals.asked, now);
      ++history_->trips[static_cast<int>(move.reason)];
      history_->last_trip = std::move(move.transition);
    }
  }
  ++generation_;
  window_.Restart(totals.judged, now);
}

void StateMachine::PutInForce(std::shared_ptr<const Rules> rules,
                              const CallCounts& judged,
                              MonotonicTime now) noexcept {
  rules_.swap(rules);
  const TripOptions& before = rules->options.trip;
  const TripOptions& trip = rules_->options.trip;
  if (before.window != trip.window ||
      before.window_buckets != trip.window_buckets) {
    window_.Restart(absl::ToChronoNanoseconds(trip.window), trip.window_buckets,
                    judged, now);
  }
  if (outage_ != nullptr) outage_->SetRules(*rules_, now);
}

void StateMachine::MoveWindow(const CallCounts& judged,
                              MonotonicTime now) noexcept {
  // Half-open is judged by its probes, however far apart they are.
  if (state_ == State::kClosed && now >= window_.next_boundary()) {
    window_.Advance(judged, now);
  }
}

void StateMachine::NoteAsked(uint64_t asked, MonotonicTime now) noexcept {
  if (state_ == State::kOpen) outage_->NoteAsked(asked, now);
}

std::optional<HalfOpen::Answer> StateMachine::TakeProbe(uint64_t asked,
                                                        MonotonicTime now) {
  if (state_ != State::kHalfOpen) return std::nullopt;
  const HalfOpen::Answer answer =
      outage_->half_open()->TakeProbe(*rules_, asked, now);
  if (answer.probe == ProbeLeases::kNoProbe &&
      answer.refused == RefusalReason::kRamp) {
    ++(mode_ == Mode::kShadow ? history_->ramp_shadow_refused
                              : history_->ramp_refused);
  }
  return answer;
}

bool StateMachine::EndProbe(uint64_t generation, uint64_t probe, bool failed,
                            bool slow, MonotonicTime now) noexcept {
  return generation == generation_ &&
         outage_->half_open()->EndProbe(*rules_, probe, failed, slow, now);
}

bool StateMachine::Progress(uint64_t generation, uint64_t probe,
                            MonotonicTime now) noexcept {
  if (generation != generation_) return false;
  outage_->half_open()->Progress(*rules_, probe, now);
  return true;
}

bool StateMachine::FailAfterProgress(uint64_t generation, uint64_t probe,
                                     MonotonicTime now) noexcept {
  if (generation != generation_) return false;
  outage_->half_open()->FailAfterProgress(*rules_, probe, now);
  return true;
}

void StateMachine::FreeProbe(uint64_t generation, uint64_t probe,
                             MonotonicTime now) noexcept {
  if (generation == generation_) outage_->half_open()->FreeProbe(probe, now);
}

void StateMachine::LeaveToCalls(uint64_t generation) noexcept {
  if (generation == generation_) outage_->half_open()->LeaveToCalls();
}

// ------------------------------------------------------------------ Answers

Terms StateMachine::terms() const {
  const TripOptions& trip = rules_->options.trip;
  Terms terms;
  terms.admission.word =
      StateWord(generation_, state_, mode_,
                /*timed=*/times_calls_ || trip.JudgesSlowCalls(), mode_ends_,
                rules_->options.max_calls_in_flight.has_value());
  if (outage_ != nullptr) {
    terms.admission.refuse_until = outage_->refuse_until();
    terms.admission.expected_end = outage_->expected_end();
  }
  terms.admission.mode_until = mode_until_;
  terms.judgment = {rules_->trip, rules_->evidence, window_.base()};
  if (trip.JudgesSlowCalls()) {
    terms.slow_call_duration =
        absl::ToChronoNanoseconds(*trip.slow_call_duration);
  }
  terms.window_moves_at = window_.next_boundary();
  terms.max_calls_in_flight = rules_->options.max_calls_in_flight.value_or(0);
  return terms;
}

absl::Duration StateMachine::OpenRemaining(Mode mode, uint64_t asked,
                                           MonotonicTime now) const {
  if (mode != Mode::kForcedOpen) {
    return absl::FromChrono(outage_->ExpectedEnd(asked, now) - now);
  }
  return mode_ends_ && !ModeIsOver(now) ? absl::FromChrono(mode_until_ - now)
                                        : absl::InfiniteDuration();
}

void StateMachine::Describe(const CallCounts& judged, uint64_t asked,
                            MonotonicTime now, BreakerSnapshot* s) const {
  const bool mode_is_over = ModeIsOver(now);
  s->mode = mode_is_over ? configured_mode_ : mode_;
  s->next_mode = configured_mode_;
  if (mode_ends_ && !mode_is_over) {
    s->mode_remaining = absl::FromChrono(mode_until_ - now);
  }
  s->state = StateIn(s->mode);
  if (s->state == State::kOpen && s->mode != Mode::kForcedOpen &&
      outage_->IsOver(asked, now)) {
    s->state = State::kHalfOpen;
  }
  s->last_transition_time = last_transition_time_;
  if (history_ != nullptr) {
    s->transition_count = history_->transition_count;
    s->transitions = history_->transitions;
    s->trips = history_->trips;
  }
  if (outage_ == nullptr) {
    s->window = judged - window_.BaseAt(judged, now);
  } else {
    s->window = outage_->cause().window;
    s->consecutive_failures = outage_->cause().consecutive_failures;
    s->reopenings = outage_->reopenings();
    if (const HalfOpen* const half_open = outage_->half_open()) {
      s->probes_in_flight = half_open->in_flight(now);
      s->probe_successes = half_open->successes();
    }
  }
  if (s->state == State::kOpen) {
    s->open_remaining = OpenRemaining(s->mode, asked, now);
  }
  if (s->state != State::kClosed) {
    const bool ramps = outage_ != nullptr && outage_->half_open() != nullptr &&
                       rules_->options.Ramps();
    s->evidence = ramps ? 1 - outage_->half_open()->share() : 1;
  }
}

}  // namespace autobreaker
