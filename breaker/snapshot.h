// What a breaker tells about itself: plain values, copied at one moment.
#ifndef AUTOBREAKER_BREAKER_SNAPSHOT_H_
#define AUTOBREAKER_BREAKER_SNAPSHOT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/duration_counts.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/status_classes.h"
#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

struct BreakerSnapshot {
  BreakerKey key;
  BreakerOptions options;
  Mode mode = Mode::kAutomatic;
  // Until the mode ends by itself, infinite if it does not, and what follows.
  absl::Duration mode_remaining = absl::InfiniteDuration();
  Mode next_mode = Mode::kAutomatic;
  State state = State::kClosed;
  // As in BreakerPolicy.
  bool unguarded = false;
  std::optional<StatusClasses> status_classes;

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
  std::array<uint64_t, kRefusalReasonCount> refused = {};
  // What shadow mode let through; always 0 for kForcedOpen.
  std::array<uint64_t, kRefusalReasonCount> shadow_refused = {};
  uint64_t transition_count = 0;  // Transition::number of the last one
  // By [from][to] and by TransitionReason.
  std::array<std::array<uint64_t, kStateCount>, kStateCount> transitions = {};
  std::array<uint64_t, kTripReasonCount> trips = {};
  uint64_t callback_exceptions = 0;

  // Where the environment asks for it. By the State that admitted the calls;
  // every call among `successes` and `failures` is in here.
  std::array<DurationCounts, kStateCount> durations;
  // By absl::StatusCode, which are gRPC's too.
  std::array<uint64_t, kStatusCodeCount> status_codes = {};

  // What verdicts rest on. Until the breaker closes again these are as they
  // were when it opened, so that what opened it can be read while it matters;
  // failed probes do not change them.
  CallCounts window;
  double failure_rate = 0;  // 0..1; NaN while the window is empty
  double success_rate = 0;
  int64_t consecutive_failures = 0;
  // Since the last failure or transition.
  int64_t consecutive_successes = 0;

  // What there is of the evidence that opens the breaker, as a share of it: 1
  // while open; as the ramp sees it while half-open. NaN if
  // BreakerOptions::sequential is not set.
  double evidence = 0;

  // Closed: how many failures in a row would open the breaker now, were they
  // not one burst; nothing in other states and in Mode::kForcedClosed.
  std::optional<int64_t> failures_until_trip;
  bool will_trip_next = false;  // failures_until_trip is 1

  // Half-open: probes under way, and those that have succeeded.
  int64_t probes_in_flight = 0;
  int64_t probe_successes = 0;

  // Until half-open: 0 unless open, infinite while forced open for good.
  absl::Duration open_remaining;
  // Times the probes failed since the breaker was last closed.
  int64_t reopenings = 0;
  // The time of creation if there was none yet.
  absl::Time last_transition_time;
  // The last change to open, if there was one.
  std::optional<Transition> last_trip;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_SNAPSHOT_H_
