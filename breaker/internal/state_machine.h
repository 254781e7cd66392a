// The state of one breaker, and what changes it.
//
// A change is made in two steps. First one of the Decide...() methods finds out
// what is to change and makes it ready. It may run out of memory, and has
// changed nothing then. Then Commit() makes the change as a whole, and cannot
// fail.
//
//   StateMachine::Move move = machine.DecideMode(Mode::kForcedOpen, ...);
//   machine.Commit(std::move(move), totals, now, wall_now);
//
// What calls need to know of the result is terms().
//
// No lock, no atomic, no clock: times and totals are arguments. Totals are
// lifetime totals (CallGate), and the machine keeps those of where things
// began.
//
// Thread-compatible.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_STATE_MACHINE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_STATE_MACHINE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>

#include "absl/time/time.h"
#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/half_open.h"
#include "autobreaker/breaker/internal/outage.h"
#include "autobreaker/breaker/internal/rules.h"
#include "autobreaker/breaker/internal/terms.h"
#include "autobreaker/breaker/internal/window.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

class StateMachine {
 public:
  // Closed, in Mode::kAutomatic. `times_calls`: calls are timed whatever the
  // options say.
  StateMachine(std::shared_ptr<const Rules> rules, bool times_calls,
               std::minstd_rand::result_type seed, MonotonicTime now,
               absl::Time wall_now);

  // What there is to remember once the state has changed.
  struct History {
    std::shared_ptr<const Transition> last_trip;
    uint64_t transition_count = 0;
    std::array<std::array<uint64_t, kStateCount>, kStateCount> transitions = {};
    std::array<uint64_t, kTripReasonCount> trips = {};
    // Calls that it was not the turn of on a ramp: refused, and let through by
    // shadow mode.
    uint64_t ramp_refused = 0;
    uint64_t ramp_shadow_refused = 0;
  };

  struct ModeChange {
    Mode mode = Mode::kAutomatic;
    std::optional<MonotonicTime> until;  // for good if not given
  };

  // What is to change, and the memory that it takes. By default, nothing.
  struct Move {
    std::shared_ptr<const Rules> rules;
    std::optional<Mode> configured_mode;
    std::optional<ModeChange> mode;
    std::optional<State> to;
    TransitionReason reason = TransitionReason::kForced;
    // To open: the server asked to be left alone so long.
    absl::Duration open_at_least;
    // Stay closed, and forget what the breaker was judged by.
    bool forgets = false;

    // Where `to` is given: Commit() tells here what it did. The key is for the
    // caller to fill in.
    std::shared_ptr<Transition> transition;
    std::unique_ptr<Outage> outage;
    std::unique_ptr<History> history;

    // Whether results of calls under way will be late.
    bool starts_generation() const { return to.has_value() || forgets; }
  };

  // A failure or a slow call that seems to open the breaker.
  struct Suspicion {
    uint64_t generation = 0;
    int64_t failures_in_a_row = 0;
    bool evidence_is_complete = false;
    absl::Duration retry_after;
  };

  // The mode ends, if it is time.
  Move DecideModeEnd(MonotonicTime now) const;
  // A call wants to go, the one after `asked`: half-open, if the open time is
  // over.
  Move DecideHalfOpen(uint64_t asked, MonotonicTime now) const;
  // Opens if the suspicion holds. `judged` are the totals of now.
  Move DecideTrip(const Suspicion& suspicion, const CallCounts& judged) const;
  // Opens again, or closes, after EndProbe() noted how a probe ended.
  // REQUIRES: that EndProbe(), Progress() or FailAfterProgress() was true, and
  // no Commit() came since.
  Move DecideRecovery(bool failed, bool slow, absl::Duration retry_after,
                      const CallCounts& judged, MonotonicTime now) const;
  // Another mode is asked for. The configured mode is always for good.
  Move DecideMode(const ModeChange& change) const;
  // Other rules are asked for, or another configured mode, or both; null and
  // nothing stand for those of now.
  Move DecidePolicy(std::shared_ptr<const Rules> rules,
                    std::optional<Mode> configured_mode) const;
  // Closes and forgets. Nothing changes while forced open.
  Move DecideReset() const;

  // What calls came to when the change is made.
  struct Totals {
    CallCounts judged;
    int64_t failures_in_a_row = 0;
    uint64_t asked = 0;  // asked for, admitted or not
  };

  // Makes the change.
  void Commit(Move move, const Totals& totals, MonotonicTime now,
              absl::Time wall_now) noexcept;

  // Closed: moves the window on to `now`.
  void MoveWindow(const CallCounts& judged, MonotonicTime now) noexcept;

  // Open: a call wants to go, and the open time is not over by time alone.
  void NoteAsked(uint64_t asked, MonotonicTime now) noexcept;

  // Half-open: as in HalfOpen, for probes of `generation` while that lasts.
  // Nothing if the breaker is not half-open. A call refused on a ramp is
  // counted here.
  std::optional<HalfOpen::Answer> TakeProbe(uint64_t asked, MonotonicTime now);
  bool EndProbe(uint64_t generation, uint64_t probe, bool failed, bool slow,
                MonotonicTime now) noexcept;
  bool Progress(uint64_t generation, uint64_t probe,
                MonotonicTime now) noexcept;
  bool FailAfterProgress(uint64_t generation, uint64_t probe,
                         MonotonicTime now) noexcept;
  void FreeProbe(uint64_t generation, uint64_t probe,
                 MonotonicTime now) noexcept;
  void LeaveToCalls(uint64_t generation) noexcept;

  Terms terms() const;
  State state() const { return state_; }
  Mode mode() const { return mode_; }
  uint64_t generation() const { return generation_; }
  const Rules& rules() const { return *rules_; }
  std::shared_ptr<const Rules> shared_rules() const { return rules_; }
  // What the mode goes to when it ends by itself.
  Mode configured_mode() const { return configured_mode_; }
  // Null if the state has never changed.
  const History* history() const { return history_.get(); }

  // Fills in what a snapshot says of state, mode, times and window: what they
  // are for a call that comes now, though none has made the change. The totals
  // are those of now.
  void Describe(const CallCounts& judged, uint64_t asked, MonotonicTime now,
                BreakerSnapshot* snapshot) const;

 private:
  void Change(Move* move, State to, TransitionReason reason) const;
  void ChangeMode(Move* move, const ModeChange& change) const;
  void PutInForce(std::shared_ptr<const Rules> rules, const CallCounts& judged,
                  MonotonicTime now) noexcept;
  // The state that a change to `mode` would leave.
  State StateIn(Mode mode) const;
  // Of an open breaker in that mode.
  absl::Duration OpenRemaining(Mode mode, uint64_t asked,
                               MonotonicTime now) const;
  bool ModeIsOver(MonotonicTime now) const {
    return mode_ends_ && now >= mode_until_;
  }

  std::shared_ptr<const Rules> rules_;
  const bool times_calls_;
  bool mode_ends_ = false;
  Mode configured_mode_ = Mode::kAutomatic;
  Mode mode_ = Mode::kAutomatic;
  State state_ = State::kClosed;
  // Only if mode_ends_.
  MonotonicTime mode_until_;
  uint64_t generation_ = 0;
  SlidingWindow window_;
  std::minstd_rand random_;
  absl::Time last_transition_time_;
  // Null while closed, and until the state changes for the first time.
  std::unique_ptr<Outage> outage_;
  std::unique_ptr<History> history_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_STATE_MACHINE_H_
