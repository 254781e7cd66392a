#include "autobreaker/admin/internal/options_mask.h"

#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/text_format.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/proto/config.pb.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

// The configuration's: unlike the breaker's and unlike the defaults.
BreakerOptions Base() {
  BreakerOptions options;
  options.trip.evidence->normal_failure_rate = 0.03;
  options.trip.evidence->broken_failure_rate = 0.33;
  options.trip.evidence->tolerated_burst = absl::Milliseconds(33);
  options.trip.minimum_calls = 33;
  options.trip.window = absl::Milliseconds(33'333);
  options.trip.consecutive_failures = 33;
  options.open.pace_by_calls->probe_share = 0.33;
  return options;
}

// The breaker's.
BreakerOptions Current() {
  BreakerOptions options;
  options.trip.evidence->normal_failure_rate = 0.04;
  options.trip.evidence->broken_failure_rate = 0.44;
  options.trip.evidence->tolerated_burst = absl::Milliseconds(44);
  options.trip.minimum_calls = 44;
  options.trip.window = absl::Milliseconds(44'444);
  options.trip.consecutive_failures = 44;
  options.open.pace_by_calls->probe_share = 0.44;
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

TEST(OptionsMask, TakesWhatIsGivenAndLeavesTheRest) {
  BreakerOptions expected = Current();
  expected.trip.minimum_calls = 55;
  EXPECT_EQ(Merged("minimum_calls", "minimum_calls: 55 window {seconds: 5}"),
            expected);
}

TEST(OptionsMask, WhatIsTakenAndNotGivenGoesBackToTheBase) {
  BreakerOptions expected = Current();
  expected.trip.minimum_calls = 33;
  expected.trip.window = absl::Milliseconds(33'333);
  EXPECT_EQ(Merged("minimum_calls,window", ""), expected);
}

TEST(OptionsMask, AGivenDurationIsNotMixedWithThatOfTheBase) {
  EXPECT_EQ(Merged("window", "window {seconds: 5}").trip.window,
            absl::Seconds(5));
}

TEST(OptionsMask, WithoutAMaskAllThatIsGivenIsTaken) {
  BreakerOptions expected = Current();
  expected.trip.minimum_calls = 55;
  expected.trip.evidence->tolerated_burst = absl::Seconds(5);
  EXPECT_EQ(
      Merged("", "minimum_calls: 55 sequential {tolerated_burst {seconds: 5}}"),
      expected);
}

TEST(OptionsMask, WithoutAMaskAndWithNothingGivenNothingChanges) {
  EXPECT_EQ(Merged("", ""), Current());
}

TEST(OptionsMask, TheStarTakesEveryField) {
  BreakerOptions expected = Base();
  expected.trip.minimum_calls = 55;
  EXPECT_EQ(Merged("*", "minimum_calls: 55"), expected);
}

TEST(OptionsMask, TheStarWithNothingGivenIsAllOfTheBase) {
  EXPECT_EQ(Merged("*", ""), Base());
  EXPECT_EQ(Merged("minimum_calls,*", "", Off(Current())), Base());
  EXPECT_EQ(Merged("*", "", Current(), Off(Base())), Off(Base()));
}

TEST(OptionsMask, ZeroTurnsOffWhatItTurnsOff) {
  EXPECT_EQ(Merged("consecutive_failures", "consecutive_failures: 0")
                .trip.consecutive_failures,
            std::nullopt);
}

TEST(OptionsMask, APartOfSequentialIsTakenAlone) {
  BreakerOptions expected = Current();
  expected.trip.evidence->tolerated_burst = absl::Seconds(5);
  EXPECT_EQ(Merged("sequential.tolerated_burst",
                   "sequential {tolerated_burst {seconds: 5} "
                   "normal_failure_rate: 0.05}"),
            expected);
}

TEST(OptionsMask, APartOfSequentialGoesBackAlone) {
  BreakerOptions expected = Current();
  expected.trip.evidence->tolerated_burst = absl::Milliseconds(33);
  EXPECT_EQ(Merged("sequential.tolerated_burst", ""), expected);
}

TEST(OptionsMask, APartGoesBackToTheDefaultWhereTheBaseHasItOff) {
  BreakerOptions expected = Current();
  expected.trip.evidence->tolerated_burst = EvidenceOptions().tolerated_burst;
  EXPECT_EQ(Merged("sequential.tolerated_burst", "", Current(), Off(Base())),
            expected);
}

TEST(OptionsMask, AllOfSequentialGoesBackWhereItIsNotGiven) {
  BreakerOptions expected = Current();
  expected.trip.evidence = Base().trip.evidence;
  EXPECT_EQ(Merged("sequential", ""), expected);
  EXPECT_EQ(Merged("sequential", "", Off(Current())), expected);
  EXPECT_EQ(Merged("sequential", "", Current(), Off(Base())), Off(Current()));
}

TEST(OptionsMask, OfSequentialAsAWholeTheRestGoesBack) {
  BreakerOptions expected = Current();
  expected.trip.evidence = Base().trip.evidence;
  expected.trip.evidence->tolerated_burst = absl::Seconds(5);
  EXPECT_EQ(Merged("sequential", "sequential {tolerated_burst {seconds: 5}}"),
            expected);
}

TEST(OptionsMask, SequentialIsTurnedOffAsAWholeOrByItsSwitch) {
  for (const auto mask : {"", "*", "sequential", "sequential.off"}) {
    EXPECT_EQ(Merged(mask, "sequential {off: true}", Current(), Current()),
              Off(Current()))
        << mask;
  }
}

TEST(OptionsMask, OffStaysOffWhileOnlyPartsGoBack) {
  EXPECT_EQ(Merged("sequential.tolerated_burst", "", Off(Current())),
            Off(Current()));
  EXPECT_EQ(Merged("minimum_calls", "minimum_calls: 44", Off(Current())),
            Off(Current()));
}

TEST(OptionsMask, ASwitchThatIsNotTakenIsNotHeeded) {
  EXPECT_EQ(Merged("sequential.tolerated_burst,minimum_calls",
                   "minimum_calls: 44 sequential {off: true "
                   "tolerated_burst {nanos: 44000000}}"),
            Current());
}

TEST(OptionsMask, APartThatIsGivenTurnsSequentialOn) {
  BreakerOptions expected = Current();
  expected.trip.evidence = EvidenceOptions();
  expected.trip.evidence->tolerated_burst = absl::Seconds(5);
  EXPECT_EQ(Merged("sequential.tolerated_burst",
                   "sequential {tolerated_burst {seconds: 5}}", Off(Current())),
            expected);
}

TEST(OptionsMask, SequentialIsTurnedOnByItsSwitch) {
  BreakerOptions expected = Current();
  expected.trip.evidence = EvidenceOptions();
  EXPECT_EQ(Merged("sequential.off", "sequential {off: false}", Off(Current())),
            expected);
  EXPECT_EQ(Merged("sequential.off", "sequential {off: false}"), Current());
}

TEST(OptionsMask, TheSwitchGoesBackToTheBase) {
  EXPECT_EQ(Merged("sequential.off", "", Current(), Off(Base())),
            Off(Current()));
  EXPECT_EQ(Merged("sequential.off", "", Current(), Base()), Current());
}

TEST(OptionsMask, PacingIsTurnedOffAndOnAsSequentialIs) {
  BreakerOptions off = Current();
  off.open.pace_by_calls.reset();
  EXPECT_EQ(Merged("pace_by_calls.off", "pace_by_calls {off: true}"), off);
  BreakerOptions on = off;
  on.open.pace_by_calls = CallPacing();
  on.open.pace_by_calls->probe_share = 0.5;
  EXPECT_EQ(Merged("pace_by_calls.probe_share",
                   "pace_by_calls {probe_share: 0.5}", off),
            on);
}

TEST(OptionsMask, APathThatIsNoFieldIsRefused) {
  for (const std::string path :
       {"foo", "sequential.foo", "window.seconds", "minimum_calls.foo",
        "sequential.tolerated_burst.nanos", "sequential.", "..window",
        "options.trip.window"}) {
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
  const absl::Status status =
      Merge("sequential", "sequential {off: true normal_failure_rate: 0.1}",
            Base(), &options);
  EXPECT_EQ(status.message(),
            "sequential.off is true, must stand alone where it is given");
}

}  // namespace
}  // namespace autobreaker
