#include "autobreaker/config/convert.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/config/enum_numbers.h"

namespace autobreaker {
namespace {

// As protobuf defines Duration.
constexpr int64_t kMostSeconds = 315'576'000'000;
constexpr int32_t kMostNanos = 999'999'999;

// Lays fields over options, and stops at the first that is no value at all.
class Merger {
 public:
  template <typename Message, typename To>
  void Duration(absl::string_view field, const Message& from, To* to) {
    if (!status_.ok()) return;
    absl::Duration duration;
    if (absl::Status s = MakeDuration(from, &duration); !s.ok()) {
      status_ =
          absl::InvalidArgumentError(absl::StrCat(field, " is ", s.message()));
      return;
    }
    *to = duration;
  }

  // Whether `off` is given alone, or not at all. `given` is whether anything
  // is beside it.
  bool IsOff(absl::string_view field, bool off, bool given) {
    if (off && given && status_.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat(
          field, ".off is true, must stand alone where it is given"));
    }
    return off;
  }

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

// 0 turns an option off.
template <typename T>
std::optional<T> Unless0(T value) {
  if (value == T()) return std::nullopt;
  return value;
}

void MergeEvidence(const v1::EvidenceOptions& m, Merger& merger,
                   std::optional<EvidenceOptions>* to) {
  const bool given = m.has_normal_failure_rate() ||
                     m.has_break_even_failure_rate() ||
                     m.has_calls_per_false_opening() || m.has_tolerated_burst();
  if (merger.IsOff("trip.evidence", m.off(), given)) return to->reset();
  if (!to->has_value()) to->emplace();
  EvidenceOptions& evidence = **to;
  if (m.has_normal_failure_rate()) {
    evidence.normal_failure_rate = m.normal_failure_rate();
  }
  if (m.has_break_even_failure_rate()) {
    evidence.break_even_failure_rate = m.break_even_failure_rate();
  }
  if (m.has_calls_per_false_opening()) {
    evidence.calls_per_false_opening = m.calls_per_false_opening();
  }
  if (m.has_tolerated_burst()) {
    merger.Duration("trip.evidence.tolerated_burst", m.tolerated_burst(),
                    &evidence.tolerated_burst);
  }
}

void MergeTrip(const v1::TripOptions& m, Merger& merger, TripOptions* trip) {
  if (m.has_evidence()) MergeEvidence(m.evidence(), merger, &trip->evidence);
  if (m.has_failure_rate_threshold()) {
    trip->failure_rate_threshold = Unless0(m.failure_rate_threshold());
  }
  if (m.has_minimum_calls()) trip->minimum_calls = m.minimum_calls();
  if (m.has_window()) merger.Duration("trip.window", m.window(), &trip->window);
  if (m.has_window_buckets()) trip->window_buckets = m.window_buckets();
  if (m.has_consecutive_failures()) {
    trip->consecutive_failures = Unless0(m.consecutive_failures());
  }
  if (m.has_slow_call_duration()) {
    merger.Duration("trip.slow_call_duration", m.slow_call_duration(),
                    &trip->slow_call_duration);
    if (trip->slow_call_duration == absl::ZeroDuration()) {
      trip->slow_call_duration.reset();
    }
  }
  if (m.has_slow_call_rate_threshold()) {
    trip->slow_call_rate_threshold = Unless0(m.slow_call_rate_threshold());
  }
}

void MergePacing(const v1::CallPacing& m, Merger& merger,
                 std::optional<CallPacing>* to) {
  if (merger.IsOff("open.pace_by_calls", m.off(), m.has_probe_share())) {
    return to->reset();
  }
  if (!to->has_value()) to->emplace();
  if (m.has_probe_share()) (*to)->probe_share = m.probe_share();
}

void MergeOpen(const v1::OpenOptions& m, Merger& merger, OpenOptions* open) {
  if (m.has_pace_by_calls()) {
    MergePacing(m.pace_by_calls(), merger, &open->pace_by_calls);
  }
  if (m.has_duration()) {
    merger.Duration("open.duration", m.duration(), &open->duration);
  }
  if (m.has_duration_multiplier()) {
    open->duration_multiplier = m.duration_multiplier();
  }
  if (m.has_duration_max()) {
    merger.Duration("open.duration_max", m.duration_max(), &open->duration_max);
  }
  if (m.has_duration_jitter()) open->duration_jitter = m.duration_jitter();
}

void MergeHalfOpen(const v1::HalfOpenOptions& m, Merger& merger,
                   HalfOpenOptions* half_open) {
  if (m.has_successes_to_close()) {
    half_open->successes_to_close = Unless0(m.successes_to_close());
  }
  if (m.has_max_calls()) half_open->max_calls = m.max_calls();
  if (m.has_lease()) {
    merger.Duration("half_open.lease", m.lease(), &half_open->lease);
  }
}

v1::TripOptions MessageOf(const TripOptions& trip) {
  v1::TripOptions m;
  if (trip.evidence.has_value()) {
    v1::EvidenceOptions* const to = m.mutable_evidence();
    to->set_normal_failure_rate(trip.evidence->normal_failure_rate);
    to->set_break_even_failure_rate(trip.evidence->break_even_failure_rate);
    to->set_calls_per_false_opening(trip.evidence->calls_per_false_opening);
    *to->mutable_tolerated_burst() = ToProto(trip.evidence->tolerated_burst);
  } else {
    m.mutable_evidence()->set_off(true);
  }
  m.set_failure_rate_threshold(trip.failure_rate_threshold.value_or(0));
  m.set_minimum_calls(trip.minimum_calls);
  *m.mutable_window() = ToProto(trip.window);
  m.set_window_buckets(trip.window_buckets);
  m.set_consecutive_failures(trip.consecutive_failures.value_or(0));
  *m.mutable_slow_call_duration() =
      ToProto(trip.slow_call_duration.value_or(absl::ZeroDuration()));
  m.set_slow_call_rate_threshold(trip.slow_call_rate_threshold.value_or(0));
  return m;
}

v1::OpenOptions MessageOf(const OpenOptions& open) {
  v1::OpenOptions m;
  if (open.pace_by_calls.has_value()) {
    m.mutable_pace_by_calls()->set_probe_share(open.pace_by_calls->probe_share);
  } else {
    m.mutable_pace_by_calls()->set_off(true);
  }
  *m.mutable_duration() = ToProto(open.duration);
  m.set_duration_multiplier(open.duration_multiplier);
  *m.mutable_duration_max() = ToProto(open.duration_max);
  m.set_duration_jitter(open.duration_jitter);
  return m;
}

v1::HalfOpenOptions MessageOf(const HalfOpenOptions& half_open) {
  v1::HalfOpenOptions m;
  m.set_successes_to_close(half_open.successes_to_close.value_or(0));
  m.set_max_calls(half_open.max_calls);
  *m.mutable_lease() = ToProto(half_open.lease);
  return m;
}

constexpr v1::Mode MessageOf(Mode mode) {
  switch (mode) {
    case Mode::kAutomatic:
      return v1::AUTOMATIC;
    case Mode::kForcedOpen:
      return v1::FORCED_OPEN;
    case Mode::kForcedClosed:
      return v1::FORCED_CLOSED;
    case Mode::kShadow:
      return v1::SHADOW;
  }
  return kNone<v1::Mode>;
}
static_assert(HaveSameNumbers<Mode>(MessageOf, v1::Mode_MIN, v1::Mode_MAX));

constexpr v1::Code MessageOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return v1::OK;
    case absl::StatusCode::kCancelled:
      return v1::CANCELLED;
    case absl::StatusCode::kUnknown:
      return v1::UNKNOWN;
    case absl::StatusCode::kInvalidArgument:
      return v1::INVALID_ARGUMENT;
    case absl::StatusCode::kDeadlineExceeded:
      return v1::DEADLINE_EXCEEDED;
    case absl::StatusCode::kNotFound:
      return v1::NOT_FOUND;
    case absl::StatusCode::kAlreadyExists:
      return v1::ALREADY_EXISTS;
    case absl::StatusCode::kPermissionDenied:
      return v1::PERMISSION_DENIED;
    case absl::StatusCode::kResourceExhausted:
      return v1::RESOURCE_EXHAUSTED;
    case absl::StatusCode::kFailedPrecondition:
      return v1::FAILED_PRECONDITION;
    case absl::StatusCode::kAborted:
      return v1::ABORTED;
    case absl::StatusCode::kOutOfRange:
      return v1::OUT_OF_RANGE;
    case absl::StatusCode::kUnimplemented:
      return v1::UNIMPLEMENTED;
    case absl::StatusCode::kInternal:
      return v1::INTERNAL;
    case absl::StatusCode::kUnavailable:
      return v1::UNAVAILABLE;
    case absl::StatusCode::kDataLoss:
      return v1::DATA_LOSS;
    case absl::StatusCode::kUnauthenticated:
      return v1::UNAUTHENTICATED;
    default:  // abseil keeps the right to have more
      return kNone<v1::Code>;
  }
}
static_assert(HaveSameNumbers<absl::StatusCode>(MessageOf, v1::Code_MIN,
                                                v1::Code_MAX));
static_assert(v1::Code_MAX + 1 == kStatusCodeCount);

absl::Status AddCodes(absl::string_view field,
                      const google::protobuf::RepeatedField<int>& codes,
                      StatusCodeSet* seen, StatusCodeSet* to) {
  for (int i = 0; i < codes.size(); ++i) {
    const int code = codes.Get(i);
    const auto error = [&](absl::string_view must) {
      std::string name = v1::Code_Name(static_cast<v1::Code>(code));
      if (name.empty()) name = absl::StrCat(code);
      return absl::InvalidArgumentError(
          absl::StrCat(field, "[", i, "] is ", name, ", must be ", must));
    };
    if (code <= 0 || code >= kStatusCodeCount) {
      return error("a status code other than OK");
    }
    if (seen->Contains(code)) return error("given only once");
    seen->Insert(code);
    to->Insert(code);
  }
  return absl::OkStatus();
}

StatusCodeSet Without(StatusCodeSet some, StatusCodeSet all) {
  return StatusCodeSet::FromBits(all.bits() & ~some.bits());
}

void ListCodes(StatusCodeSet from, google::protobuf::RepeatedField<int>* to) {
  for (int code = 0; code < kStatusCodeCount; ++code) {
    if (from.Contains(code)) {
      to->Add(ToProto(static_cast<absl::StatusCode>(code)));
    }
  }
}

}  // namespace

absl::Status MergeOptions(const v1::BreakerOptions& message,
                          BreakerOptions* options) {
  Merger merger;
  MergeTrip(message.trip(), merger, &options->trip);
  MergeOpen(message.open(), merger, &options->open);
  MergeHalfOpen(message.half_open(), merger, &options->half_open);
  if (message.has_max_calls_in_flight()) {
    options->max_calls_in_flight = Unless0(message.max_calls_in_flight());
  }
  return merger.status();
}

v1::BreakerOptions ToProto(const BreakerOptions& options) {
  v1::BreakerOptions message;
  *message.mutable_trip() = MessageOf(options.trip);
  *message.mutable_open() = MessageOf(options.open);
  *message.mutable_half_open() = MessageOf(options.half_open);
  message.set_max_calls_in_flight(options.max_calls_in_flight.value_or(0));
  return message;
}

absl::Status MakeStatusClasses(const v1::Classification& message,
                               StatusClasses* classes) {
  StatusClasses given;
  StatusCodeSet seen;
  absl::Status status = AddCodes("classification.failures", message.failures(),
                                 &seen, &given.failures);
  if (!status.ok()) return status;
  status = AddCodes("classification.ignored", message.ignored(), &seen,
                    &given.ignored);
  if (!status.ok()) return status;
  const StatusClasses defaults = StatusClasses::Default();
  classes->failures = message.failures().empty()
                          ? Without(seen, defaults.failures)
                          : given.failures;
  classes->ignored = message.ignored().empty() ? Without(seen, defaults.ignored)
                                               : given.ignored;
  return absl::OkStatus();
}

v1::Classification ToProto(const StatusClasses& classes) {
  v1::Classification message;
  ListCodes(classes.failures, message.mutable_failures());
  ListCodes(classes.ignored, message.mutable_ignored());
  return message;
}

absl::Status MakeMode(v1::Mode message, Mode* mode) {
  if (!v1::Mode_IsValid(message)) {
    return absl::InvalidArgumentError(
        absl::StrCat("mode is ", static_cast<int>(message),
                     ", must be AUTOMATIC, FORCED_OPEN, FORCED_CLOSED or "
                     "SHADOW"));
  }
  *mode = static_cast<Mode>(message);
  return absl::OkStatus();
}

v1::Mode ToProto(Mode mode) { return MessageOf(mode); }

v1::Code ToProto(absl::StatusCode code) { return MessageOf(code); }

BreakerKey MakeKey(const v1::BreakerKey& message) {
  return {message.name(), message.service(), message.method(),
          message.partition()};
}

v1::BreakerKey ToProto(const BreakerKey& key) {
  v1::BreakerKey message;
  message.set_name(ReplaceInvalidUtf8(key.name));
  message.set_service(ReplaceInvalidUtf8(key.service));
  message.set_method(ReplaceInvalidUtf8(key.method));
  message.set_partition(ReplaceInvalidUtf8(key.partition));
  return message;
}

absl::Status MakeDuration(const google::protobuf::Duration& message,
                          absl::Duration* duration) {
  const int64_t seconds = message.seconds();
  const int32_t nanos = message.nanos();
  if (seconds > kMostSeconds || seconds < -kMostSeconds || nanos > kMostNanos ||
      nanos < -kMostNanos || (seconds > 0 && nanos < 0) ||
      (seconds < 0 && nanos > 0)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "{seconds ", seconds, ", nanos ", nanos,
        "}, must be at most 10,000 years, and both parts of one sign"));
  }
  *duration = absl::Seconds(seconds) + absl::Nanoseconds(nanos);
  return absl::OkStatus();
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration message;
  message.set_seconds(
      absl::IDivDuration(duration, absl::Seconds(1), &duration));
  message.set_nanos(static_cast<int32_t>(
      absl::IDivDuration(duration, absl::Nanoseconds(1), &duration)));
  return message;
}

}  // namespace autobreaker
