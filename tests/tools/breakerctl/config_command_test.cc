#include "autobreaker/tools/breakerctl/config_command.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "autobreaker/proto/admin.pb.h"
#include "autobreaker/proto/config.pb.h"

namespace autobreaker::breakerctl {
namespace {

using testing::HasSubstr;

template <typename Message>
Message Make(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

// Of a program that has options of its own for `program_for`.
v1::Breaker Of(const std::string& name, const std::string& method,
               const std::string& program_for = "") {
  return Make<v1::Breaker>("key { name: '" + name + "' service: 's' method: '" +
                           method + "' } policy { program_for {" + program_for +
                           "} }");
}

TEST(MatchesTest, TheMostSpecificNameHasTheBreaker) {
  const auto config = Make<v1::Config>(R"(
    breakers { names {} }
    breakers { names { name: "a" } names { service: "s" method: "M" } })");
  EXPECT_EQ(Matches(config, {Of("a", "M"), Of("a", "N"), Of("b", "N")}).value(),
            "breakers[0] {}:\n    b/s/N\n"
            "breakers[1] {name \"a\"}:\n    a/s/N\n"
            "breakers[1] {service \"s\", method \"M\"}:\n    a/s/M\n");
}

TEST(MatchesTest, TheProgramsMoreSpecificOptionsGoBefore) {
  const auto config = Make<v1::Config>("breakers { names { name: 'a' } }");
  EXPECT_EQ(Matches(config, {Of("a", "M", "name: 'a' service: 's' method: 'M'"),
                             Of("a", "N")})
                .value(),
            "breakers[0] {name \"a\"}:\n    a/s/N\n");
}

TEST(MatchesTest, WhatThatProgramWouldNotApplyIsAnError) {
  const auto config = Make<v1::Config>(
      "breakers { names {} options { open { duration { seconds: 9 } } } }");
  v1::Breaker breaker = Of("a", "M");
  breaker.mutable_policy()
      ->mutable_program_options()
      ->mutable_open()
      ->mutable_duration_max()
      ->set_seconds(5);
  const auto matches = Matches(config, {breaker});
  EXPECT_EQ(matches.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(matches.status().message(), HasSubstr("open.duration"));
}

TEST(ExplanationTest, NamesWhoSaysSo) {
  const auto breaker = Make<v1::Breaker>(R"(
    key { name: "a" service: "s" method: "M" }
    options {
      trip { minimum_calls: 1 window_buckets: 2 consecutive_failures: 3 }
      half_open { max_calls: 4 }
    }
    policy {
      options {
        trip { minimum_calls: 9 window_buckets: 2 consecutive_failures: 3 }
        half_open { max_calls: 4 }
      }
      configured_for { name: "a" }
      program_options {
        trip { minimum_calls: 9 window_buckets: 7 consecutive_failures: 3 }
        half_open { max_calls: 4 }
      }
      program_for { service: "s" }
      default_options {
        trip { minimum_calls: 9 window_buckets: 7 consecutive_failures: 8 }
        half_open { max_calls: 4 }
      }
    })");
  EXPECT_EQ(Explanation(breaker),
            "a/s/M\n"
            "  half_open.max_calls=4        library\n"
            "  trip.consecutive_failures=3  program, for {service \"s\"}\n"
            "  trip.minimum_calls=1         by hand; else 9\n"
            "  trip.window_buckets=2        configuration, for {name \"a\"}\n");
}

}  // namespace
}  // namespace autobreaker::breakerctl
