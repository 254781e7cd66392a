#include "autobreaker/breaker/types.h"

namespace autobreaker {

absl::string_view ToString(State state) {
  switch (state) {
    case State::kClosed:
      return "closed";
    case State::kOpen:
      return "open";
    case State::kHalfOpen:
      return "half_open";
  }
  return "unknown";
}

absl::string_view ToString(Mode mode) {
  switch (mode) {
    case Mode::kAutomatic:
      return "automatic";
    case Mode::kForcedOpen:
      return "forced_open";
    case Mode::kForcedClosed:
      return "forced_closed";
    case Mode::kShadow:
      return "shadow";
  }
  return "unknown";
}

absl::string_view ToString(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess:
      return "success";
    case Outcome::kFailure:
      return "failure";
    case Outcome::kIgnored:
      return "ignored";
    case Outcome::kAbandoned:
      return "abandoned";
  }
  return "unknown";
}

absl::string_view ToString(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kOpen:
      return "open";
    case RefusalReason::kHalfOpen:
      return "half_open";
    case RefusalReason::kForcedOpen:
      return "forced_open";
    case RefusalReason::kRamp:
      return "ramp";
    case RefusalReason::kTooManyCalls:
      return "too_many_calls";
  }
  return "unknown";
}

absl::string_view ToString(TransitionReason reason) {
  switch (reason) {
    case TransitionReason::kFailureRate:
      return "failure_rate";
    case TransitionReason::kConsecutiveFailures:
      return "consecutive_failures";
    case TransitionReason::kSlowCallRate:
      return "slow_call_rate";
    case TransitionReason::kProbeFailed:
      return "probe_failed";
    case TransitionReason::kProbeSlow:
      return "probe_slow";
    case TransitionReason::kForced:
      return "forced";
    case TransitionReason::kEvidence:
      return "evidence";
    case TransitionReason::kOpenTimeElapsed:
      return "open_time_elapsed";
    case TransitionReason::kProbesSucceeded:
      return "probes_succeeded";
  }
  return "unknown";
}

}  // namespace autobreaker
