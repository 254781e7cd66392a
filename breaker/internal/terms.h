// What calls need to know of the state machine: all of one moment, in force
// until the next are published.
//
// Plain values. StateMachine::terms() makes them, CallGate publishes them.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_TERMS_H_
#define AUTOBREAKER_BREAKER_INTERNAL_TERMS_H_

#include <cstdint>

#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/evidence.h"
#include "autobreaker/breaker/internal/trip_rule.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

// What an admission depends on, in one word, so that a healthy call reads it
// with one load.
class StateWord {
 public:
  constexpr StateWord() = default;
  constexpr explicit StateWord(uint64_t bits) : bits_(bits) {}
  // A generation lasts from one transition to the next, so the state never
  // changes without it. `timed`: each call is timed. `mode_ends`: the mode ends
  // by itself. `capped`: there is a cap on calls under way.
  constexpr StateWord(uint64_t generation, State state, Mode mode, bool timed,
                      bool mode_ends, bool capped = false)
      : bits_(generation << kGenerationShift | static_cast<uint64_t>(state) |
              static_cast<uint64_t>(mode) << kModeShift |
              (timed ? kTimedBit : 0) | (mode_ends ? kModeEndsBit : 0) |
              (capped ? kCappedBit : 0)) {}

  constexpr uint64_t bits() const { return bits_; }
  constexpr uint64_t generation() const { return bits_ >> kGenerationShift; }
  constexpr State state() const {
    return static_cast<State>(bits_ & kStateMask);
  }
  constexpr Mode mode() const {
    return static_cast<Mode>(bits_ >> kModeShift & kModeMask);
  }
  constexpr bool timed() const { return (bits_ & kTimedBit) != 0; }
  constexpr bool mode_ends() const { return (bits_ & kModeEndsBit) != 0; }
  constexpr bool capped() const { return (bits_ & kCappedBit) != 0; }

  // Closed, and nothing to measure or to look up: a call just goes.
  constexpr bool plain() const {
    return (bits_ & (kStateMask | kTimedBit | kModeEndsBit | kCappedBit)) == 0;
  }

 private:
  static constexpr uint64_t kStateMask = 3;
  static constexpr int kModeShift = 2;
  static constexpr uint64_t kModeMask = 3;
  static constexpr uint64_t kTimedBit = uint64_t{1} << 4;
  static constexpr uint64_t kModeEndsBit = uint64_t{1} << 5;
  static constexpr uint64_t kCappedBit = uint64_t{1} << 6;
  static constexpr int kGenerationShift = 8;

  uint64_t bits_ = 0;
};

// Which calls are admitted.
struct AdmissionTerms {
  StateWord word;
  // Open and half-open: before this time, no call need ask for a probe.
  MonotonicTime refuse_until;
  // Open: when one is expected to be admitted.
  MonotonicTime expected_end;
  // When the mode ends, if word.mode_ends().
  MonotonicTime mode_until;
};

// What a result of a closed breaker is judged by.
struct JudgmentTerms {
  TripRule trip;
  EvidenceRule evidence;
  // The totals where the window begins.
  CallCounts window_base;
};

// What calls on other threads read, and so must be of one moment.
struct SharedTerms {
  AdmissionTerms admission;
  JudgmentTerms judgment;
  // A call that takes as long is slow; 0 if none is.
  MonotonicTime::duration slow_call_duration{0};
};

struct Terms : SharedTerms {
  // Until then the window need not be moved.
  MonotonicTime window_moves_at;
  // So many calls are under way at once, at most, if admission.word.capped().
  int64_t max_calls_in_flight = 0;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_TERMS_H_
