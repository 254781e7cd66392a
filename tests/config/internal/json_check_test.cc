#include "autobreaker/config/internal/json_check.h"

#include <google/protobuf/util/json_util.h>

#include <cstddef>
#include <iterator>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "autobreaker/proto/config.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

// "" if the text is taken.
std::string ErrorOf(const std::string& text) {
  const absl::Status status = CheckJson(text, "", *v1::Config::descriptor());
  if (!status.ok()) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  }
  return std::string(status.message());
}

// Of what stands in an entry.
std::string ErrorIn(const std::string& entry) {
  return ErrorOf(absl::StrCat(R"({"breakers": [{}, {)", entry, "}]}"));
}

std::string ErrorInTrip(const std::string& trip) {
  return ErrorIn(absl::StrCat(R"("options": {"trip": {)", trip, "}}"));
}

// All kinds of values.
constexpr char kWhole[] = R"json({
  "breakers": [
    {"names": [{"name": "a"}, {"service": "b.C", "method": "D"}],
     "options": {
       "trip": {"evidence": {"toleratedBurst": "0.1s", "off": false},
                "failure_rate_threshold": 0.25, "slowCallRateThreshold": "1e-1",
                "minimum_calls": "12", "windowBuckets": 5.0, "window": "60s"},
       "open": null,
       "halfOpen": {"maxCalls": 3, "lease": "1.000000001s"},
       "max_calls_in_flight": 1e3},
     "mode": "SHADOW",
     "classification": {"failures": ["INTERNAL", 14], "ignored": []}},
    {"names": [{}], "mode": 1, "unguarded": true}
  ]
})json";

TEST(CheckJson, TakesEveryKindOfValue) {
  EXPECT_EQ(ErrorOf(kWhole), "");
  EXPECT_EQ(ErrorOf("{}"), "");
}

TEST(CheckJson, AFieldIsOneOfTheMessage) {
  EXPECT_EQ(ErrorOf(R"({"braekers": []})"),
            "\"braekers\" is no field, must be one of breakers");
  EXPECT_EQ(ErrorIn(R"("optoins": {})"),
            "breakers[1].\"optoins\" is no field, must be one of names, "
            "options, mode, classification, unguarded");
  EXPECT_THAT(ErrorIn(R"("options": {"minimumCalls": 5})"),
              StartsWith("breakers[1].options.\"minimumCalls\" is no field"));
}

TEST(CheckJson, AFieldIsGivenOnce) {
  EXPECT_EQ(ErrorOf(R"({"breakers": [], "breakers": []})"),
            "breakers is given twice, must be once");
  EXPECT_EQ(ErrorIn(R"("options": {}, "options": {})"),
            "breakers[1].options is given twice, must be once");
  EXPECT_EQ(ErrorIn(R"("mode": null, "mode": "SHADOW")"),
            "breakers[1].mode is given twice, must be once");
}

TEST(CheckJson, AFieldIsGivenByOneOfItsNames) {
  EXPECT_EQ(ErrorInTrip(R"("minimumCalls": 5, "minimum_calls": 6)"),
            "breakers[1].options.trip.minimum_calls is given twice, must be "
            "once");
}

TEST(CheckJson, TheSameFieldMayBeInTwoObjects) {
  EXPECT_EQ(ErrorIn(R"("names": [{"name": "a"}, {"name": "a"}])"), "");
}

TEST(CheckJson, AListHasNoNull) {
  EXPECT_EQ(ErrorOf(R"({"breakers": [{}, null]})"),
            "breakers[1] is null, must be given or left out");
  EXPECT_EQ(ErrorIn(R"("names": [null, {}])"),
            "breakers[1].names[0] is null, must be given or left out");
}

TEST(CheckJson, AListHasNoList) {
  EXPECT_EQ(ErrorOf(R"({"breakers": [[]]})"),
            "breakers[0] is a list, must be an object");
  EXPECT_THAT(ErrorIn(R"("classification": {"failures": [["INTERNAL"]]})"),
              StartsWith("breakers[1].classification.failures[0] is a list, "
                         "must be one of OK, CANCELLED, "));
}

TEST(CheckJson, AListIsOneWhereOneIsDue) {
  EXPECT_EQ(ErrorOf(R"({"breakers": {}})"),
            "breakers is an object, must be a list");
  EXPECT_EQ(ErrorIn(R"("mode": ["SHADOW"])"),
            "breakers[1].mode is a list, must be one of AUTOMATIC, "
            "FORCED_OPEN, FORCED_CLOSED, SHADOW");
}

TEST(CheckJson, AValueIsOfTheKindOfItsField) {
  EXPECT_EQ(ErrorIn(R"("names": [{}, {"name": 5}])"),
            "breakers[1].names[1].name is 5, must be a string");
  EXPECT_EQ(ErrorIn(R"("unguarded": "yes")"),
            "breakers[1].unguarded is \"yes\", must be true or false");
  EXPECT_THAT(ErrorIn(R"("mode": "shadow")"),
              StartsWith("breakers[1].mode is \"shadow\", must be one of "));
  EXPECT_EQ(ErrorInTrip(R"("minimumCalls": "x")"),
            "breakers[1].options.trip.minimum_calls is \"x\", must be a whole "
            "number of 64 bits, written without an exponent");
  EXPECT_EQ(ErrorInTrip(R"("minimumCalls": 9223372036854775808)"),
            "breakers[1].options.trip.minimum_calls is 9223372036854775808, "
            "must be a whole number of 64 bits, written without an exponent");
  EXPECT_EQ(ErrorInTrip(R"("windowBuckets": 1.5)"),
            "breakers[1].options.trip.window_buckets is 1.5, must be a whole "
            "number of 32 bits");
  EXPECT_EQ(ErrorInTrip(R"("windowBuckets": -2147483649)"),
            "breakers[1].options.trip.window_buckets is -2147483649, must be a "
            "whole number of 32 bits");
  EXPECT_EQ(ErrorInTrip(R"("failureRateThreshold": true)"),
            "breakers[1].options.trip.failure_rate_threshold is true, must be "
            "a number");
  EXPECT_EQ(ErrorIn(R"("options": 5)"),
            "breakers[1].options is 5, must be an object");
}

TEST(CheckJson, ADurationIsInSeconds) {
  for (const char* good :
       {"0s", "-1s", "1.5s", "0.000000001s", "315576000000s"}) {
    EXPECT_EQ(ErrorInTrip(absl::StrCat(R"("window": ")", good, "\"")), "");
  }
  for (const char* bad :
       {"5", "5m", "s", ".5s", "1.s", "1.0000000001s", "+1s", " 1s", "1 s",
        "1e3s", "315576000001s", "99999999999999999999s", ""}) {
    EXPECT_EQ(ErrorInTrip(absl::StrCat(R"("window": ")", bad, "\"")),
              absl::StrCat("breakers[1].options.trip.window is \"", bad,
                           "\", must be a duration such as \"1.5s\""));
  }
  EXPECT_THAT(ErrorInTrip(R"("window": {"seconds": 5})"),
              HasSubstr("window is an object, must be a duration"));
}

TEST(CheckJson, TheWholeIsAnObject) {
  EXPECT_EQ(ErrorOf("[]"), "is a list, must be an object");
  EXPECT_EQ(ErrorOf("null"), "is null, must be an object");
  EXPECT_EQ(ErrorOf("3"), "is 3, must be an object");
}

TEST(CheckJson, WhatIsNotJsonIsToldWithLineAndColumn) {
  EXPECT_THAT(ErrorOf(""), StartsWith("1:1: "));
  EXPECT_THAT(ErrorOf("{\n  \"breakers\": [}]"), StartsWith("2:16: "));
  EXPECT_THAT(ErrorOf("{} {}"), StartsWith("1:4: "));
  EXPECT_THAT(ErrorOf("{\"\xFF\": 1}"), StartsWith("1:3: "));
  EXPECT_THAT(ErrorInTrip("\n\"minimumCalls\": 1e999"), StartsWith("2:"));
}

TEST(CheckJson, AnErrorNamesTheSource) {
  const auto& type = *v1::Config::descriptor();
  EXPECT_EQ(std::string(CheckJson("[]", "a.json", type).message()),
            "a.json: is a list, must be an object");
  EXPECT_THAT(std::string(CheckJson("", "a.json", type).message()),
              StartsWith("a.json:1:1: "));
}

TEST(CheckJson, AnErrorIsShortHoweverLongTheText) {
  const std::string length(1'000'000, 'x');
  const auto is_short = SizeIs(testing::Lt(500u));
  EXPECT_THAT(ErrorOf(absl::StrCat("{\"", length, "\": 1}")), is_short);
  EXPECT_THAT(ErrorIn(absl::StrCat("\"mode\": \"", length, "\"")), is_short);
  EXPECT_THAT(ErrorOf(absl::StrCat("{\"breakers\": ", length)), is_short);
  EXPECT_THAT(ErrorIn(absl::StrCat("\"mode\": 1.", std::string(9'999, '1'))),
              is_short);
}

TEST(CheckJson, DeepNestingIsNoMatter) {
  EXPECT_NE(ErrorOf(std::string(1'000'000, '[')), "");
  EXPECT_NE(
      ErrorOf(absl::StrCat("{\"breakers\": ", std::string(1'000'000, '['))),
      "");
}

// A double is not that number any more, and protobuf 36 refuses it.
TEST(CheckJson, WholeNumbersBeyondTwoToThe53HaveNoExponent) {
  const auto capped = [](const std::string& most) {
    return ErrorOf(absl::StrCat(
        R"({"breakers": [{"options": {"max_calls_in_flight": )", most, "}}]}"));
  };
  EXPECT_EQ(capped("1e15"), "");
  EXPECT_EQ(capped("1000000000000000000"), "");
  EXPECT_EQ(capped("1e18"),
            "breakers[0].options.max_calls_in_flight is 1e18, must be a whole "
            "number of 64 bits, written without an exponent");
}

// Else the words of an error would be protobuf's.
TEST(CheckJson, WhatItTakesProtobufTakes) {
  constexpr const char* kPieces[] = {
      "null",    "1",       "-1",        "1.5",    "1e9",     "1e18",
      "0",       "true",    "{}",        "[]",     "[1]",     "\"\"",
      "\"5\"",   "\"-0\"",  "\"+5\"",    "\".5\"", "\"5.\"",  "\" 5\"",
      "\"5e1\"", "\"nan\"", "\"inf\"",   "\"1s\"", "\"-1s\"", "\"1e999\"",
      "\"0x1\"", "\"1_\"",  "\"SHADOW\""};
  const std::string whole = kWhole;
  std::mt19937 random(5);
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    // A value in the place of one that begins somewhere.
    std::string text = whole;
    const size_t begin = text.find(": ", random() % text.size());
    if (begin == std::string::npos) continue;
    const size_t end = text.find_first_of(",}]", begin);
    text.replace(begin + 2, end - begin - 2,
                 kPieces[random() % std::size(kPieces)]);
    if (!ErrorOf(text).empty()) continue;
    ++taken;
    v1::Config config;
    const auto parsed =
        google::protobuf::util::JsonStringToMessage(text, &config);
    EXPECT_TRUE(parsed.ok()) << text << "\n" << parsed.ToString();
  }
  EXPECT_GT(taken, 1'000);
}

}  // namespace
}  // namespace autobreaker
