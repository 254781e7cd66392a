// An outage: from the moment a breaker leaves closed until it closes again.
//
// It owns what only an outage needs: what opened the breaker, how long it stays
// open, and half-open when the open time is over. A breaker that closes drops
// it, so there is nothing to reset.
//
// `asked` are all calls that were asked for since the breaker was made,
// admitted or not.
//
// Thread-compatible. No clock: `now` is an argument.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_OUTAGE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_OUTAGE_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/backoff.h"
#include "autobreaker/breaker/internal/half_open.h"
#include "autobreaker/breaker/internal/rules.h"

namespace autobreaker {

class Outage {
 public:
  // What the breaker was judged by when it left closed.
  struct Cause {
    CallCounts window;
    int64_t consecutive_failures = 0;
  };

  // What is known when the breaker opens.
  struct Opening {
    uint64_t asked = 0;
    // The server asked to be left alone so long.
    absl::Duration at_least;
    // 0 <= random < 1, for the jitter.
    double random = 0;
  };

  // Opens for the first time. The window covered `window_time`.
  void OpenFirst(const Rules& rules, const Cause& cause,
                 MonotonicTime::duration window_time, const Opening& opening,
                 MonotonicTime now);

  // Opens again. `probes_failed`: and not because somebody forced it.
  void OpenAgain(const Rules& rules, bool probes_failed, const Opening& opening,
                 MonotonicTime now);

  // The open time is over, or somebody ended it.
  void BecomeHalfOpen(const Rules& rules, uint64_t asked, MonotonicTime now);

  // Other rules are in force.
  void SetRules(const Rules& rules, MonotonicTime now);

  // Open: whether the open time is over for a call that comes now.
  bool IsOver(uint64_t asked, MonotonicTime now) const;

  // Open: a call wants to go. Sets when the next one need ask again.
  void NoteAsked(uint64_t asked, MonotonicTime now);

  // Open: when the open time is expected to be over, if calls go on to come as
  // they came. Never before refuse_until().
  MonotonicTime ExpectedEnd(uint64_t asked, MonotonicTime now) const;

  // Null while open.
  HalfOpen* half_open() {
    return half_open_.has_value() ? &*half_open_ : nullptr;
  }
  const HalfOpen* half_open() const {
    return half_open_.has_value() ? &*half_open_ : nullptr;
  }

  // Before this time no call is let through.
  MonotonicTime refuse_until() const {
    return half_open_.has_value() ? half_open_->refuse_until() : refuse_until_;
  }
  // Of the last call that wanted to go.
  MonotonicTime expected_end() const { return expected_end_; }

  const Cause& cause() const { return cause_; }
  // How often probes failed.
  int64_t reopenings() const { return reopenings_; }

 private:
  void Open(const Rules& rules, double calls_per_second, const Opening& opening,
            MonotonicTime now);
  void SetOpenTime(const Rules& rules);

  Cause cause_;
  int64_t reopenings_ = 0;
  uint64_t asked_at_start_ = 0;
  // Of the last time it opened.
  Opening opening_;
  MonotonicTime opened_at_;
  OpenTime open_time_;
  // Before that; only a guess rests on it.
  double calls_per_second_ = 0;
  MonotonicTime refuse_until_;
  MonotonicTime expected_end_;

  std::optional<HalfOpen> half_open_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_OUTAGE_H_
