// One change of state of one breaker, and what led to it. A plain value.
//
// Instruments::on_transition is given each one; BreakerSnapshot::last_trip is
// the last one to open.
//
//   instruments.on_transition = [](const Transition& t) {
//     std::clog << ToString(t.key) << " is " << ToString(t.to) << ": "
//               << ToString(t.reason) << "\n";
//   };
#ifndef AUTOBREAKER_BREAKER_TRANSITION_H_
#define AUTOBREAKER_BREAKER_TRANSITION_H_

#include <cstdint>

#include "absl/time/time.h"
#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/failing_peers.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

struct Transition {
  BreakerKey key;  // the breaker's
  // Another for each breaker of the process: tells breakers apart that had one
  // key, one after the other.
  uint64_t breaker_id = 0;
  uint64_t number = 0;          // 1 for the first of this breaker, and so on
  State from = State::kClosed;  // before
  State to = State::kClosed;    // after
  TransitionReason reason = TransitionReason::kForced;  // why
  absl::Time time;  // when, by the clock of the instruments
  // The window, its failure rate (NaN if it was empty) and the row of failures
  // as they were just before the change.
  CallCounts window;
  double failure_rate = 0;
  int64_t consecutive_failures = 0;
  // To open: how long it will stay so; infinite if forced for good.
  absl::Duration open_for;
  // To open, unless forced: where failures came from.
  FailingPeers failing_peers;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_TRANSITION_H_
