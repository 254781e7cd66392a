// Half-open as a ramp: lets more and more calls through, as the evidence that
// opened the breaker falls again.
//
//   evidence            1 ................. 0.5
//   share of calls      a probe alone ..... all, and the breaker closes
//
// The evidence begins at the threshold, 1. Each success and each failure moves
// it by what it moved it while closed (evidence.h). At 1 and more a failure
// opens the breaker again.
//
// - The first probe goes alone. If it takes long, one more follows each time
//   the open time has passed again.
// - When the first probe succeeds, the evidence falls by the weight of one
//   failure, so that a single failure after it does not open the breaker.
// - From then on, a few calls at once always go (`at_once`). Others go as the
//   evidence says, one in so many, while fewer are under way than have
//   succeeded.
// - A call is overdue when it has taken more than twice as long as the slowest
//   success. It weighs like a failure until it ends or its lease does: a server
//   that hangs would otherwise have all calls before it shows. So where one
//   call in twelve is far longer than the rest, the ramp is slow;
//   HalfOpenOptions::successes_to_close is for those.
//
// A server that bears only a part of its load settles on the ramp where the
// failures of that part keep the evidence.
//
// Thread-compatible. Pure arithmetic: the time is an argument.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_RAMP_H_
#define AUTOBREAKER_BREAKER_INTERNAL_RAMP_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/evidence.h"

namespace autobreaker {

class Ramp {
 public:
  // Where the evidence is when a ramp closes the breaker.
  static constexpr double kCloses = 0.5;
  // More are never under way.
  static constexpr int64_t kMostInFlight = 10'000;

  // Half-open begins at `now`. `open_time` is how long the breaker was open.
  Ramp(const EvidenceRule& rule, MonotonicTime::duration open_time,
       MonotonicTime now);

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

  // When the next call may go if none ends before; nothing if none may.
  // REQUIRES: in_flight >= 1.
  std::optional<MonotonicTime> NextTurn(int64_t in_flight, int64_t at_once,
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
  MonotonicTime::duration open_time_;
  int64_t successes_ = 0;
  MonotonicTime::duration slowest_{0};  // of the successes
  // May fall below 0 while overdue calls, which it will have to outweigh, keep
  // the breaker from closing.
  double level_ = 1;
  double turns_ = 0;  // 1: the next call goes
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_RAMP_H_
