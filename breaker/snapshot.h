// What a breaker tells about itself. Plain values, all of one moment.
//
// For a health page or a log of your own; metrics and the admin service show
// the same.
//
//   BreakerSnapshot s = breaker->Snapshot();
//   if (s.state == State::kOpen) log(s.key, s.failure_rate, s.open_remaining);
//
// State and mode are those that a call meets that comes now. If the open time
// or the mode is over and no call came since, the change shows in `state` and
// `mode`, but is not made: it is not counted, and no callback is told of it.
#ifndef AUTOBREAKER_BREAKER_SNAPSHOT_H_
#define AUTOBREAKER_BREAKER_SNAPSHOT_H_

#include <array>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/duration_counts.h"
#include "autobreaker/breaker/failing_peers.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

struct BreakerSnapshot {
  BreakerKey key;                // the breaker's
  BreakerOptions options;        // in force
  Mode mode = Mode::kAutomatic;  // who decides
  // Until the mode ends by itself, infinite if it does not, and what follows.
  absl::Duration mode_remaining = absl::InfiniteDuration();
  Mode next_mode = Mode::kAutomatic;
  State state = State::kClosed;  // that a call meets now
  // Lifetime totals; none ever goes back. In every snapshot
  //   requests = successes + failures + ignored + abandoned + in_flight.
  uint64_t requests = 0;  // calls admitted
  uint64_t successes = 0;
  uint64_t failures = 0;
  uint64_t ignored = 0;
  uint64_t abandoned = 0;
  uint64_t in_flight = 0;
  uint64_t slow_calls = 0;    // of the successes and failures
  uint64_t late_results = 0;  // of the successes and failures
  // Calls that were refused, by RefusalReason.
  std::array<uint64_t, kRefusalReasonCount> refused = {};
  // What shadow mode let through; always 0 for kForcedOpen.
  std::array<uint64_t, kRefusalReasonCount> shadow_refused = {};
  uint64_t transition_count = 0;  // Transition::number of the last one
  // By [from][to] and by TransitionReason.
  std::array<std::array<uint64_t, kStateCount>, kStateCount> transitions = {};
  std::array<uint64_t, kTripReasonCount> trips = {};
  uint64_t callback_exceptions = 0;
  // Changes of state that nobody was told of, since a callback took so long
  // that 10,000 waited.
  uint64_t lost_transitions = 0;

  // If the instruments ask for it. By the State that admitted the calls; each
  // call among `successes` and `failures` is in here.
  std::array<DurationCounts, kStateCount> durations;

  // The next four are those of now while closed. Until the breaker closes
  // again they are as they were when it opened, so that what opened it can be
  // read while it matters.
  CallCounts window;
  double failure_rate = 0;  // 0..1; NaN while the window is empty
  double success_rate = 0;  // the rest; NaN likewise
  int64_t consecutive_failures = 0;
  // Since the last failure or transition.
  int64_t consecutive_successes = 0;

  // How much there is of what opens the breaker, 0 to 1. 1 while open; on a
  // ramp the share of calls that is held back. NaN if TripOptions::evidence is
  // not set.
  double evidence = 0;

  // At least so many more failures in a row open the breaker, such as 3. It may
  // take more if they come within EvidenceOptions::tolerated_burst of each
  // other; if not, it is exact. Not set if no number would, if the breaker is
  // not closed, or in Mode::kForcedClosed.
  std::optional<int64_t> failures_until_trip;
  bool will_trip_next = false;  // failures_until_trip is 1

  // Half-open: probes under way that have made no progress yet, and those that
  // have succeeded.
  int64_t probes_in_flight = 0;
  int64_t probe_successes = 0;

  // Open: the time until half-open, infinite while forced open for good. 0 in
  // other states.
  absl::Duration open_remaining;
  // How often it went from half-open back to open since it was last closed,
  // not counting when somebody forced it.
  int64_t reopenings = 0;
  // The time of creation if there was none yet.
  absl::Time last_transition_time;
  // Of now, whatever the state.
  FailingPeers failing_peers;
  // The last change to open, if there was one.
  std::optional<Transition> last_trip;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_SNAPSHOT_H_
