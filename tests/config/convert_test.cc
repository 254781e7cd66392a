#include "autobreaker/config/convert.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <cctype>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ErrorOf(const v1::BreakerOptions& message) {
  BreakerOptions options;
  const absl::Status status = MergeOptions(message, &options);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

BreakerOptions Merged(const v1::BreakerOptions& message,
                      BreakerOptions options = {}) {
  const absl::Status status = MergeOptions(message, &options);
  EXPECT_TRUE(status.ok()) << status;
  return options;
}

// Every field other than its default, and every optional one set or not.
BreakerOptions RandomOptions(std::mt19937_64& random) {
  const auto pick = [&random](int64_t most) {
    return 1 + static_cast<int64_t>(random() % most);
  };
  const auto coin = [&pick] { return pick(2) == 1; };
  const auto rate = [&pick] { return static_cast<double>(pick(99)) / 100; };
  const auto time = [&pick] {
    return absl::Nanoseconds(pick(1'000'000'000'000));
  };
  BreakerOptions o;
  o.trip.evidence.reset();
  if (coin()) {
    o.trip.evidence.emplace();
    o.trip.evidence->normal_failure_rate = rate();
    o.trip.evidence->break_even_failure_rate = rate();
    o.trip.evidence->calls_per_false_opening = pick(1'000'000'000'000);
    o.trip.evidence->tolerated_burst = time();
  }
  if (coin()) o.trip.failure_rate_threshold = rate();
  o.trip.minimum_calls = pick(1'000'000);
  o.trip.window = time();
  o.trip.window_buckets = static_cast<int>(pick(60));
  if (coin()) o.trip.consecutive_failures = pick(1'000'000);
  if (coin()) o.trip.slow_call_duration = time();
  if (coin()) o.trip.slow_call_rate_threshold = rate();
  o.open.pace_by_calls.reset();
  if (coin()) {
    o.open.pace_by_calls.emplace();
    o.open.pace_by_calls->probe_share = rate();
  }
  o.open.duration = time();
  o.open.duration_multiplier = rate();
  o.open.duration_max = time();
  o.open.duration_jitter = rate();
  if (coin()) o.half_open.successes_to_close = pick(1'000'000);
  o.half_open.max_calls = pick(10'000);
  o.half_open.lease = time();
  if (coin()) o.max_calls_in_flight = pick(1'000'000'000);
  return o;
}

// Of each field of each group: both. Of one in no group: null and the field.
template <typename F>
void ForEachField(F f) {
  const auto* const options = v1::BreakerOptions::descriptor();
  for (int i = 0; i < options->field_count(); ++i) {
    const FieldDescriptor* const group = options->field(i);
    if (group->message_type() == nullptr) {
      f(nullptr, group);
      continue;
    }
    for (int j = 0; j < group->message_type()->field_count(); ++j) {
      f(group, group->message_type()->field(j));
    }
  }
}

// The message that has the fields of the group.
Message* Part(const FieldDescriptor* group, v1::BreakerOptions* options) {
  return group == nullptr
             ? options
             : options->GetReflection()->MutableMessage(options, group);
}

// Puts the field as it is in `from` in the place of that in `*to`.
void CopyField(const FieldDescriptor* group, const FieldDescriptor* field,
               const v1::BreakerOptions& from, v1::BreakerOptions* to) {
  v1::BreakerOptions alone = from;
  ForEachField([&](const FieldDescriptor* g, const FieldDescriptor* f) {
    if (f == field) return;
    Message* const part = Part(g, &alone);
    part->GetReflection()->ClearField(part, f);
  });
  Message* const part = Part(group, to);
  part->GetReflection()->ClearField(part, field);
  to->MergeFrom(alone);
}

TEST(ConvertOptionsTest, AllOfThemMergedIntoAnyMakeThemEqual) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const BreakerOptions options = RandomOptions(random);
    ASSERT_TRUE(Merged(ToProto(options), RandomOptions(random)) == options);
  }
}

TEST(ConvertOptionsTest, NothingGivenChangesNothing) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    const BreakerOptions options = RandomOptions(random);
    ASSERT_TRUE(Merged(v1::BreakerOptions(), options) == options);
    v1::BreakerOptions empty_groups;
    empty_groups.mutable_trip();
    empty_groups.mutable_open();
    empty_groups.mutable_half_open();
    ASSERT_TRUE(Merged(empty_groups, options) == options);
  }
}

TEST(ConvertOptionsTest, OneFieldChangesThatAlone) {
  std::mt19937_64 random(1);
  const BreakerOptions before = RandomOptions(random);
  const BreakerOptions after = RandomOptions(random);
  int fields = 0;
  ForEachField([&](const FieldDescriptor* group, const FieldDescriptor* field) {
    v1::BreakerOptions one;
    CopyField(group, field, ToProto(after), &one);
    v1::BreakerOptions expected = ToProto(before);
    CopyField(group, field, ToProto(after), &expected);
    const v1::BreakerOptions result = ToProto(Merged(one, before));
    EXPECT_TRUE(MessageDifferencer::Equals(result, expected))
        << field->full_name() << "\n"
        << result.DebugString() << "not\n"
        << expected.DebugString();
    ++fields;
  });
  EXPECT_EQ(fields, 17);
}

TEST(ConvertOptionsTest, ZeroTurnsOff) {
  v1::BreakerOptions message;
  message.mutable_trip()->set_failure_rate_threshold(0);
  message.mutable_trip()->set_consecutive_failures(0);
  message.mutable_trip()->mutable_slow_call_duration();
  message.mutable_trip()->set_slow_call_rate_threshold(0);
  message.mutable_half_open()->set_successes_to_close(0);
  message.set_max_calls_in_flight(0);
  BreakerOptions options;
  options.max_calls_in_flight = 5;
  options.trip.failure_rate_threshold = 0.5;
  options.trip.consecutive_failures = 5;
  options.trip.slow_call_duration = absl::Seconds(1);
  options.trip.slow_call_rate_threshold = 0.5;
  options.half_open.successes_to_close = 5;
  EXPECT_TRUE(Merged(message, options) == BreakerOptions());
}

TEST(ConvertOptionsTest, SubfieldKeepsItsSiblings) {
  v1::BreakerOptions message;
  message.mutable_trip()->mutable_evidence()->set_break_even_failure_rate(0.5);
  BreakerOptions options;
  options.trip.evidence->normal_failure_rate = 0.1;
  const BreakerOptions merged = Merged(message, options);
  EXPECT_EQ(merged.trip.evidence->normal_failure_rate, 0.1);
  EXPECT_EQ(merged.trip.evidence->break_even_failure_rate, 0.5);
}

TEST(ConvertOptionsTest, SubfieldOfWhatIsOffTurnsItOn) {
  v1::BreakerOptions message;
  message.mutable_trip()->mutable_evidence()->set_break_even_failure_rate(0.5);
  message.mutable_open()->mutable_pace_by_calls();
  BreakerOptions options;
  options.trip.evidence.reset();
  options.open.pace_by_calls.reset();
  const BreakerOptions merged = Merged(message, options);
  EXPECT_EQ(merged.trip.evidence->normal_failure_rate,
            EvidenceOptions().normal_failure_rate);
  EXPECT_TRUE(merged.open.pace_by_calls.has_value());
}

TEST(ConvertOptionsTest, OffMustStandAlone) {
  v1::BreakerOptions message;
  message.mutable_trip()->mutable_evidence()->set_off(true);
  message.mutable_trip()->mutable_evidence()->mutable_tolerated_burst();
  EXPECT_EQ(ErrorOf(message),
            "trip.evidence.off is true, must stand alone where it is given");
  message.Clear();
  message.mutable_open()->mutable_pace_by_calls()->set_off(true);
  message.mutable_open()->mutable_pace_by_calls()->set_probe_share(0.1);
  EXPECT_EQ(
      ErrorOf(message),
      "open.pace_by_calls.off is true, must stand alone where it is given");
}

TEST(ConvertOptionsTest, DurationThatIsNoneIsNamed) {
  v1::BreakerOptions message;
  message.mutable_trip()->mutable_window()->set_seconds(1);
  message.mutable_trip()->mutable_window()->set_nanos(-1);
  EXPECT_EQ(ErrorOf(message),
            "trip.window is {seconds 1, nanos -1}, must be at most 10,000 "
            "years, and both parts of one sign");
}

TEST(ConvertOptionsTest, EveryDurationThatIsNoneIsNamedByItsPath) {
  int durations = 0;
  const auto expect_named = [&](const std::string& path, Message* parent,
                                const FieldDescriptor* field,
                                const v1::BreakerOptions& message) {
    if (field->message_type() != google::protobuf::Duration::descriptor()) {
      return;
    }
    google::protobuf::Duration none;
    none.set_nanos(1'000'000'000);
    parent->GetReflection()->MutableMessage(parent, field)->CopyFrom(none);
    EXPECT_THAT(ErrorOf(message), StartsWith(path + " is {seconds 0, "));
    ++durations;
  };
  ForEachField([&](const FieldDescriptor* group, const FieldDescriptor* field) {
    if (group == nullptr) return;  // no duration
    v1::BreakerOptions message;
    Message* const part = Part(group, &message);
    expect_named(std::string(group->name()) + "." + std::string(field->name()),
                 part, field, message);
  });
  v1::BreakerOptions message;
  expect_named(
      "trip.evidence.tolerated_burst",
      message.mutable_trip()->mutable_evidence(),
      v1::EvidenceOptions::descriptor()->FindFieldByName("tolerated_burst"),
      message);
  EXPECT_EQ(durations, 6);
}

TEST(ConvertOptionsTest, NumbersOutOfRangeAreLeftToValidate) {
  v1::BreakerOptions message;
  v1::TripOptions* const trip = message.mutable_trip();
  trip->set_minimum_calls(-5);
  trip->set_failure_rate_threshold(std::numeric_limits<double>::quiet_NaN());
  trip->set_window_buckets(std::numeric_limits<int32_t>::max());
  const absl::Status status = Merged(message).Validate();
  EXPECT_THAT(std::string(status.message()), HasSubstr("minimum_calls is -5"));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("failure_rate_threshold is nan"));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("window_buckets is 2147483647"));
}

// ----------------------------------------------------------------- Durations

TEST(ConvertDurationTest, ComesBackAsItWas) {
  for (const absl::Duration duration :
       {absl::ZeroDuration(), absl::Nanoseconds(1), absl::Nanoseconds(-1),
        absl::Milliseconds(1500), absl::Milliseconds(-1500),
        absl::Hours(24 * 365)}) {
    absl::Duration back;
    ASSERT_TRUE(MakeDuration(ToProto(duration), &back).ok());
    EXPECT_EQ(back, duration);
  }
}

TEST(ConvertDurationTest, OutOfProtobufsRangeIsRefused) {
  for (const int64_t seconds :
       {int64_t{315'576'000'001}, int64_t{-315'576'000'001},
        std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    google::protobuf::Duration message;
    message.set_seconds(seconds);
    absl::Duration duration;
    EXPECT_EQ(MakeDuration(message, &duration).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

// ------------------------------------------------------- Codes, modes, keys

TEST(ConvertClassificationTest, ComesBackAsItWas) {
  const StatusClasses classes = {
      {absl::StatusCode::kUnavailable, absl::StatusCode::kInternal},
      {absl::StatusCode::kCancelled}};
  StatusClasses back;
  ASSERT_TRUE(MakeStatusClasses(ToProto(classes), &back).ok());
  EXPECT_TRUE(back == classes);
}

TEST(ConvertClassificationTest, OkIsRefused) {
  v1::Classification message;
  message.add_failures(v1::UNAVAILABLE);
  message.add_failures(v1::OK);
  StatusClasses classes;
  EXPECT_EQ(std::string(MakeStatusClasses(message, &classes).message()),
            "classification.failures[1] is OK, must be a status code other "
            "than OK");
}

TEST(ConvertClassificationTest, CodeGivenTwiceIsRefused) {
  v1::Classification message;
  message.add_failures(v1::UNAVAILABLE);
  message.add_ignored(v1::UNAVAILABLE);
  StatusClasses classes;
  EXPECT_EQ(std::string(MakeStatusClasses(message, &classes).message()),
            "classification.ignored[0] is UNAVAILABLE, must be given only "
            "once");
}

TEST(ConvertClassificationTest, NumberThatIsNoCodeIsRefused) {
  for (const int code : {-1, 17, 1000}) {
    v1::Classification message;
    message.add_ignored(static_cast<v1::Code>(code));
    StatusClasses classes;
    EXPECT_EQ(std::string(MakeStatusClasses(message, &classes).message()),
              "classification.ignored[0] is " + std::to_string(code) +
                  ", must be a status code other than OK");
  }
}

TEST(ConvertModeTest, ComesBackAsItWas) {
  for (const Mode mode : {Mode::kAutomatic, Mode::kForcedOpen,
                          Mode::kForcedClosed, Mode::kShadow}) {
    Mode back;
    ASSERT_TRUE(MakeMode(ToProto(mode), &back).ok());
    EXPECT_EQ(back, mode);
    std::string name(ToString(mode));
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(v1::Mode_Name(ToProto(mode)), name);
    EXPECT_EQ(static_cast<int>(ToProto(mode)), static_cast<int>(mode));
  }
}

TEST(ConvertModeTest, NumberThatIsNoneIsRefused) {
  Mode mode;
  EXPECT_EQ(std::string(MakeMode(static_cast<v1::Mode>(9), &mode).message()),
            "mode is 9, must be AUTOMATIC, FORCED_OPEN, FORCED_CLOSED or "
            "SHADOW");
}

TEST(ConvertCodeTest, NumbersAndNamesAreThoseOfGrpc) {
  for (int code = 0; code < kStatusCodeCount; ++code) {
    const v1::Code message = ToProto(static_cast<absl::StatusCode>(code));
    EXPECT_EQ(static_cast<int>(message), code);
    EXPECT_EQ(v1::Code_Name(message),
              absl::StatusCodeToString(static_cast<absl::StatusCode>(code)));
  }
}

TEST(ConvertKeyTest, ComesBackAsItWas) {
  const BreakerKey key = {"payments", "shop.Orders", "Place"};
  EXPECT_TRUE(MakeKey(ToProto(key)) == key);
}

TEST(ConvertKeyTest, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_TRUE(MakeKey(ToProto(BreakerKey{"\xff"})).name != "\xff");
  EXPECT_TRUE(ToProto(BreakerKey{"\xff"}).SerializeAsString().size() > 3);
}

}  // namespace
}  // namespace autobreaker
