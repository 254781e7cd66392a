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
  EXPECT_TRUE(Assigns("minimum_calls=50",
                      "options { minimum_calls: 50 } "
                      "update_mask { paths: 'minimum_calls' }"));
  EXPECT_TRUE(Assigns("window_buckets=5",
                      "options { window_buckets: 5 } "
                      "update_mask { paths: 'window_buckets' }"));
  EXPECT_TRUE(Assigns("open_duration_jitter=0.5",
                      "options { open_duration_jitter: 0.5 } "
                      "update_mask { paths: 'open_duration_jitter' }"));
  EXPECT_TRUE(Assigns("open_duration=1m30.5s",
                      "options { open_duration { seconds: 90 "
                      "nanos: 500000000 } } "
                      "update_mask { paths: 'open_duration' }"));
  EXPECT_TRUE(Assigns("pace_by_calls.off=true",
                      "options { pace_by_calls { off: true } } "
                      "update_mask { paths: 'pace_by_calls.off' }"));
}

TEST(AddAssignment, GivesAZero) {
  EXPECT_TRUE(Assigns("failure_rate_threshold=0",
                      "options { failure_rate_threshold: 0 } "
                      "update_mask { paths: 'failure_rate_threshold' }"));
  EXPECT_TRUE(Assigns("slow_call_duration=0",
                      "options { slow_call_duration {} } "
                      "update_mask { paths: 'slow_call_duration' }"));
}

TEST(AddAssignment, ReachesIntoGroups) {
  EXPECT_TRUE(Assigns("sequential.tolerated_burst=100ms",
                      "options { sequential { tolerated_burst { "
                      "nanos: 100000000 } } } "
                      "update_mask { paths: 'sequential.tolerated_burst' }"));
}

TEST(AddAssignment, TurnsGroupsOffAndOn) {
  EXPECT_TRUE(Assigns("sequential=off",
                      "options { sequential { off: true } } "
                      "update_mask { paths: 'sequential' }"));
  EXPECT_TRUE(Assigns("sequential=on",
                      "options { sequential {} } "
                      "update_mask { paths: 'sequential' }"));
}

TEST(AddAssignment, AddsToThoseBefore) {
  v1::UpdateRequest request;
  ASSERT_TRUE(AddAssignment("pace_by_calls.probe_share=1", &request).ok());
  ASSERT_TRUE(AddAssignment("minimum_calls=5", &request).ok());
  EXPECT_TRUE(Makes(request,
                    "options { pace_by_calls { probe_share: 1 } "
                    "minimum_calls: 5 } update_mask { "
                    "paths: 'pace_by_calls.probe_share' "
                    "paths: 'minimum_calls' }"));
}

TEST(AddAssignment, SaysWhatAFieldTakes) {
  EXPECT_EQ(ErrorOf("minimum_calls=many"),
            "minimum_calls takes a whole number, not \"many\"");
  EXPECT_EQ(ErrorOf("minimum_calls=1.5"),
            "minimum_calls takes a whole number, not \"1.5\"");
  EXPECT_EQ(ErrorOf("minimum_calls="),
            "minimum_calls takes a whole number, not \"\"");
  EXPECT_EQ(ErrorOf("window_buckets=3000000000"),
            "window_buckets takes a whole number, not \"3000000000\"");
  EXPECT_EQ(ErrorOf("open_duration_jitter=20%"),
            "open_duration_jitter takes a number, not \"20%\"");
  EXPECT_EQ(ErrorOf("sequential.off=yes"),
            "sequential.off takes true or false, not \"yes\"");
  EXPECT_EQ(ErrorOf("sequential=1"), "sequential takes on or off, not \"1\"");
  for (const std::string value : {"10", "soon", "inf", "1.5ns", "100000000h"}) {
    EXPECT_EQ(ErrorOf("window=" + value),
              "window takes a duration such as 100ms or 1m30s, not \"" + value +
                  "\"");
  }
}

TEST(AddAssignment, NamesTheOptionsThereAre) {
  EXPECT_THAT(ErrorOf("minimum_call=5"),
              HasSubstr("no option \"minimum_call\"; there are sequential, "
                        "sequential.off, "));
  for (const char* assignment :
       {"=5", "window.seconds=5", "sequential.=1", "minimum_calls.x=1"}) {
    EXPECT_THAT(ErrorOf(assignment), HasSubstr("no option"));
  }
}

TEST(AddAssignment, NeedsAValue) {
  EXPECT_EQ(ErrorOf("minimum_calls"),
            "\"minimum_calls\" is not of the form field=value");
}

TEST(AddAssignment, TakesAFieldOnce) {
  v1::UpdateRequest request;
  ASSERT_TRUE(AddAssignment("minimum_calls=5", &request).ok());
  EXPECT_EQ(AddAssignment("minimum_calls=6", &request).message(),
            "minimum_calls is named more than once");
  EXPECT_EQ(AddReset("minimum_calls", &request).message(),
            "minimum_calls is named more than once");
}

TEST(AddReset, NamesTheFieldOnly) {
  v1::UpdateRequest request;
  ASSERT_TRUE(AddReset("sequential.tolerated_burst", &request).ok());
  EXPECT_TRUE(
      Makes(request, "update_mask { paths: 'sequential.tolerated_burst' }"));
}

TEST(AddReset, NeedsAField) {
  v1::UpdateRequest request;
  EXPECT_THAT(std::string(AddReset("windows", &request).message()),
              HasSubstr("no option \"windows\""));
}

TEST(Assignments, AreWhatAddAssignmentTakes) {
  const std::vector<std::string> all = {"sequential.normal_failure_rate=0.02",
                                        "sequential.tolerated_burst=50ms",
                                        "failure_rate_threshold=0",
                                        "minimum_calls=20",
                                        "window=1m30.5s",
                                        "slow_call_duration=0",
                                        "pace_by_calls=off"};
  v1::UpdateRequest request;
  for (const std::string& assignment : all) {
    ASSERT_TRUE(AddAssignment(assignment, &request).ok()) << assignment;
  }
  EXPECT_EQ(Assignments(request.options()), all);
}

TEST(Assignments, OfAGroupThatIsOnAndGivesNothing) {
  v1::BreakerOptions options;
  options.mutable_sequential();
  EXPECT_THAT(Assignments(options), ElementsAre("sequential=on"));
}

TEST(Assignments, OfFieldsAreThoseAndWhatTheyContain) {
  v1::BreakerOptions options;
  options.mutable_sequential()->set_normal_failure_rate(0.1);
  options.mutable_sequential()->set_broken_failure_rate(0.5);
  options.set_minimum_calls(20);
  options.mutable_window()->set_seconds(1);
  google::protobuf::FieldMask fields;
  EXPECT_THAT(Assignments(options, fields), IsEmpty());
  fields.add_paths("minimum_calls");
  fields.add_paths("sequential");
  EXPECT_THAT(
      Assignments(options, fields),
      ElementsAre("sequential.normal_failure_rate=0.1",
                  "sequential.broken_failure_rate=0.5", "minimum_calls=20"));
}

// What was set within a group shows that the group is off, too.
TEST(Assignments, OfAFieldInAGroupThatIsOff) {
  v1::BreakerOptions options;
  options.mutable_sequential()->set_off(true);
  google::protobuf::FieldMask fields;
  fields.add_paths("sequential.tolerated_burst");
  EXPECT_THAT(Assignments(options, fields), ElementsAre("sequential=off"));
}

}  // namespace
}  // namespace autobreaker::breakerctl
