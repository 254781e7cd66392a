// How half-open lets more and more calls through, on the evidence that opened
// the breaker: it starts at the threshold, and successes and failures move it
// by what they moved it while closed (see evidence.h).
//
//   evidence    1 ........ 0.5
//   admitted    a probe .. all calls
//
// The first probe goes alone; if it takes long, another follows each time the
// open time has passed once more. When one succeeds, the evidence falls by what
// one failure weighs, so that a single failure thereafter does not reopen. From
// then on
//   - a few calls at once always go (`at_once`), so that there is no ramp where
//     calls are few, and
//   - others go as the evidence says, one in so many, as long as fewer are
//   under
//     way than have succeeded.
// A call that takes more than twice as long as the slowest success so far is
// overdue, and weighs like a failure until it ends or its lease does: servers
// that hang say so late, and would else have all calls by then. (So where one
// call in twelve and more is far longer than the rest, as with some streams,
// the ramp is slow; half_open_successes_to_close is for those.)
//
// A server that bears only part of its load settles where the failures that the
// rest of the calls cause keep the evidence where it is.
//
// At 0.5 the breaker closes, and goes on from there; at 1 it reopens.
//
// Thread-compatible. Pure arithmetic: the time is an argument.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_RAMP_H_
#define AUTOBREAKER_BREAKER_INTERNAL_RAMP_H_

#include <algorithm>
#include <cstdint>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/evidence.h"

namespace autobreaker {

class Ramp {
 public:
  // Where the evidence is when a ramp closes the breaker.
  static constexpr double kCloses = 0.5;
  // More are never under way.
  static constexpr int64_t kMostInFlight = 10'000;

  // Half-open begins. `open_time` is how long the breaker was open before.
  void Restart(MonotonicTime now, MonotonicTime::duration open_time);

  // What results weigh from now on.
  void SetWeights(const EvidenceRule& rule);

  // Calls that went before this are overdue if they are still under way.
  MonotonicTime OverdueBefore(MonotonicTime now) const;

  // Calls under way, and how many of them are overdue.
  struct Traffic {
    int64_t in_flight = 0;
    int64_t overdue = 0;
  };

  // Whether the next call goes. Takes its turn, so ask once for each call.
  bool Admits(const Traffic& traffic, int64_t at_once, MonotonicTime now);

  // Until then, no call will be let through if none ends. `in_flight` >= 1.
  MonotonicTime NextTurn(int64_t in_flight, int64_t at_once,
                         MonotonicTime now) const;

  // Notes how a call ended, and after which time.
  void Note(bool failed, MonotonicTime::duration taken);

  // What follows from it.
  bool reopens() const { return level_ >= 1; }
  bool Closes(int64_t overdue) const { return Share(overdue) >= 1; }

  // Whether a probe has succeeded.
  bool answered() const { return successes_ > 0; }
  // The evidence, without calls that are overdue.
  double level() const { return std::max(0.0, level_); }
  // Of the calls beyond the few that always go, the share that goes.
  double Share(int64_t overdue) const;

 private:
  double failure_ = 0;
  double success_ = 0;
  MonotonicTime start_;
  MonotonicTime::duration open_time_{1};
  int64_t successes_ = 0;
  MonotonicTime::duration slowest_{0};  // of the successes
  // May fall below 0 while overdue calls, which it will have to outweigh, keep
  // the breaker from closing.
  double level_ = 1;
  double turns_ = 0;  // 1: the next call goes
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_RAMP_H_
