// The settings of one circuit breaker.
//
//   autobreaker::BreakerOptions options;
//   options.failure_rate_threshold = 0.2;
//   absl::Status status = options.Validate();
//
// A plain value. Options are checked as a whole where a breaker takes them, at
// creation and at update, and never repaired.
#ifndef AUTOBREAKER_BREAKER_OPTIONS_H_
#define AUTOBREAKER_BREAKER_OPTIONS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace autobreaker {

// Opens on sequential evidence: every failure weighs for "broken", every
// success for "normal", and the breaker opens once the sum leaves no doubt. It
// counts in calls, so it is as quick and as sure at one call a minute as at a
// million. See evidence.h.
struct SequentialTrip {
  // The share of calls that fails when all is well, and when the server is
  // broken. Between the two it opens late or never. 0 < normal < broken < 1.
  double normal_failure_rate = 0.02;
  double broken_failure_rate = 0.2;

  // How many calls, on average and at least, lie between two openings of a
  // breaker whose server is well. 1 to 10^15.
  int64_t calls_per_false_opening = 1'000'000;

  // However many calls fail, if all of them do so within this time, they open
  // nothing by themselves: a lost connection, a short hiccup. (Evidence from
  // before, as after a recovery, adds to theirs.) A busy breaker takes twice as
  // long to open. 0 to 1 hour.
  absl::Duration tolerated_burst = absl::Milliseconds(50);

  friend bool operator==(const SequentialTrip& a, const SequentialTrip& b);
  friend bool operator!=(const SequentialTrip& a, const SequentialTrip& b) {
    return !(a == b);
  }
};

// Paces probes by the calls that are asked for while the breaker is open, so
// that probes, and calls refused after the server is back, are few at any rate
// and after an outage of any length. See backoff.h.
struct CallPacing {
  // The share of the calls that goes out as probes, at most, but for jitter and
  // where open_duration_max is sooner; it falls further as an outage lasts.
  // 0 < x <= 1.
  double probe_share = 0.1;

  friend bool operator==(const CallPacing& a, const CallPacing& b) {
    return a.probe_share == b.probe_share;
  }
};

struct BreakerOptions {
  // On by default; off when not set. Then half_open_successes_to_close is
  // needed.
  std::optional<SequentialTrip> sequential = SequentialTrip();

  // Opens when more than this share of the finished calls in the window
  // failed. 0 < x < 1; off when not set.
  std::optional<double> failure_rate_threshold;

  // Finished calls the window must hold before a rate is judged at all.
  // 1 to 1,000,000,000.
  int64_t minimum_calls = 20;

  // How far back rates look, and in how many steps calls leave the window
  // again. Rates cover at least `window` and at most one step more, so that no
  // burst of failures is cut in two. 1 ns to 365 days; 1 to 60.
  absl::Duration window = absl::Seconds(10);
  int window_buckets = 10;

  // Opens after this many failures with no success between them, whatever the
  // rate. 1 to 1,000,000; off when not set.
  std::optional<int64_t> consecutive_failures;

  // A finished call is slow when it took this long or longer; opens when at
  // least this share of the finished calls in the window was slow. Slow calls
  // are neither measured nor judged unless both are set.
  // 1 ns to 365 days; 0 < x <= 1.
  std::optional<absl::Duration> slow_call_duration;
  std::optional<double> slow_call_rate_threshold;

  // On by default; when not set, only time counts while open.
  std::optional<CallPacing> pace_by_calls = CallPacing();

  // How long the breaker stays open at least, by what that is multiplied each
  // time the probes fail, and at most; each time is shortened by a random share
  // of up to `open_duration_jitter`, so that many clients do not come back at
  // the same moment. Closing starts over.
  // 1 ns to 365 days; 1 to 1,000; open_duration to 365 days; 0 to 1.
  absl::Duration open_duration = absl::Milliseconds(100);
  double open_duration_multiplier = 1;
  absl::Duration open_duration_max = absl::Seconds(30);
  double open_duration_jitter = 0.2;

  // Half-open closes after this many successful probes; one that fails reopens.
  // 1 to 1,000,000. When not set, half-open is a ramp: the first probe goes
  // alone, and with each success more calls are let through, until the evidence
  // of `sequential` has fallen far enough to close (see ramp.h).
  std::optional<int64_t> half_open_successes_to_close;

  // Probes that half-open lets through at once; on a ramp, those that never
  // wait for their turn. 1 to 10,000.
  int64_t half_open_max_calls = 3;

  // A probe that has not ended by then gives its place to another; its result
  // no longer counts. 1 ns to 365 days.
  absl::Duration half_open_lease = absl::Seconds(60);

  // OK, or INVALID_ARGUMENT that names every field out of range with its value
  // and its range.
  absl::Status Validate() const;

  // Whether half-open is a ramp.
  bool Ramps() const {
    return sequential.has_value() && !half_open_successes_to_close.has_value();
  }

  // Whether calls are timed.
  bool JudgesSlowCalls() const {
    return slow_call_duration.has_value() &&
           slow_call_rate_threshold.has_value();
  }

  friend bool operator==(const BreakerOptions& a, const BreakerOptions& b);
  friend bool operator!=(const BreakerOptions& a, const BreakerOptions& b) {
    return !(a == b);
  }
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_OPTIONS_H_
