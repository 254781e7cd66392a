#include "autobreaker/tools/breakerctl/options.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/proto/admin.pb.h"

namespace autobreaker::breakerctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

testing::AssertionResult Makes(const v1::UpdateRequest& request,
                               const std::string& text) {
  v1::UpdateRequest expected;
  if (!google::protobuf::TextFormat::ParseFromString(text, &expected)) {
    return testing::AssertionFailure() << "no message: " << text;
  }
  if (google::protobuf::util::MessageDifferencer::Equals(request, expected)) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << request.DebugString();
}

testing::AssertionResult Assigns(const std::string& assignment,
                                 const std::string& text) {
  v1::UpdateRequest request;
  const absl::Status status = AddAssignment(assignment, &request);
  if (!status.ok()) return testing::AssertionFailure() << status.ToString();
  return Makes(request, text);
}

std::string ErrorOf(const std::string& assignment) {
  v1::UpdateRequest request;
  const absl::Status status = AddAssignment(assignment, &request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << assignment;
  return std::string(status.message());
}

TEST(AddAssignment, TakesEveryKindOfValue) {
  EXPECT_TRUE(Assigns("trip.minimum_calls=50",
                      "options { trip { minimum_calls: 50 } } "
                      "update_mask { paths: 'trip.minimum_calls' }"));
  EXPECT_TRUE(Assigns("trip.window_buckets=5",
                      "options { trip { window_buckets: 5 } } "
                      "update_mask { paths: 'trip.window_buckets' }"));
  EXPECT_TRUE(Assigns("open.duration_jitter=0.5",
                      "options { open { duration_jitter: 0.5 } } "
                      "update_mask { paths: 'open.duration_jitter' }"));
  EXPECT_TRUE(Assigns("open.duration=1m30.5s",
                      "options { open { duration { seconds: 90 "
                      "nanos: 500000000 } } } "
                      "update_mask { paths: 'open.duration' }"));
  EXPECT_TRUE(Assigns("open.pace_by_calls.off=true",
                      "options { open { pace_by_calls { off: true } } } "
                      "update_mask { paths: 'open.pace_by_calls.off' }"));
}

TEST(AddAssignment, GivesAZero) {
  EXPECT_TRUE(Assigns("trip.failure_rate_threshold=0",
                      "options { trip { failure_rate_threshold: 0 } } "
                      "update_mask { paths: 'trip.failure_rate_threshold' }"));
  EXPECT_TRUE(Assigns("trip.slow_call_duration=0",
                      "options { trip { slow_call_duration {} } } "
                      "update_mask { paths: 'trip.slow_call_duration' }"));
}

TEST(AddAssignment, ReachesIntoGroups) {
  EXPECT_TRUE(
      Assigns("trip.evidence.tolerated_burst=100ms",
              "options { trip { evidence { tolerated_burst { "
              "nanos: 100000000 } } } } "
              "update_mask { paths: 'trip.evidence.tolerated_burst' }"));
}

TEST(AddAssignment, TurnsGroupsOffAndOn) {
  EXPECT_TRUE(Assigns("trip.evidence=off",
                      "options { trip { evidence { off: true } } } "
                      "update_mask { paths: 'trip.evidence' }"));
  EXPECT_TRUE(Assigns("trip.evidence=on",
                      "options { trip { evidence {} } } "
                      "update_mask { paths: 'trip.evidence' }"));
}

TEST(AddAssignment, AddsToThoseBefore) {
  v1::UpdateRequest request;
  ASSERT_TRUE(AddAssignment("open.pace_by_calls.probe_share=1", &request).ok());
  ASSERT_TRUE(AddAssignment("trip.minimum_calls=5", &request).ok());
  ASSERT_TRUE(AddAssignment("trip.window_buckets=6", &request).ok());
  EXPECT_TRUE(Makes(request,
                    "options { open { pace_by_calls { probe_share: 1 } } "
                    "trip { minimum_calls: 5 window_buckets: 6 } } "
                    "update_mask { paths: 'open.pace_by_calls.probe_share' "
                    "paths: 'trip.minimum_calls' "
                    "paths: 'trip.window_buckets' }"));
}

TEST(AddAssignment, SaysWhatAFieldTakes) {
  EXPECT_EQ(ErrorOf("trip.minimum_calls=many"),
            "trip.minimum_calls takes a whole number, not \"many\"");
  EXPECT_EQ(ErrorOf("trip.minimum_calls=1.5"),
            "trip.minimum_calls takes a whole number, not \"1.5\"");
  EXPECT_EQ(ErrorOf("trip.minimum_calls="),
            "trip.minimum_calls takes a whole number, not \"\"");
  EXPECT_EQ(ErrorOf("trip.window_buckets=3000000000"),
            "trip.window_buckets takes a whole number, not \"3000000000\"");
  EXPECT_EQ(ErrorOf("open.duration_jitter=20%"),
            "open.duration_jitter takes a number, not \"20%\"");
  EXPECT_EQ(ErrorOf("trip.evidence.off=yes"),
            "trip.evidence.off takes true or false, not \"yes\"");
  EXPECT_EQ(ErrorOf("trip.evidence=1"),
            "trip.evidence takes on or off, not \"1\"");
  EXPECT_EQ(ErrorOf("trip=off"),
            "trip takes its options one by one, not \"off\"");
  for (const std::string value : {"10", "soon", "inf", "1.5ns", "100000000h"}) {
    EXPECT_EQ(ErrorOf("trip.window=" + value),
              "trip.window takes a duration such as 100ms or 1m30s, not \"" +
                  value + "\"");
  }
}

TEST(AddAssignment, NamesTheOptionsThereAre) {
  EXPECT_THAT(ErrorOf("minimum_call=5"),
              HasSubstr("no option \"minimum_call\"; there are trip, "
                        "trip.evidence, trip.evidence.off, "));
  for (const char* assignment :
       {"=5", "trip.window.seconds=5", "trip.=1", "trip.minimum_calls.x=1"}) {
    EXPECT_THAT(ErrorOf(assignment), HasSubstr("; there are trip, "));
  }
}

TEST(AddAssignment, NamesTheOptionsThatTheLastWordMayMean) {
  EXPECT_EQ(ErrorOf("consecutive_failures=3"),
            "no option \"consecutive_failures\"; there is "
            "trip.consecutive_failures");
  EXPECT_EQ(ErrorOf("trip.duration=2s"),
            "no option \"trip.duration\"; there is open.duration");
  EXPECT_EQ(ErrorOf("off=true"),
            "no option \"off\"; there are trip.evidence.off, "
            "open.pace_by_calls.off");
}

TEST(AddAssignment, NeedsAValue) {
  EXPECT_EQ(ErrorOf("trip.minimum_calls"),
            "\"trip.minimum_calls\" is not of the form field=value");
}

TEST(AddAssignment, TakesAFieldOnce) {
  v1::UpdateRequest request;
  ASSERT_TRUE(AddAssignment("trip.minimum_calls=5", &request).ok());
  EXPECT_EQ(AddAssignment("trip.minimum_calls=6", &request).message(),
            "trip.minimum_calls is named more than once");
  EXPECT_EQ(AddReset("trip.minimum_calls", &request).message(),
            "trip.minimum_calls is named more than once");
}

TEST(AddReset, NamesTheFieldOnly) {
  v1::UpdateRequest request;
  ASSERT_TRUE(AddReset("trip.evidence.tolerated_burst", &request).ok());
  EXPECT_TRUE(
      Makes(request, "update_mask { paths: 'trip.evidence.tolerated_burst' }"));
}

TEST(AddReset, TakesAGroup) {
  v1::UpdateRequest request;
  ASSERT_TRUE(AddReset("half_open", &request).ok());
  EXPECT_TRUE(Makes(request, "update_mask { paths: 'half_open' }"));
}

TEST(AddReset, NeedsAField) {
  v1::UpdateRequest request;
  EXPECT_THAT(std::string(AddReset("windows", &request).message()),
              HasSubstr("no option \"windows\""));
}

TEST(Assignments, AreWhatAddAssignmentTakes) {
  const std::vector<std::string> all = {
      "trip.evidence.normal_failure_rate=0.02",
      "trip.evidence.tolerated_burst=50ms",
      "trip.failure_rate_threshold=0",
      "trip.minimum_calls=20",
      "trip.window=1m30.5s",
      "trip.slow_call_duration=0",
      "open.pace_by_calls=off",
      "half_open.max_calls=3"};
  v1::UpdateRequest request;
  for (const std::string& assignment : all) {
    ASSERT_TRUE(AddAssignment(assignment, &request).ok()) << assignment;
  }
  EXPECT_EQ(Assignments(request.options()), all);
}

TEST(Assignments, OfAGroupThatIsOnAndGivesNothing) {
  v1::BreakerOptions options;
  options.mutable_trip()->mutable_evidence();
  EXPECT_THAT(Assignments(options), ElementsAre("trip.evidence=on"));
}

TEST(Assignments, OfAGroupThatGivesNothingAndCannotBeOffAreNone) {
  v1::BreakerOptions options;
  options.mutable_trip();
  EXPECT_THAT(Assignments(options), IsEmpty());
}

TEST(Assignments, OfFieldsAreThoseAndWhatTheyContain) {
  v1::BreakerOptions options;
  v1::TripOptions* const trip = options.mutable_trip();
  trip->mutable_evidence()->set_normal_failure_rate(0.1);
  trip->mutable_evidence()->set_break_even_failure_rate(0.5);
  trip->set_minimum_calls(20);
  trip->mutable_window()->set_seconds(1);
  options.mutable_open()->set_duration_jitter(1);
  google::protobuf::FieldMask fields;
  EXPECT_THAT(Assignments(options, fields), IsEmpty());
  fields.add_paths("trip.minimum_calls");
  fields.add_paths("trip.evidence");
  EXPECT_THAT(Assignments(options, fields),
              ElementsAre("trip.evidence.normal_failure_rate=0.1",
                          "trip.evidence.break_even_failure_rate=0.5",
                          "trip.minimum_calls=20"));
}

// What was set within a group shows that the group is off, too.
TEST(Assignments, OfAFieldInAGroupThatIsOff) {
  v1::BreakerOptions options;
  options.mutable_trip()->mutable_evidence()->set_off(true);
  google::protobuf::FieldMask fields;
  fields.add_paths("trip.evidence.tolerated_burst");
  EXPECT_THAT(Assignments(options, fields), ElementsAre("trip.evidence=off"));
}

}  // namespace
}  // namespace autobreaker::breakerctl
