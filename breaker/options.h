// The settings of one circuit breaker, in the order of its life: when it opens,
// how long it stays open, how it comes back, and how many calls are under way
// at once.
//
//   BreakerOptions options;  // the defaults fit any rate of calls
//   options.trip.failure_rate_threshold = 0.5;
//   options.open.duration = absl::Seconds(1);
//   absl::Status status = options.Validate();
//
// Plain values. A breaker checks them as a whole, where it is made and where it
// is updated, and never repairs them.
#ifndef AUTOBREAKER_BREAKER_OPTIONS_H_
#define AUTOBREAKER_BREAKER_OPTIONS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace autobreaker {

// Opens on evidence that calls fail more often than is normal, and that so many
// fail that it pays to refuse them. It counts calls, not seconds, so it decides
// as well at one call a minute as at a million. docs/design.md says how, and
// where it comes from.
struct EvidenceOptions {
  // The share of calls that fails when all is well. 0 < x < 1, and below
  // break_even_failure_rate.
  double normal_failure_rate = 0.02;

  // The share of failing calls from which it pays to refuse calls. Below it the
  // breaker stays closed, since it would refuse more good calls than it would
  // save failing ones: one dead server of three, behind one channel, does not
  // take the other two away. If a failed call costs as much as c good calls
  // that are refused, it is 1 / (1 + c): 0.5 if both cost the same, 0.2 if a
  // failed call costs four times as much. 0.01 to 0.99.
  double break_even_failure_rate = 0.5;

  // While the server is well, the breaker opens at most once in so many calls,
  // on average. 1 to 10^15.
  int64_t calls_per_false_opening = 1'000'000;

  // Failures that all come within this time, such as those of one lost
  // connection, do not open the breaker by themselves. 0 to 1 hour.
  absl::Duration tolerated_burst = absl::Milliseconds(50);

  friend bool operator==(const EvidenceOptions& a, const EvidenceOptions& b);
  friend bool operator!=(const EvidenceOptions& a, const EvidenceOptions& b) {
    return !(a == b);
  }
};

// When a closed breaker opens. At least one of evidence,
// failure_rate_threshold, consecutive_failures and slow_call_rate_threshold
// must be set.
struct TripOptions {
  // Off when not set; then HalfOpenOptions::successes_to_close is needed.
  std::optional<EvidenceOptions> evidence = EvidenceOptions();

  // Opens when more than this share of the finished calls in the window
  // failed. 0 < x < 1; off when not set.
  std::optional<double> failure_rate_threshold;

  // A rate is judged only when the window holds this many finished calls.
  // 1 to 1,000,000,000.
  int64_t minimum_calls = 20;

  // Rates look back over the last `window`, and over up to one step more, so
  // that no burst of failures is cut in two. A step is window / window_buckets
  // long. 1 ns to 365 days; 1 to 60.
  absl::Duration window = absl::Seconds(10);
  int window_buckets = 10;

  // Opens after this many failures with no success between them, whatever the
  // rate. 1 to 1,000,000; off when not set.
  std::optional<int64_t> consecutive_failures;

  // A finished call is slow if it took slow_call_duration or longer. Opens when
  // at least slow_call_rate_threshold of the finished calls in the window were
  // slow. Set both or neither; calls are not timed otherwise.
  // 1 ns to 365 days; 0 < x <= 1.
  std::optional<absl::Duration> slow_call_duration;
  std::optional<double> slow_call_rate_threshold;

  // Whether slow calls can open the breaker.
  bool JudgesSlowCalls() const {
    return slow_call_duration.has_value() &&
           slow_call_rate_threshold.has_value();
  }

  friend bool operator==(const TripOptions& a, const TripOptions& b);
};

// Paces probes by the calls that are asked for while the breaker is open, so
// that there are few of them at any rate of calls.
struct CallPacing {
  // The breaker stays open for the time in which 1 / probe_share calls are
  // asked for: 0.1 at 100 calls a second is 100 ms. Longer as an outage goes
  // on. Jitter and OpenOptions::duration_max may make it shorter. 0 < x <= 1.
  double probe_share = 0.1;

  friend bool operator==(const CallPacing& a, const CallPacing& b) {
    return a.probe_share == b.probe_share;
  }
};

// How long a breaker stays open before it tries a probe.
struct OpenOptions {
  // When not set, only the durations below count.
  std::optional<CallPacing> pace_by_calls = CallPacing();

  // The open time is at least this, before jitter. 1 ns to 365 days.
  absl::Duration duration = absl::Milliseconds(100);

  // Each time that probes fail, `duration` is multiplied by this once more.
  // When the breaker closes, that starts over. 1 to 1,000.
  double duration_multiplier = 1;

  // No open time is longer. `duration` to 365 days.
  absl::Duration duration_max = absl::Seconds(30);

  // Each open time is shortened by a random share of up to this, so that many
  // clients do not come back at the same moment: 0.2 makes 100 ms 80 to 100 ms.
  // 0 to 1.
  double duration_jitter = 0.2;

  friend bool operator==(const OpenOptions& a, const OpenOptions& b);
};

// How a half-open breaker comes back.
struct HalfOpenOptions {
  // If set, the breaker closes after so many successful probes, and opens again
  // at the first that fails or is slow. 1 to 1,000,000. If not set, half-open
  // is a ramp: the first probe goes alone, then successes let more calls
  // through and failures fewer. The breaker closes when all calls go and enough
  // of them succeed, and opens again when only a third go and too many fail.
  std::optional<int64_t> successes_to_close;

  // So many probes are under way at once, at most. On a ramp that holds until
  // one succeeds; then a call is always admitted while fewer are under way.
  // 1 to 10,000.
  int64_t max_calls = 3;

  // A probe that takes longer gives its place to another. If it fails then, the
  // failure is late. 1 ns to 365 days.
  absl::Duration lease = absl::Seconds(60);

  friend bool operator==(const HalfOpenOptions& a, const HalfOpenOptions& b);
};

struct BreakerOptions {
  TripOptions trip;           // what opens it
  OpenOptions open;           // how long it stays so
  HalfOpenOptions half_open;  // how it comes back

  // So many calls are under way at once, at most, in each state and each mode
  // but shadow; more are refused. It keeps a server that does not answer from
  // taking all threads and connections of its callers, and says nothing about
  // the server: it neither opens the breaker nor delays a probe. A stream is
  // under way as long as it lives. 1 to 1,000,000,000; off when not set.
  std::optional<int64_t> max_calls_in_flight;

  // The breaker that many libraries have: opens when more than `rate` of the
  // calls of the last `window` failed, at least `minimum_calls` of them; stays
  // open for `open_for`; and closes after one probe that succeeds. It has no
  // evidence, no pacing and no jitter. docs/options.md says what it does in a
  // partial outage.
  static BreakerOptions Percentage(double rate, int64_t minimum_calls,
                                   absl::Duration window,
                                   absl::Duration open_for);

  // OK, or INVALID_ARGUMENT that names each field out of range, its value and
  // its range: "open.duration is 0, must be in [1ns, 365 days]".
  absl::Status Validate() const;

  // Whether half-open is a ramp.
  bool Ramps() const {
    return trip.evidence.has_value() &&
           !half_open.successes_to_close.has_value();
  }

  friend bool operator==(const BreakerOptions& a, const BreakerOptions& b) {
    return a.trip == b.trip && a.open == b.open && a.half_open == b.half_open &&
           a.max_calls_in_flight == b.max_calls_in_flight;
  }
  friend bool operator!=(const BreakerOptions& a, const BreakerOptions& b) {
    return !(a == b);
  }
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_OPTIONS_H_
