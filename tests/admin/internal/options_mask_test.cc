#include "autobreaker/admin/internal/options_mask.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/field_mask_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/proto/config.pb.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using google::protobuf::util::FieldMaskUtil;
using google::protobuf::util::MessageDifferencer;

// The configuration's: unlike the breaker's and unlike the defaults.
BreakerOptions Base() {
  BreakerOptions options;
  options.trip.evidence->normal_failure_rate = 0.03;
  options.trip.evidence->break_even_failure_rate = 0.33;
  options.trip.evidence->tolerated_burst = absl::Milliseconds(33);
  options.trip.minimum_calls = 33;
  options.trip.window = absl::Milliseconds(33'333);
  options.trip.consecutive_failures = 33;
  options.open.pace_by_calls->probe_share = 0.33;
  options.open.duration = absl::Milliseconds(333);
  options.half_open.max_calls = 33;
  return options;
}

// The breaker's.
BreakerOptions Current() {
  BreakerOptions options;
  options.trip.evidence->normal_failure_rate = 0.04;
  options.trip.evidence->break_even_failure_rate = 0.44;
  options.trip.evidence->tolerated_burst = absl::Milliseconds(44);
  options.trip.minimum_calls = 44;
  options.trip.window = absl::Milliseconds(44'444);
  options.trip.consecutive_failures = 44;
  options.open.pace_by_calls->probe_share = 0.44;
  options.open.duration = absl::Milliseconds(444);
  options.half_open.max_calls = 44;
  return options;
}

BreakerOptions Off(BreakerOptions options) {
  options.trip.evidence.reset();
  return options;
}

// `mask` has paths with commas between.
absl::Status Merge(absl::string_view mask, const std::string& message,
                   const BreakerOptions& base, BreakerOptions* options) {
  v1::BreakerOptions parsed;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(message, &parsed));
  google::protobuf::FieldMask paths;
  for (const absl::string_view path :
       absl::StrSplit(mask, ',', absl::SkipEmpty())) {
    paths.add_paths(std::string(path));
  }
  return MergeMaskedOptions(parsed, paths, base, options);
}

BreakerOptions Merged(absl::string_view mask, const std::string& message,
                      const BreakerOptions& current = Current(),
                      const BreakerOptions& base = Base()) {
  BreakerOptions options = current;
  EXPECT_TRUE(Merge(mask, message, base, &options).ok());
  return options;
}

// The paths of all fields that have no fields, but for what turns others off.
std::vector<std::string> Leaves(const google::protobuf::Descriptor* group =
                                    v1::BreakerOptions::descriptor(),
                                const std::string& prefix = "") {
  std::vector<std::string> paths;
  for (int i = 0; i < group->field_count(); ++i) {
    const auto* const field = group->field(i);
    const std::string path = prefix + std::string(field->name());
    if (field->message_type() != nullptr &&
        field->message_type() != google::protobuf::Duration::descriptor()) {
      const auto in_it = Leaves(field->message_type(), path + ".");
      paths.insert(paths.end(), in_it.begin(), in_it.end());
    } else if (field->name() != "off") {
      paths.push_back(path);
    }
  }
  return paths;
}

TEST(OptionsMask, TakesWhatIsGivenAndLeavesTheRest) {
  BreakerOptions expected = Current();
  expected.trip.minimum_calls = 55;
  EXPECT_EQ(Merged("trip.minimum_calls",
                   "trip {minimum_calls: 55 window {seconds: 5}} "
                   "open {duration {seconds: 5}}"),
            expected);
}

TEST(OptionsMask, WhatIsTakenAndNotGivenGoesBackToTheBase) {
  BreakerOptions expected = Current();
  expected.trip.minimum_calls = 33;
  expected.half_open.max_calls = 33;
  EXPECT_EQ(Merged("trip.minimum_calls,half_open.max_calls", ""), expected);
}

TEST(OptionsMask, EachFieldIsTakenAlone) {
  // Every field of the base is unlike that of the breaker.
  BreakerOptions base;
  base.trip.evidence = EvidenceOptions{0.03, 0.33, 33, absl::Milliseconds(33)};
  base.trip.failure_rate_threshold = 0.33;
  base.trip.minimum_calls = 33;
  base.trip.window = absl::Seconds(33);
  base.trip.window_buckets = 33;
  base.trip.consecutive_failures = 33;
  base.trip.slow_call_duration = absl::Seconds(33);
  base.trip.slow_call_rate_threshold = 0.33;
  base.open.pace_by_calls->probe_share = 0.33;
  base.open.duration = absl::Milliseconds(33);
  base.open.duration_multiplier = 3;
  base.open.duration_max = absl::Seconds(33);
  base.open.duration_jitter = 0.33;
  base.half_open.successes_to_close = 33;
  base.half_open.max_calls = 33;
  base.half_open.lease = absl::Seconds(33);
  base.max_calls_in_flight = 33;
  const v1::BreakerOptions from = ToProto(base);

  const std::vector<std::string> paths = Leaves();
  EXPECT_EQ(paths.size(), 20u);
  for (const std::string& path : paths) {
    // The same whether it is given or goes back.
    v1::BreakerOptions changed = ToProto(Current());
    google::protobuf::FieldMask mask;
    mask.add_paths(path);
    const v1::BreakerOptions before = changed;
    FieldMaskUtil::MergeOptions replace;
    replace.set_replace_message_fields(true);
    FieldMaskUtil::MergeMessageTo(from, mask, replace, &changed);
    EXPECT_FALSE(MessageDifferencer::Equals(changed, before)) << path;
    for (const v1::BreakerOptions& given : {from, v1::BreakerOptions()}) {
      BreakerOptions options = Current();
      ASSERT_TRUE(MergeMaskedOptions(given, mask, base, &options).ok());
      EXPECT_TRUE(MessageDifferencer::Equals(ToProto(options), changed))
          << path << "\n"
          << ToProto(options).DebugString();
    }
  }
}

TEST(OptionsMask, AGivenDurationIsNotMixedWithThatOfTheBase) {
  EXPECT_EQ(Merged("trip.window", "trip {window {seconds: 5}}").trip.window,
            absl::Seconds(5));
}

TEST(OptionsMask, WithoutAMaskAllThatIsGivenIsTaken) {
  BreakerOptions expected = Current();
  expected.trip.minimum_calls = 55;
  expected.trip.evidence->tolerated_burst = absl::Seconds(5);
  EXPECT_EQ(
      Merged(
          "",
          "trip {minimum_calls: 55 evidence {tolerated_burst {seconds: 5}}}"),
      expected);
}

TEST(OptionsMask, WithoutAMaskAndWithNothingGivenNothingChanges) {
  EXPECT_EQ(Merged("", ""), Current());
  EXPECT_EQ(Merged("", "trip {} open {} half_open {}", Off(Current())),
            Off(Current()));
}

// ---------------------------------------------------------------- A whole
// group

TEST(OptionsMask, AGroupThatIsNotGivenGoesBackAndLeavesTheOthers) {
  BreakerOptions trip = Current();
  trip.trip = Base().trip;
  EXPECT_EQ(Merged("trip", ""), trip);
  BreakerOptions open = Current();
  open.open = Base().open;
  EXPECT_EQ(Merged("open", ""), open);
  BreakerOptions half_open = Current();
  half_open.half_open = Base().half_open;
  EXPECT_EQ(Merged("half_open", ""), half_open);
}

TEST(OptionsMask, OfAGroupAsAWholeTheRestGoesBack) {
  BreakerOptions expected = Current();
  expected.trip = Base().trip;
  expected.trip.minimum_calls = 55;
  EXPECT_EQ(
      Merged("trip", "trip {minimum_calls: 55} open {duration {seconds: 5}}"),
      expected);
}

TEST(OptionsMask, WithItsGroupEvidenceIsOnOrOffAsGivenOrElseAsInTheBase) {
  BreakerOptions expected = Current();
  expected.trip = Base().trip;
  EXPECT_EQ(Merged("trip", "", Off(Current())), expected);
  EXPECT_EQ(Merged("trip", "trip {evidence {off: true}}"), Off(expected));
  EXPECT_EQ(Merged("trip", "trip {evidence {}}", Off(Current())), expected);
  EXPECT_EQ(Merged("trip", "", Current(), Off(Base())), Off(expected));
  EXPECT_EQ(Merged("trip", "trip {minimum_calls: 33}", Current(), Off(Base())),
            Off(expected));
}

TEST(OptionsMask, AnotherGroupLeavesEvidenceAsItIs) {
  EXPECT_FALSE(Merged("open", "", Off(Current())).trip.evidence.has_value());
  EXPECT_TRUE(
      Merged("open", "", Current(), Off(Base())).trip.evidence.has_value());
}

TEST(OptionsMask, TheStarTakesEveryField) {
  BreakerOptions expected = Base();
  expected.trip.minimum_calls = 55;
  EXPECT_EQ(Merged("*", "trip {minimum_calls: 55}"), expected);
}

TEST(OptionsMask, TheStarWithNothingGivenIsAllOfTheBase) {
  EXPECT_EQ(Merged("*", ""), Base());
  EXPECT_EQ(Merged("trip.minimum_calls,*", "", Off(Current())), Base());
  EXPECT_EQ(Merged("*", "", Current(), Off(Base())), Off(Base()));
}

// ------------------------------------------------------------- What can be off

TEST(OptionsMask, ZeroTurnsOffWhatItTurnsOff) {
  EXPECT_EQ(
      Merged("trip.consecutive_failures", "trip {consecutive_failures: 0}")
          .trip.consecutive_failures,
      std::nullopt);
}

TEST(OptionsMask, APartOfEvidenceIsTakenAlone) {
  BreakerOptions expected = Current();
  expected.trip.evidence->tolerated_burst = absl::Seconds(5);
  EXPECT_EQ(Merged("trip.evidence.tolerated_burst",
                   "trip {evidence {tolerated_burst {seconds: 5} "
                   "normal_failure_rate: 0.05}}"),
            expected);
}

TEST(OptionsMask, APartOfEvidenceGoesBackAlone) {
  BreakerOptions expected = Current();
  expected.trip.evidence->tolerated_burst = absl::Milliseconds(33);
  EXPECT_EQ(Merged("trip.evidence.tolerated_burst", ""), expected);
}

TEST(OptionsMask, APartGoesBackToTheDefaultWhereTheBaseHasItOff) {
  BreakerOptions expected = Current();
  expected.trip.evidence->tolerated_burst = EvidenceOptions().tolerated_burst;
  EXPECT_EQ(Merged("trip.evidence.tolerated_burst", "", Current(), Off(Base())),
            expected);
}

TEST(OptionsMask, AllOfEvidenceGoesBackWhereItIsNotGiven) {
  BreakerOptions expected = Current();
  expected.trip.evidence = Base().trip.evidence;
  EXPECT_EQ(Merged("trip.evidence", ""), expected);
  EXPECT_EQ(Merged("trip.evidence", "", Off(Current())), expected);
  EXPECT_EQ(Merged("trip.evidence", "", Current(), Off(Base())),
            Off(Current()));
}

TEST(OptionsMask, OfEvidenceAsAWholeTheRestGoesBack) {
  BreakerOptions expected = Current();
  expected.trip.evidence = Base().trip.evidence;
  expected.trip.evidence->tolerated_burst = absl::Seconds(5);
  EXPECT_EQ(
      Merged("trip.evidence", "trip {evidence {tolerated_burst {seconds: 5}}}"),
      expected);
}

TEST(OptionsMask, EvidenceIsTurnedOffAsAWholeOrByItsSwitch) {
  for (const auto mask :
       {"", "*", "trip", "trip.evidence", "trip.evidence.off"}) {
    EXPECT_EQ(Merged(mask, "trip {evidence {off: true}}", Current(), Current()),
              Off(Current()))
        << mask;
  }
}

TEST(OptionsMask, OffStaysOffWhileOnlyPartsGoBack) {
  EXPECT_EQ(Merged("trip.evidence.tolerated_burst", "", Off(Current())),
            Off(Current()));
  EXPECT_EQ(
      Merged("trip.minimum_calls", "trip {minimum_calls: 44}", Off(Current())),
      Off(Current()));
}

TEST(OptionsMask, ASwitchThatIsNotTakenIsNotHeeded) {
  EXPECT_EQ(Merged("trip.evidence.tolerated_burst,trip.minimum_calls",
                   "trip {minimum_calls: 44 evidence {off: true "
                   "tolerated_burst {nanos: 44000000}}}"),
            Current());
}

TEST(OptionsMask, APartThatIsGivenTurnsEvidenceOn) {
  BreakerOptions expected = Current();
  expected.trip.evidence = EvidenceOptions();
  expected.trip.evidence->tolerated_burst = absl::Seconds(5);
  EXPECT_EQ(
      Merged("trip.evidence.tolerated_burst",
             "trip {evidence {tolerated_burst {seconds: 5}}}", Off(Current())),
      expected);
}

TEST(OptionsMask, EvidenceIsTurnedOnByItsSwitch) {
  BreakerOptions expected = Current();
  expected.trip.evidence = EvidenceOptions();
  EXPECT_EQ(Merged("trip.evidence.off", "trip {evidence {off: false}}",
                   Off(Current())),
            expected);
  EXPECT_EQ(Merged("trip.evidence.off", "trip {evidence {off: false}}"),
            Current());
}

TEST(OptionsMask, TheSwitchGoesBackToTheBase) {
  EXPECT_EQ(Merged("trip.evidence.off", "", Current(), Off(Base())),
            Off(Current()));
  EXPECT_EQ(Merged("trip.evidence.off", "", Current(), Base()), Current());
}

TEST(OptionsMask, PacingIsTurnedOffAndOnAsEvidenceIs) {
  BreakerOptions off = Current();
  off.open.pace_by_calls.reset();
  EXPECT_EQ(
      Merged("open.pace_by_calls.off", "open {pace_by_calls {off: true}}"),
      off);
  BreakerOptions on = off;
  on.open.pace_by_calls = CallPacing();
  on.open.pace_by_calls->probe_share = 0.5;
  EXPECT_EQ(Merged("open.pace_by_calls.probe_share",
                   "open {pace_by_calls {probe_share: 0.5}}", off),
            on);
}

TEST(OptionsMask, APathThatIsNoFieldIsRefused) {
  for (const std::string path :
       {"foo", "trip.foo", "trip.evidence.foo", "trip.window.seconds",
        "trip.minimum_calls.foo", "trip.evidence.tolerated_burst.nanos",
        "trip.", "trip.evidence.", "trip..window", "..trip", "minimum_calls",
        "open.window", "options.trip.window"}) {
    BreakerOptions options = Current();
    const absl::Status status = Merge(path, "", Base(), &options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(),
              "update_mask has \"" + path + "\", must be a field of options");
  }
}

TEST(OptionsMask, AnEmptyPathIsRefused) {
  google::protobuf::FieldMask mask;
  mask.add_paths("");
  BreakerOptions options = Current();
  EXPECT_EQ(
      MergeMaskedOptions(v1::BreakerOptions(), mask, Base(), &options).code(),
      absl::StatusCode::kInvalidArgument);
}

TEST(OptionsMask, OffBesideAPartThatIsTakenTooIsRefused) {
  BreakerOptions options = Current();
  const absl::Status status = Merge(
      "trip.evidence", "trip {evidence {off: true normal_failure_rate: 0.1}}",
      Base(), &options);
  EXPECT_EQ(status.message(),
            "trip.evidence.off is true, must stand alone where it is given");
}

}  // namespace
}  // namespace autobreaker
