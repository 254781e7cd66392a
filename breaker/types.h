// The vocabulary of a circuit breaker: states, modes, outcomes and reasons, and
// the names they go by in metrics, messages and logs.
//
//   permit.Record(Outcome::kFailure);
//   std::cout << ToString(State::kHalfOpen) << "\n";  // half_open
#ifndef AUTOBREAKER_BREAKER_TYPES_H_
#define AUTOBREAKER_BREAKER_TYPES_H_

#include "absl/strings/string_view.h"

namespace autobreaker {

// The numbers are the ones exported to Prometheus.
enum class State {
  kClosed = 0,    // calls pass and are judged
  kOpen = 1,      // calls are refused
  kHalfOpen = 2,  // a few calls pass, to find out whether the server is back
};
// For arrays by State.
inline constexpr int kStateCount = 3;

// Who decides.
enum class Mode {
  kAutomatic = 0,     // the breaker
  kForcedOpen = 1,    // the operator: every call is refused
  kForcedClosed = 2,  // the operator: nothing trips, and no call is refused but
                      // for max_calls_in_flight
  kShadow = 3,        // the breaker decides, but only counts what it would
                      // have refused; every call passes
};

// How a call ended, as far as the health of the server goes.
enum class Outcome {
  kSuccess = 0,
  kFailure = 1,
  kIgnored = 2,    // says nothing about the server, e.g. the caller cancelled
  kAbandoned = 3,  // nobody ever said how it ended; neutral
};

// Why a call was refused.
enum class RefusalReason {
  kOpen = 0,          // the breaker is open
  kHalfOpen = 1,      // half-open, and all probes are under way
  kRamp = 2,          // half-open, the server answers, and it was not its turn
  kForcedOpen = 3,    // the operator forced it open
  kTooManyCalls = 4,  // as many as max_calls_in_flight are under way
};
// For arrays by RefusalReason.
inline constexpr int kRefusalReasonCount = 5;

// Why the state changed.
enum class TransitionReason {
  // To open: these are trips.
  kFailureRate = 0,
  kConsecutiveFailures = 1,
  kSlowCallRate = 2,
  kProbeFailed = 3,
  kProbeSlow = 4,  // a probe succeeded, but took slow_call_duration or longer
  kForced = 5,     // by SetMode; also a reason to close
  kEvidence = 6,   // there was enough evidence
  // To half-open and closed.
  kOpenTimeElapsed = 7,
  kProbesSucceeded = 8,
};
// The reasons below this number can open a breaker.
inline constexpr int kTripReasonCount = 7;

// Those of absl::StatusCode, OK included, whose numbers are the ones of gRPC.
inline constexpr int kStatusCodeCount = 17;

// Lower-case names with underscores, as in metric labels. They never change.
absl::string_view ToString(State state);
absl::string_view ToString(Mode mode);
absl::string_view ToString(Outcome outcome);
absl::string_view ToString(RefusalReason reason);
absl::string_view ToString(TransitionReason reason);

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_TYPES_H_
