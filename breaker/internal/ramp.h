// Half-open as a ramp: lets more and more calls through while it pays.
//
// The first probe goes alone. Once it succeeds, a share of the calls goes, and
// what becomes of these decides how large the share is:
//
//   share of calls     1/3 ... 1/2 ... 3/4 ... all of them, and then it closes
//
// Each success adds the break-even rate b to a balance, and each failure takes
// 1 - b away. At +1 the next larger share goes, and at -1 the next smaller one;
// below a third the breaker opens again. So where fewer than b of the calls
// fail the ramp leads up, and where more fail it leads down. At b = 0.5 it
// takes two successes more than failures, or two failures more.
//
// - A result counts only if its call went with the share of now. What went
//   before says nothing about it.
// - A call is overdue when it has taken more than twice as long as the slowest
//   success. It weighs like a failure until it ends or its lease does: a server
//   that hangs would otherwise have all calls before it shows. Where a quarter
//   of the calls or more is far longer than the rest, the ramp can take as long
//   as such a call; HalfOpenOptions::successes_to_close is for those.
// - At most as many calls are under way as have succeeded, but a few at once
//   always go (`at_once`), so that rare calls are not refused.
// - If the first probe takes long, another goes when as many calls have been
//   refused, and as much time has passed, as the breaker was open for.
// - With all calls let through it waits for as long before it closes, since an
//   overload takes time to show. Meanwhile nothing is refused.
//
// A server that bears only a part of its load settles on the ramp where the
// calls beyond that part keep the balance.
//
// Thread-compatible. Pure arithmetic: the time is an argument.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_RAMP_H_
#define AUTOBREAKER_BREAKER_INTERNAL_RAMP_H_

#include <cstdint>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/backoff.h"

namespace autobreaker {

class Ramp {
 public:
  // More are never under way.
  static constexpr int64_t kMostInFlight = 10'000;

  // Half-open begins at `now`, when `asked` calls had been asked for. The
  // breaker was open for `open_time`.
  Ramp(double break_even, const OpenTime& open_time, uint64_t asked,
       MonotonicTime now);

  // What results weigh from now on.
  void SetBreakEven(double break_even) { break_even_ = break_even; }

  // Calls that went before this are overdue if they are still under way.
  MonotonicTime OverdueBefore(MonotonicTime now) const {
    return now - 2 * slowest_;
  }
  // The first probe that went with the share of now.
  uint64_t first_probe() const { return first_probe_; }

  // A call wants to go.
  struct Request {
    uint64_t probe = 0;     // its number, if it goes
    int64_t in_flight = 0;  // probes under way
    int64_t overdue = 0;    // of those from first_probe() on
    int64_t at_once = 1;
    uint64_t asked = 0;  // calls asked for, without this one
  };

  // Whether it goes. Takes its turn, so ask once for each call.
  bool Admits(const Request& request, MonotonicTime now);

  // Before this time no call goes if none ends before and `in_flight` are under
  // way, 1 or more. The farthest future if none goes until one ends.
  MonotonicTime NextTurn(int64_t in_flight, int64_t at_once, uint64_t asked,
                         MonotonicTime now) const;

  // Notes how a call ended, and after which time. `next_probe` is the number of
  // the next one. Ask below what follows from it.
  void Note(uint64_t probe, bool failed, MonotonicTime::duration taken,
            int64_t overdue, uint64_t next_probe, MonotonicTime now);

  // Notes that a call which counts as a success, a stream that made progress,
  // failed after all: it takes the success back and counts as a failure.
  void NoteFailureAfterSuccess(uint64_t probe, int64_t overdue,
                               uint64_t next_probe, MonotonicTime now);

  bool reopens() const { return reopens_; }
  bool Closes(int64_t overdue, MonotonicTime now) const;

  // Whether a probe has succeeded.
  bool answered() const { return successes_ > 0; }
  // Of the calls beyond the few that always go, the share that goes. 0 until a
  // probe has succeeded.
  double share() const { return answered() ? kShares[step_] : 0; }

 private:
  static constexpr double kShares[] = {1.0 / 3, 0.5, 0.75, 1};
  static constexpr int kLastStep = 3;

  // The balance, with calls that are overdue.
  double Balance(int64_t overdue) const {
    return balance_ - static_cast<double>(overdue) * (1 - break_even_);
  }
  // Adds to the balance, and does what follows.
  void Weigh(double by, int64_t overdue, uint64_t next_probe,
             MonotonicTime now);
  // Goes up or down, if the balance says so and there is a step to go to.
  void Move(int64_t overdue, uint64_t next_probe, MonotonicTime now);
  void GoTo(int step, uint64_t next_probe, MonotonicTime now);
  bool TurnHasCome(int64_t in_flight, uint64_t asked, MonotonicTime now) const;

  double break_even_;
  OpenTime open_time_;
  uint64_t asked_at_start_;
  // When half-open began, and then when the share last changed.
  MonotonicTime since_;
  int64_t successes_ = 0;
  MonotonicTime::duration slowest_{0};  // of the successes
  bool reopens_ = false;
  int step_ = 0;
  double balance_ = 0;
  uint64_t first_probe_ = 0;
  double turns_ = 0;  // 1: the next call goes
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_RAMP_H_
