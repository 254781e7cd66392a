#include "autobreaker/config/convert.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "autobreaker/breaker/internal/utf8.h"

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

void MergeSequential(const v1::SequentialTrip& m, Merger& merger,
                     std::optional<EvidenceOptions>* to) {
  const bool given = m.has_normal_failure_rate() ||
                     m.has_broken_failure_rate() ||
                     m.has_calls_per_false_opening() || m.has_tolerated_burst();
  if (merger.IsOff("sequential", m.off(), given)) return to->reset();
  if (!to->has_value()) to->emplace();
  EvidenceOptions& trip = **to;
  if (m.has_normal_failure_rate()) {
    trip.normal_failure_rate = m.normal_failure_rate();
  }
  if (m.has_broken_failure_rate()) {
    trip.broken_failure_rate = m.broken_failure_rate();
  }
  if (m.has_calls_per_false_opening()) {
    trip.calls_per_false_opening = m.calls_per_false_opening();
  }
  if (m.has_tolerated_burst()) {
    merger.Duration("sequential.tolerated_burst", m.tolerated_burst(),
                    &trip.tolerated_burst);
  }
}

void MergePacing(const v1::CallPacing& m, Merger& merger,
                 std::optional<CallPacing>* to) {
  if (merger.IsOff("pace_by_calls", m.off(), m.has_probe_share())) {
    return to->reset();
  }
  if (!to->has_value()) to->emplace();
  if (m.has_probe_share()) (*to)->probe_share = m.probe_share();
}

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

void ListCodes(StatusCodeSet from, google::protobuf::RepeatedField<int>* to) {
  for (int code = 0; code < kStatusCodeCount; ++code) {
    if (from.Contains(code)) to->Add(code);
  }
}

}  // namespace

absl::Status MergeOptions(const v1::BreakerOptions& m, BreakerOptions* o) {
  Merger merger;
  if (m.has_sequential()) {
    MergeSequential(m.sequential(), merger, &o->trip.evidence);
  }
  if (m.has_failure_rate_threshold()) {
    o->trip.failure_rate_threshold = Unless0(m.failure_rate_threshold());
  }
  if (m.has_minimum_calls()) o->trip.minimum_calls = m.minimum_calls();
  if (m.has_window()) merger.Duration("window", m.window(), &o->trip.window);
  if (m.has_window_buckets()) o->trip.window_buckets = m.window_buckets();
  if (m.has_consecutive_failures()) {
    o->trip.consecutive_failures = Unless0(m.consecutive_failures());
  }
  if (m.has_slow_call_duration()) {
    merger.Duration("slow_call_duration", m.slow_call_duration(),
                    &o->trip.slow_call_duration);
    if (o->trip.slow_call_duration == absl::ZeroDuration()) {
      o->trip.slow_call_duration.reset();
    }
  }
  if (m.has_slow_call_rate_threshold()) {
    o->trip.slow_call_rate_threshold = Unless0(m.slow_call_rate_threshold());
  }
  if (m.has_pace_by_calls()) {
    MergePacing(m.pace_by_calls(), merger, &o->open.pace_by_calls);
  }
  if (m.has_open_duration()) {
    merger.Duration("open_duration", m.open_duration(), &o->open.duration);
  }
  if (m.has_open_duration_multiplier()) {
    o->open.duration_multiplier = m.open_duration_multiplier();
  }
  if (m.has_open_duration_max()) {
    merger.Duration("open_duration_max", m.open_duration_max(),
                    &o->open.duration_max);
  }
  if (m.has_open_duration_jitter()) {
    o->open.duration_jitter = m.open_duration_jitter();
  }
  if (m.has_half_open_successes_to_close()) {
    o->half_open.successes_to_close = Unless0(m.half_open_successes_to_close());
  }
  if (m.has_half_open_max_calls()) {
    o->half_open.max_calls = m.half_open_max_calls();
  }
  if (m.has_half_open_lease()) {
    merger.Duration("half_open_lease", m.half_open_lease(),
                    &o->half_open.lease);
  }
  return merger.status();
}

v1::BreakerOptions ToProto(const BreakerOptions& o) {
  v1::BreakerOptions m;
  if (o.trip.evidence.has_value()) {
    const EvidenceOptions& trip = *o.trip.evidence;
    v1::SequentialTrip* const to = m.mutable_sequential();
    to->set_normal_failure_rate(trip.normal_failure_rate);
    to->set_broken_failure_rate(trip.broken_failure_rate);
    to->set_calls_per_false_opening(trip.calls_per_false_opening);
    *to->mutable_tolerated_burst() = ToProto(trip.tolerated_burst);
  } else {
    m.mutable_sequential()->set_off(true);
  }
  m.set_failure_rate_threshold(o.trip.failure_rate_threshold.value_or(0));
  m.set_minimum_calls(o.trip.minimum_calls);
  *m.mutable_window() = ToProto(o.trip.window);
  m.set_window_buckets(o.trip.window_buckets);
  m.set_consecutive_failures(o.trip.consecutive_failures.value_or(0));
  *m.mutable_slow_call_duration() =
      ToProto(o.trip.slow_call_duration.value_or(absl::ZeroDuration()));
  m.set_slow_call_rate_threshold(o.trip.slow_call_rate_threshold.value_or(0));
  if (o.open.pace_by_calls.has_value()) {
    m.mutable_pace_by_calls()->set_probe_share(
        o.open.pace_by_calls->probe_share);
  } else {
    m.mutable_pace_by_calls()->set_off(true);
  }
  *m.mutable_open_duration() = ToProto(o.open.duration);
  m.set_open_duration_multiplier(o.open.duration_multiplier);
  *m.mutable_open_duration_max() = ToProto(o.open.duration_max);
  m.set_open_duration_jitter(o.open.duration_jitter);
  m.set_half_open_successes_to_close(
      o.half_open.successes_to_close.value_or(0));
  m.set_half_open_max_calls(o.half_open.max_calls);
  *m.mutable_half_open_lease() = ToProto(o.half_open.lease);
  return m;
}

absl::Status MakeStatusClasses(const v1::Classification& message,
                               StatusClasses* classes) {
  *classes = StatusClasses();
  StatusCodeSet seen;
  absl::Status status = AddCodes("classification.failures", message.failures(),
                                 &seen, &classes->failures);
  if (!status.ok()) return status;
  return AddCodes("classification.ignored", message.ignored(), &seen,
                  &classes->ignored);
}

v1::Classification ToProto(const StatusClasses& classes) {
  v1::Classification message;
  ListCodes(classes.failures, message.mutable_failures());
  ListCodes(classes.ignored, message.mutable_ignored());
  return message;
}

absl::Status MakeMode(v1::Mode message, Mode* mode) {
  switch (message) {
    case v1::MODE_UNSPECIFIED:
    case v1::AUTOMATIC:
      *mode = Mode::kAutomatic;
      return absl::OkStatus();
    case v1::FORCED_OPEN:
      *mode = Mode::kForcedOpen;
      return absl::OkStatus();
    case v1::FORCED_CLOSED:
      *mode = Mode::kForcedClosed;
      return absl::OkStatus();
    case v1::SHADOW:
      *mode = Mode::kShadow;
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "mode is ", static_cast<int>(message),
          ", must be AUTOMATIC, FORCED_OPEN, FORCED_CLOSED or SHADOW"));
  }
}

v1::Mode ToProto(Mode mode) {
  return static_cast<v1::Mode>(static_cast<int>(mode) + 1);
}

BreakerKey MakeKey(const v1::BreakerKey& message) {
  return {message.name(), message.service(), message.method()};
}

v1::BreakerKey ToProto(const BreakerKey& key) {
  v1::BreakerKey message;
  message.set_name(ReplaceInvalidUtf8(key.name));
  message.set_service(ReplaceInvalidUtf8(key.service));
  message.set_method(ReplaceInvalidUtf8(key.method));
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
