#include "autobreaker/admin/internal/breaker_messages.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/breaker/status_classes.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/config/enum_numbers.h"

namespace autobreaker {
namespace {

google::protobuf::Timestamp MakeTimestamp(absl::Time time) {
  google::protobuf::Timestamp message;
  message.set_seconds(absl::ToUnixSeconds(time));
  message.set_nanos(
      static_cast<int32_t>((time - absl::FromUnixSeconds(message.seconds())) /
                           absl::Nanoseconds(1)));
  return message;
}

v1::Window MakeWindow(const CallCounts& window, double failure_rate) {
  v1::Window message;
  message.set_calls(window.finished());
  message.set_failures(window.failures);
  message.set_slow_calls(window.slow);
  if (!std::isnan(failure_rate)) message.set_failure_rate(failure_rate);
  return message;
}

v1::FailingPeers MakeFailingPeers(const FailingPeers& failing) {
  v1::FailingPeers message;
  message.set_failures(failing.failures);
  for (const FailingPeers::Peer& peer : failing.peers) {
    v1::FailingPeers::Peer* const added = message.add_peers();
    added->set_name(ReplaceInvalidUtf8(peer.name));
    added->set_failures(peer.failures);
  }
  return message;
}

void SetRefused(RefusalReason reason, uint64_t count, v1::Refusals* message) {
  switch (reason) {
    case RefusalReason::kOpen:
      return message->set_open(count);
    case RefusalReason::kHalfOpen:
      return message->set_half_open(count);
    case RefusalReason::kRamp:
      return message->set_ramp(count);
    case RefusalReason::kForcedOpen:
      return message->set_forced_open(count);
    case RefusalReason::kTooManyCalls:
      return message->set_too_many_calls(count);
  }
}

template <typename Counts>
v1::Refusals MakeRefusals(const Counts& counts) {
  v1::Refusals message;
  for (int reason = 0; reason < kRefusalReasonCount; ++reason) {
    SetRefused(static_cast<RefusalReason>(reason), counts[reason], &message);
  }
  return message;
}

constexpr v1::State MessageOf(State state) {
  switch (state) {
    case State::kClosed:
      return v1::CLOSED;
    case State::kOpen:
      return v1::OPEN;
    case State::kHalfOpen:
      return v1::HALF_OPEN;
  }
  return kNone<v1::State>;
}
static_assert(HaveSameNumbers<State>(MessageOf, v1::State_MIN, v1::State_MAX));
static_assert(v1::State_MAX + 1 == kStateCount);

constexpr v1::TransitionReason MessageOf(TransitionReason reason) {
  switch (reason) {
    case TransitionReason::kFailureRate:
      return v1::FAILURE_RATE;
    case TransitionReason::kConsecutiveFailures:
      return v1::CONSECUTIVE_FAILURES;
    case TransitionReason::kSlowCallRate:
      return v1::SLOW_CALL_RATE;
    case TransitionReason::kProbeFailed:
      return v1::PROBE_FAILED;
    case TransitionReason::kProbeSlow:
      return v1::PROBE_SLOW;
    case TransitionReason::kForced:
      return v1::FORCED;
    case TransitionReason::kEvidence:
      return v1::EVIDENCE;
    case TransitionReason::kOpenTimeElapsed:
      return v1::OPEN_TIME_ELAPSED;
    case TransitionReason::kProbesSucceeded:
      return v1::PROBES_SUCCEEDED;
  }
  return kNone<v1::TransitionReason>;
}
static_assert(HaveSameNumbers<TransitionReason>(MessageOf,
                                                v1::TransitionReason_MIN,
                                                v1::TransitionReason_MAX));

v1::Breaker::Counts MakeCounts(const RegisteredSnapshot& s) {
  v1::Breaker::Counts message;
  message.set_requests(s.requests);
  message.set_successes(s.successes);
  message.set_failures(s.failures);
  message.set_ignored(s.ignored);
  message.set_abandoned(s.abandoned);
  message.set_in_flight(s.in_flight);
  message.set_slow_calls(s.slow_calls);
  message.set_late_results(s.late_results);
  *message.mutable_refused() = MakeRefusals(s.refused);
  *message.mutable_shadow_refused() = MakeRefusals(s.shadow_refused);
  message.set_callback_exceptions(s.callback_exceptions);
  message.set_lost_transitions(s.lost_transitions);
  message.set_unpartitioned(s.unpartitioned);
  for (int from = 0; from < kStateCount; ++from) {
    for (int to = 0; to < kStateCount; ++to) {
      if (s.transitions[from][to] == 0) continue;
      v1::TransitionCount* const count = message.add_transitions();
      count->set_from(ToProto(static_cast<State>(from)));
      count->set_to(ToProto(static_cast<State>(to)));
      count->set_count(s.transitions[from][to]);
    }
  }
  for (int reason = 0; reason < kTripReasonCount; ++reason) {
    if (s.trips[reason] == 0) continue;
    v1::TripCount* const count = message.add_trips();
    count->set_reason(ToProto(static_cast<TransitionReason>(reason)));
    count->set_count(s.trips[reason]);
  }
  for (int code = 0; code < kStatusCodeCount; ++code) {
    if (s.status_codes[code] == 0) continue;
    v1::StatusCount* const count = message.add_statuses();
    count->set_code(ToProto(static_cast<absl::StatusCode>(code)));
    count->set_count(s.status_codes[code]);
  }
  return message;
}

// U+FFFD and two digits for a byte, as ReplaceInvalidUtf8() writes them.
std::string RestoreInvalidUtf8(absl::string_view text) {
  constexpr absl::string_view kReplaced = "\xEF\xBF\xBD";
  std::string restored;
  while (!text.empty()) {
    if (absl::ConsumePrefix(&text, kReplaced)) {
      const absl::string_view digits = text.substr(0, 2);
      if (digits.size() == 2 && absl::ascii_isxdigit(digits[0]) &&
          absl::ascii_isxdigit(digits[1])) {
        restored += absl::HexStringToBytes(digits);
        text.remove_prefix(2);
      } else {
        restored.append(kReplaced.data(), kReplaced.size());
      }
    } else {
      restored.push_back(text.front());
      text.remove_prefix(1);
    }
  }
  return restored;
}

}  // namespace

v1::State ToProto(State state) { return MessageOf(state); }

v1::TransitionReason ToProto(TransitionReason reason) {
  return MessageOf(reason);
}

v1::Breaker ToProto(const RegisteredSnapshot& s) {
  v1::Breaker message;
  *message.mutable_key() = ToProto(s.key);
  message.set_state(ToProto(s.state));
  message.set_mode(ToProto(s.mode));
  if (s.mode_remaining != absl::InfiniteDuration()) {
    *message.mutable_mode_remaining() = ToProto(s.mode_remaining);
    message.set_next_mode(ToProto(s.next_mode));
  }
  message.set_unguarded(s.unguarded);
  if (s.status_classes.has_value()) {
    *message.mutable_classification() = ToProto(*s.status_classes);
  }
  *message.mutable_options() = ToProto(s.options);
  *message.mutable_counts() = MakeCounts(s);
  *message.mutable_window() = MakeWindow(s.window, s.failure_rate);
  message.set_consecutive_failures(s.consecutive_failures);
  message.set_consecutive_successes(s.consecutive_successes);
  if (!std::isnan(s.evidence)) message.set_evidence(s.evidence);
  if (s.failures_until_trip.has_value()) {
    message.set_failures_until_trip(*s.failures_until_trip);
  }
  message.set_probes_in_flight(s.probes_in_flight);
  message.set_probe_successes(s.probe_successes);
  if (s.state == State::kOpen && s.open_remaining != absl::InfiniteDuration()) {
    *message.mutable_open_remaining() = ToProto(s.open_remaining);
  }
  message.set_reopenings(s.reopenings);
  *message.mutable_last_transition_time() =
      MakeTimestamp(s.last_transition_time);
  if (s.failing_peers.failures > 0) {
    *message.mutable_failing_peers() = MakeFailingPeers(s.failing_peers);
  }
  if (s.last_trip.has_value()) {
    *message.mutable_last_trip() = ToProto(*s.last_trip);
  }
  return message;
}

v1::Transition ToProto(const Transition& t) {
  v1::Transition message;
  *message.mutable_key() = ToProto(t.key);
  message.set_number(t.number);
  message.set_from(ToProto(t.from));
  message.set_to(ToProto(t.to));
  message.set_reason(ToProto(t.reason));
  *message.mutable_time() = MakeTimestamp(t.time);
  *message.mutable_window() = MakeWindow(t.window, t.failure_rate);
  message.set_consecutive_failures(t.consecutive_failures);
  if (t.to == State::kOpen && t.open_for != absl::InfiniteDuration()) {
    *message.mutable_open_for() = ToProto(t.open_for);
  }
  if (t.failing_peers.failures > 0) {
    *message.mutable_failing_peers() = MakeFailingPeers(t.failing_peers);
  }
  return message;
}

v1::Policy ToProto(const PolicyOrigin& origin) {
  v1::Policy message;
  if (origin.configured_scope.has_value()) {
    *message.mutable_configured_for() = ToProto(*origin.configured_scope);
  }
  *message.mutable_program_for() = ToProto(origin.program_scope);
  *message.mutable_program_options() = ToProto(origin.program_options);
  *message.mutable_options() = ToProto(origin.policy.options);
  message.set_mode(ToProto(origin.policy.mode));
  *message.mutable_default_options() = ToProto(BreakerOptions());
  return message;
}

BreakerKey KeyShownAs(const v1::BreakerKey& shown) {
  return {RestoreInvalidUtf8(shown.name()), RestoreInvalidUtf8(shown.service()),
          RestoreInvalidUtf8(shown.method()),
          RestoreInvalidUtf8(shown.partition())};
}

}  // namespace autobreaker
