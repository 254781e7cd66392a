// Half-open: which calls go as probes, and what follows from how they end.
//
// There are two ways, by HalfOpenOptions::successes_to_close. If it is set, a
// few probes go at once; when enough have succeeded the breaker closes, and the
// first that fails or is slow opens it again. If it is not set, a ramp decides
// both (ramp.h).
//
// One of these exists for one time of being half-open, and nothing in it is
// ever reset.
//
// Thread-compatible. No clock: `now` is an argument.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_HALF_OPEN_H_
#define AUTOBREAKER_BREAKER_INTERNAL_HALF_OPEN_H_

#include <cstdint>
#include <optional>

#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/backoff.h"
#include "autobreaker/breaker/internal/probe_leases.h"
#include "autobreaker/breaker/internal/ramp.h"
#include "autobreaker/breaker/internal/rules.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

class HalfOpen {
 public:
  // `open_time` is how long the breaker was open before. `asked` are the calls
  // asked for until now.
  HalfOpen(const Rules& rules, const OpenTime& open_time, uint64_t asked,
           MonotonicTime now);

  // A probe, or why the call is none.
  struct Answer {
    uint64_t probe = ProbeLeases::kNoProbe;
    // It finds out whether the server is back: no probe has succeeded yet.
    bool finds_out = false;
    // Half-open: all probes are under way. Ramp: it is not this call's turn.
    RefusalReason refused = RefusalReason::kHalfOpen;
  };
  // Answers a call that wants to go. Takes its turn on a ramp, so ask once for
  // each call. Changes nothing if it throws. `asked`: before this one.
  Answer TakeProbe(const Rules& rules, uint64_t asked, MonotonicTime now);

  // Notes that a probe ended with a result. False, and nothing changes, if it
  // failed after its lease. A success counts however late.
  bool EndProbe(const Rules& rules, uint64_t probe, bool failed, bool slow,
                MonotonicTime now);

  // Notes that a probe goes on and counts as a success; and that one which
  // counts so failed after all, which takes the success back.
  void Progress(const Rules& rules, uint64_t probe, MonotonicTime now);
  void FailAfterProgress(const Rules& rules, uint64_t probe, MonotonicTime now);

  // The place of a probe that ended without a result is free again.
  void FreeProbe(uint64_t probe, MonotonicTime now);

  // From here on no call is said to find out.
  void LeaveToCalls() { left_to_calls_ = true; }

  // Whether to open again, to close, or neither, after a probe ended so.
  // `results` are those since half-open began, this one among them.
  std::optional<State> Next(const Rules& rules, bool failed, bool slow,
                            const CallCounts& results, MonotonicTime now) const;

  // Other rules are in force: the next call asks again.
  void SetRules(const Rules& rules, MonotonicTime now);

  // Before this time no call will be let through, unless a probe ends.
  MonotonicTime refuse_until() const { return refuse_until_; }

  // Probes under way, and those that succeeded.
  int64_t in_flight(MonotonicTime now) const { return leases_.Count(now); }
  int64_t successes() const { return successes_; }

  // Those that succeeded by their progress, which are in no result.
  uint64_t progressed() const { return progressed_; }

  // The share of calls that the ramp lets through.
  double share() const { return ramp_.share(); }

 private:
  int64_t Overdue(MonotonicTime now) const;

  ProbeLeases leases_;
  int64_t successes_ = 0;
  uint64_t progressed_ = 0;
  bool left_to_calls_ = false;
  MonotonicTime refuse_until_;
  Ramp ramp_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_HALF_OPEN_H_
