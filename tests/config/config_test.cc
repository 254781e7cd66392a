#include "autobreaker/config/config.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr ConfigFormat kJson = ConfigFormat::kJson;
constexpr ConfigFormat kTextproto = ConfigFormat::kTextproto;

const BreakerKey& PlaceKey() {
  static const auto* key = new BreakerKey{"payments", "shop.Orders", "Place"};
  return *key;
}

// A registry whose program has options of its own for two services.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    options_.trip.minimum_calls = 7;
    EXPECT_TRUE(registry_->SetOptions({"", "shop.Orders"}, options_).ok());
    EXPECT_TRUE(registry_->SetOptions({"", "shop.Stock"}, options_).ok());
  }

  absl::Status Apply(const std::string& text, ConfigFormat format = kJson) {
    const auto config = ParseConfig(text, format, "breakers.json");
    if (!config.ok()) return config.status();
    return ApplyConfig(*config, registry_.get(), "breakers.json");
  }

  // Refused with exactly this message.
  void ExpectRefused(const std::string& text, const std::string& message,
                     ConfigFormat format = kJson) {
    const absl::Status status = Apply(text, format);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(std::string(status.message()), message) << text;
  }

  BreakerPolicy PolicyFor(const BreakerKey& key) const {
    return registry_->PolicyFor(key);
  }
  int64_t NumberOf(const BreakerKey& key) const {
    return PolicyFor(key).options.trip.minimum_calls;
  }

  BreakerOptions options_ = RateOptions();
  std::shared_ptr<BreakerRegistry> registry_ = *BreakerRegistry::Create();
};

// ------------------------------------------------------------ What it means

TEST_F(ConfigTest, GivesOptionsToTheBreakersItNames) {
  ASSERT_TRUE(Apply(R"({"breakers": [
      {"names": [{"service": "shop.Users"}, {"name": "payments"}],
       "options": {"trip": {"minimumCalls": 33}}}]})")
                  .ok());
  EXPECT_EQ(NumberOf({"", "shop.Users", "Get"}), 33);
  EXPECT_EQ(NumberOf({"payments", "shop.Carts", "Get"}), 33);
  EXPECT_EQ(NumberOf({"", "shop.Carts", "Get"}),
            BreakerOptions().trip.minimum_calls);
}

TEST_F(ConfigTest, TheMostSpecificNameApplies) {
  ASSERT_TRUE(Apply(R"({"breakers": [
      {"names": [{}], "options": {"trip": {"minimumCalls": 1}}},
      {"names": [{"name": "n"}], "options": {"trip": {"minimumCalls": 2}}},
      {"names": [{"service": "s"}], "options": {"trip": {"minimumCalls": 3}}},
      {"names": [{"name": "n", "service": "s"}],
       "options": {"trip": {"minimumCalls": 4}}},
      {"names": [{"service": "s", "method": "m"}],
       "options": {"trip": {"minimumCalls": 5}}},
      {"names": [{"name": "n", "service": "s", "method": "m"}],
       "options": {"trip": {"minimumCalls": 6}}}]})")
                  .ok());
  EXPECT_EQ(NumberOf({"x", "x", "x"}), 1);
  EXPECT_EQ(NumberOf({"n", "x", "x"}), 2);
  EXPECT_EQ(NumberOf({"x", "s", "x"}), 3);
  EXPECT_EQ(NumberOf({"n", "s", "x"}), 4);
  EXPECT_EQ(NumberOf({"x", "s", "m"}), 5);
  EXPECT_EQ(NumberOf({"n", "s", "m"}), 6);
}

TEST_F(ConfigTest, WhatAnEntryLeavesOutIsAsTheProgramHasIt) {
  ASSERT_TRUE(Apply(R"({"breakers": [
      {"names": [{"service": "shop.Orders"}],
       "options": {"open": {"duration": "0.2s"}}}]})")
                  .ok());
  options_.open.duration = absl::Milliseconds(200);
  EXPECT_TRUE(PolicyFor(PlaceKey()).options == options_);
}

TEST_F(ConfigTest, ANameTakesOverTheOptionsThatTheProgramHasForIt) {
  ASSERT_TRUE(Apply(R"({"breakers": [
      {"names": [{"service": "shop.Stock"}, {"service": "shop.Users"}],
       "options": {"open": {"duration": "0.2s"}}}]})")
                  .ok());
  EXPECT_EQ(NumberOf({"", "shop.Stock", "Get"}), 7);
  EXPECT_EQ(NumberOf({"", "shop.Users", "Get"}),
            BreakerOptions().trip.minimum_calls);
}

TEST_F(ConfigTest, OptionsAreNotLaidOverThoseOfTheConfigurationBefore) {
  const std::string name = R"("names": [{"service": "shop.Orders"}])";
  ASSERT_TRUE(Apply(absl::StrCat("{\"breakers\": [{", name, R"(,
      "options": {"trip": {"minimumCalls": 99}}}]})"))
                  .ok());
  ASSERT_TRUE(Apply(absl::StrCat("{\"breakers\": [{", name, R"(,
      "options": {"trip": {"windowBuckets": 9}}}]})"))
                  .ok());
  EXPECT_EQ(NumberOf(PlaceKey()), 7);
  EXPECT_EQ(PolicyFor(PlaceKey()).options.trip.window_buckets, 9);
}

TEST_F(ConfigTest, AnEntryThatSaysNothingLeavesEverythingToTheProgram) {
  ASSERT_TRUE(Apply(R"({"breakers": [
      {"names": [{"service": "shop.Orders"}], "mode": "SHADOW"}]})")
                  .ok());
  ASSERT_TRUE(Apply(R"({"breakers": [{"names": [{}]}]})").ok());
  EXPECT_TRUE(PolicyFor(PlaceKey()).options == options_);
  EXPECT_EQ(PolicyFor(PlaceKey()).mode, Mode::kAutomatic);
}

TEST_F(ConfigTest, JsonWithoutAnEntryIsRefused) {
  for (const char* text : {"{}", R"({"breakers": []})", " {\n} "}) {
    ExpectRefused(text,
                  "breakers.json: breakers is empty, must hold an entry; "
                  "{\"breakers\": [{\"names\": [{}]}]} leaves everything as "
                  "the program has it");
  }
}

// Protobuf takes the elements of the inner one, none here.
TEST_F(ConfigTest, AByteOrderMarkIsNamed) {
  for (const ConfigFormat format :
       {ConfigFormat::kJson, ConfigFormat::kTextproto}) {
    EXPECT_EQ(ParseConfig("\xEF\xBB\xBF{}", format, "c").status().message(),
              "c: begins with a byte order mark, must be UTF-8 without");
  }
}

TEST_F(ConfigTest, GivesEachMode) {
  for (const auto& [name, mode] :
       std::map<std::string, Mode>{{"AUTOMATIC", Mode::kAutomatic},
                                   {"FORCED_OPEN", Mode::kForcedOpen},
                                   {"FORCED_CLOSED", Mode::kForcedClosed},
                                   {"SHADOW", Mode::kShadow}}) {
    ASSERT_TRUE(Apply(absl::StrCat(R"({"breakers": [{"names": [{}], "mode": ")",
                                   name, "\"}]}"))
                    .ok());
    EXPECT_EQ(PolicyFor({"n"}).mode, mode) << name;
  }
}

// As the metric of modes counts.
TEST_F(ConfigTest, AModeMayBeGivenByItsNumber) {
  for (const Mode mode : {Mode::kAutomatic, Mode::kForcedOpen,
                          Mode::kForcedClosed, Mode::kShadow}) {
    ASSERT_TRUE(Apply(absl::StrCat(R"({"breakers": [{"names": [{}], "mode": )",
                                   static_cast<int>(mode), "}]}"))
                    .ok());
    EXPECT_EQ(PolicyFor({"n"}).mode, mode);
  }
  ASSERT_TRUE(Apply(R"({"breakers": [{"names": [{}], "mode": 2}]})").ok());
  EXPECT_EQ(PolicyFor({"n"}).mode, Mode::kForcedClosed);
}

TEST_F(ConfigTest, GivesAClassification) {
  ASSERT_TRUE(Apply(R"({"breakers": [
      {"names": [{}],
       "classification": {"failures": ["INTERNAL", "DATA_LOSS"],
                          "ignored": ["ABORTED"]}}]})")
                  .ok());
  const StatusClasses expected = {
      {absl::StatusCode::kInternal, absl::StatusCode::kDataLoss},
      {absl::StatusCode::kAborted}};
  ASSERT_TRUE(PolicyFor({"n"}).status_classes.has_value());
  EXPECT_TRUE(*PolicyFor({"n"}).status_classes == expected);
}

TEST_F(ConfigTest, AListOfCodesThatIsLeftOutIsTheDefaultOne) {
  ASSERT_TRUE(Apply(R"({"breakers": [{"names": [{}], "classification":
      {"ignored": ["CANCELLED", "RESOURCE_EXHAUSTED"]}}]})")
                  .ok());
  StatusClasses classes = *PolicyFor({"n"}).status_classes;
  EXPECT_EQ(classes.Classify(absl::StatusCode::kUnavailable),
            Outcome::kFailure);
  EXPECT_EQ(classes.Classify(absl::StatusCode::kResourceExhausted),
            Outcome::kIgnored);
  ASSERT_TRUE(Apply(R"({"breakers": [{"names": [{}], "classification":
      {"failures": ["ABORTED"]}}]})")
                  .ok());
  classes = *PolicyFor({"n"}).status_classes;
  EXPECT_EQ(classes.Classify(absl::StatusCode::kCancelled), Outcome::kIgnored);
  EXPECT_EQ(classes.Classify(absl::StatusCode::kUnavailable),
            Outcome::kSuccess);
  ASSERT_TRUE(
      Apply(R"({"breakers": [{"names": [{}], "classification": {}}]})").ok());
  EXPECT_TRUE(*PolicyFor({"n"}).status_classes == StatusClasses::Default());
}

TEST_F(ConfigTest, WithoutAClassificationTheProgramsApplies) {
  ASSERT_TRUE(Apply(R"({"breakers": [{"names": [{}]}]})").ok());
  EXPECT_FALSE(PolicyFor({"n"}).status_classes.has_value());
}

TEST_F(ConfigTest, LeavesBreakersUnguarded) {
  ASSERT_TRUE(Apply(R"({"breakers": [
      {"names": [{"service": "a"}], "unguarded": true}]})")
                  .ok());
  EXPECT_TRUE(PolicyFor({"", "a", "m"}).unguarded);
  EXPECT_FALSE(PolicyFor({"", "b", "m"}).unguarded);
}

TEST_F(ConfigTest, BreakersThatExistFollow) {
  const auto breaker = registry_->GetOrCreate(PlaceKey());
  ASSERT_TRUE(Apply(R"({"breakers": [
      {"names": [{"method": "Place", "service": "shop.Orders"}],
       "options": {"trip": {"minimumCalls": 50}}, "mode": "SHADOW"}]})")
                  .ok());
  EXPECT_EQ(breaker->options().trip.minimum_calls, 50);
  EXPECT_EQ(breaker->Snapshot().mode, Mode::kShadow);
}

TEST_F(ConfigTest, JsonAndTextprotoMeanTheSame) {
  const auto json = ParseConfig(R"({"breakers": [
      {"names": [{}], "options": {"open": {"duration": "0.25s"},
                                  "trip": {"window": "60s",
                                           "minimum_calls": "12"},
                                  "half_open": {"maxCalls": 5}}},
      {"names": [{"service": "shop.Orders"},
                 {"name": "n", "service": "s", "method": "m"}],
       "options": {"trip": {"evidence": {"toleratedBurst": "0.1s"},
                            "failureRateThreshold": 0},
                   "open": {"paceByCalls": {"off": true}}},
       "classification": {"failures": ["UNAVAILABLE", "INTERNAL"],
                          "ignored": ["CANCELLED"]}},
      {"names": [{"name": "p"}], "mode": "SHADOW"},
      {"names": [{"service": "grpc.health.v1.Health"}], "unguarded": true}
    ]})",
                                kJson, "breakers.json");
  const auto text = ParseConfig(R"(
      # All that there is in a configuration.
      breakers {
        names {}
        options {
          open { duration { nanos: 250000000 } }
          trip { window { seconds: 60 } minimum_calls: 12 }
          half_open { max_calls: 5 }
        }
      }
      breakers {
        names { service: "shop.Orders" }
        names { name: "n" service: "s" method: "m" }
        options {
          trip {
            evidence { tolerated_burst { nanos: 100000000 } }
            failure_rate_threshold: 0
          }
          open { pace_by_calls { off: true } }
        }
        classification { failures: [UNAVAILABLE, INTERNAL] ignored: CANCELLED }
      }
      breakers { names { name: "p" } mode: SHADOW }
      breakers { names { service: "grpc.health.v1.Health" } unguarded: true }
    )",
                                kTextproto, "breakers.textproto");
  ASSERT_TRUE(json.ok()) << json.status();
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(json->SerializeAsString(), text->SerializeAsString());
  EXPECT_TRUE(ApplyConfig(*json, registry_.get()).ok());
}

// ------------------------------------------------------- What JSON may not be

TEST_F(ConfigTest, JsonThatIsNotWholeIsRefused) {
  for (const char* text :
       {"", " \n", "{", R"({"breakers": [)",
        R"({"breakers": [{"names": [{}]},)",
        R"({"breakers": [{"names": [{}]}])", "[]", "null", "3", "\"\"", "{}}",
        "{} {}", "breakers { names {} }"}) {
    const absl::Status status = Apply(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), StartsWith("breakers.json:"));
  }
}

TEST_F(ConfigTest, EveryPieceOfJsonIsRefused) {
  const std::string whole =
      R"({"breakers": [{"names": [{"name": "n"}], "mode": "SHADOW"},
                       {"names": [{}], "options": {"trip": {"window": "5s"}}}]})";
  ASSERT_TRUE(Apply(whole).ok());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(Apply(whole.substr(0, length)).ok()) << length;
  }
}

TEST_F(ConfigTest, ErrorsOfJsonTellLineAndColumn) {
  const absl::Status status = Apply("{\"breakers\": [\n  {\"names\" [{}]}\n]}");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              StartsWith("breakers.json:2:12: "));
  EXPECT_EQ(std::string(status.message()).find('\n'), std::string::npos);
}

TEST_F(ConfigTest, ErrorsOfJsonNameTheSource) {
  ExpectRefused(
      R"({"breakers": [{"names": {}}]})",
      "breakers.json: breakers[0].names is an object, must be a list");
}

TEST_F(ConfigTest, ErrorsAreUtf8WhateverTheText) {
  const absl::Status status = Apply("{\"breakers\": [{\"na\xFFmes\": 3}]}");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(std::string(status.message()).find('\xFF'), std::string::npos);
}

// -------------------------------------------------- What textproto may not be

TEST_F(ConfigTest, ErrorsOfTextprotoTellLineAndColumn) {
  ExpectRefused("breakers {\n  names {}\n  optoins {}\n}",
                "breakers.json:3:11: Message type \"autobreaker.v1.Entry\" has "
                "no field named \"optoins\".",
                kTextproto);
}

TEST_F(ConfigTest, TextprotoTellsSeveralErrors) {
  const absl::Status status =
      Apply("breakers { names { name: \"\\q\\q\" } mode: 1.5 }", kTextproto);
  EXPECT_THAT(std::string(status.message()), HasSubstr("breakers.json:1:28: "));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("; breakers.json:1:30: "));
}

TEST_F(ConfigTest, ErrorsOfTextprotoDoNotGrowWithTheText) {
  std::string text = "breakers { names { name: \"";
  for (int i = 0; i < 10'000; ++i) text += "\\q";
  const absl::Status status = Apply(text, kTextproto);
  ASSERT_FALSE(status.ok());
  EXPECT_LT(status.message().size(), 2000);
}

TEST_F(ConfigTest, TextprotoThatIsNotWholeIsRefused) {
  for (const char* text :
       {"breakers", "breakers {", "breakers { names {} ", "{}", "}",
        "breakers { names {} } }", "breakers { mode: SHADOW mode: SHADOW }",
        "breakers { options { trip { window {} window {} } } }"}) {
    EXPECT_EQ(Apply(text, kTextproto).code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST_F(ConfigTest, TextprotoWithoutAnEntryIsRefused) {
  for (const char* text : {"", " \n\n", "# breakers { names {} }\n"}) {
    ExpectRefused(text,
                  "breakers.json: breakers is empty, must hold an entry; "
                  "\"breakers { names {} }\" leaves everything as the program "
                  "has it",
                  kTextproto);
  }
}

TEST_F(ConfigTest, TextprotoNestedDeeplyIsRefused) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "breakers {";
  EXPECT_FALSE(Apply(deep, kTextproto).ok());
}

// ------------------------------------------------------- What it may not mean

TEST_F(ConfigTest, ErrorsNameEntryAndNameAndFieldAndValueAndRange) {
  ExpectRefused(R"({"breakers": [
      {"names": [{}]},
      {"names": [{"name": "n"}]},
      {"names": [{"service": "shop.Orders"}],
       "options": {"trip": {"minimumCalls": 0}}}
    ]})",
                "breakers.json: breakers[2] {service \"shop.Orders\"}: "
                "options: trip.minimum_calls is 0, must be in "
                "[1, 1000000000]");
}

TEST_F(ConfigTest, WithoutASourceErrorsBeginWithTheEntry) {
  v1::Config config;
  config.add_breakers();
  EXPECT_EQ(ApplyConfig(config, registry_.get()).message(),
            "breakers[0]: names is empty, must hold a name; {} is every "
            "breaker");
}

TEST_F(ConfigTest, OptionsOutOfRangeAreRefused) {
  ExpectRefused(R"({"breakers": [{"names": [{"name": "n"}],
                    "options": {"trip": {"window": "-1s",
                                         "windowBuckets": 61}}}]})",
                "breakers.json: breakers[0] {name \"n\"}: options: "
                "trip.window is -1s, must be in [1ns, 365 days]; "
                "trip.window_buckets is 61, must be in [1, 60]");
  ExpectRefused(R"({"breakers": [{"names": [{}],
                    "options": {"trip": {"evidence": {
                        "off": true, "toleratedBurst": "1s"}}}}]})",
                "breakers.json: breakers[0] {}: options: trip.evidence.off is "
                "true, must stand alone where it is given");
}

// Only with the program's own options, of one name alone, is it bad.
TEST_F(ConfigTest, OptionsAreCheckedAsTheyWillBe) {
  options_.open.duration_max = absl::Seconds(10);
  ASSERT_TRUE(registry_->SetOptions({"", "shop.Stock"}, options_).ok());
  ExpectRefused(R"({"breakers": [
      {"names": [{"name": "n"}, {"service": "shop.Stock"}],
       "options": {"open": {"duration": "20s"}}}]})",
                "breakers.json: breakers[0] {service \"shop.Stock\"}: options: "
                "open.duration_max is 10s, must be in [open.duration, 365 "
                "days]");
}

TEST_F(ConfigTest, AModeThatIsNoneIsRefused) {
  ExpectRefused(R"({"breakers": [{"names": [{}], "mode": 9}]})",
                "breakers.json: breakers[0] {}: mode is 9, must be AUTOMATIC, "
                "FORCED_OPEN, FORCED_CLOSED or SHADOW");
}

TEST_F(ConfigTest, ClassificationsThatContradictThemselvesAreRefused) {
  ExpectRefused(R"({"breakers": [{"names": [{}],
                    "classification": {"failures": ["INTERNAL"],
                                       "ignored": ["INTERNAL"]}}]})",
                "breakers.json: breakers[0] {}: classification.ignored[0] is "
                "INTERNAL, must be given only once");
  ExpectRefused(R"({"breakers": [{"names": [{}],
                    "classification": {"failures": ["OK"]}}]})",
                "breakers.json: breakers[0] {}: classification.failures[0] is "
                "OK, must be a status code other than OK");
}

TEST_F(ConfigTest, AnEntryWithoutANameIsRefused) {
  ExpectRefused(R"({"breakers": [{"names": [{}]}, {"mode": "SHADOW"}]})",
                "breakers.json: breakers[1]: names is empty, must hold a name; "
                "{} is every breaker");
}

TEST_F(ConfigTest, NoNameMayBeGivenTwice) {
  ExpectRefused(R"({"breakers": [
      {"names": [{"name": "n"}, {"service": "s", "name": "n"}]},
      {"names": [{}, {"name": "n", "service": "s"}]}]})",
                "breakers.json: breakers[1]: names[1] is {name \"n\", service "
                "\"s\"} as is breakers[0].names[1], must be given only once");
  ExpectRefused(R"({"breakers": [{"names": [{}, {}]}]})",
                "breakers.json: breakers[0]: names[1] is {} as is "
                "breakers[0].names[0], must be given only once");
}

TEST_F(ConfigTest, NamesHaveNoWildcardsAndAreNoPaths) {
  const auto expect = [&](const char* name, const char* shown,
                          const char* must) {
    ExpectRefused(absl::StrCat("{\"breakers\": [{\"names\": [", name, "]}]}"),
                  absl::StrCat("breakers.json: breakers[0]: names[0] is ",
                               shown, ", must have no ", must));
  };
  const std::string wildcards =
      ": there are no wildcards, leave it out for all";
  const std::string path =
      ": \"/a.B/C\" is the service \"a.B\" and the method \"C\"";
  expect(R"({"name": "pay*"})", "{name \"pay*\"}",
         ("'*' in its name" + wildcards).c_str());
  expect(R"({"service": "a.*"})", "{service \"a.*\"}",
         ("'*' in its service" + wildcards).c_str());
  expect(R"({"service": "/a.B"})", "{service \"/a.B\"}",
         ("'/' in its service" + path).c_str());
  expect(R"({"service": "a.B", "method": "*"})",
         "{service \"a.B\", method \"*\"}",
         ("'*' in its method" + wildcards).c_str());
  expect(R"({"method": "a.B/C"})", "{method \"a.B/C\"}",
         ("'/' in its method" + path).c_str());
}

// As a target is often written.
TEST_F(ConfigTest, ANameMayBeAnAddress) {
  EXPECT_TRUE(
      Apply(R"({"breakers": [{"names": [{"name": "dns:///a:1"}]}]})").ok());
}

TEST_F(ConfigTest, AMethodNeedsAService) {
  ExpectRefused(R"({"breakers": [{"names": [{"name": "n", "method": "m"}]}]})",
                "breakers.json: breakers[0]: names[0] is {name \"n\", method "
                "\"m\"}, must have a service with a method");
}

TEST_F(ConfigTest, NamesThatNoBreakerCanHaveAreRefused) {
  const auto named = [](size_t length) {
    return absl::StrCat(R"({"breakers": [{"names": [{"name": "n",
        "service": ")",
                        std::string(length - 1, 's'), "\"}]}]}");
  };
  EXPECT_TRUE(Apply(named(1024)).ok());
  ExpectRefused(named(1025),
                "breakers.json: breakers[0]: names[0] is 1025 bytes long, must "
                "be at most 1024");
}

TEST_F(ConfigTest, NamesAreEscapedInErrors) {
  ExpectRefused(R"({"breakers": [{"names": [{"name": "a\n\"b"}], "mode": 9}]})",
                "breakers.json: breakers[0] {name \"a\\n\\\"b\"}: mode is 9, "
                "must be AUTOMATIC, FORCED_OPEN, FORCED_CLOSED or SHADOW");
}

TEST_F(ConfigTest, AnErrorChangesNothing) {
  const auto breaker = registry_->GetOrCreate(PlaceKey());
  ASSERT_TRUE(Apply(R"({"breakers": [
      {"names": [{"name": "payments"}],
       "options": {"trip": {"minimumCalls": 8}}},
      {"names": [{"service": "shop.Orders"}], "mode": "SHADOW"}]})")
                  .ok());
  const std::vector<BreakerKey> keys = {
      {}, {"payments"}, {"", "shop.Stock", "Get"}, PlaceKey(), {"x"}};
  std::vector<BreakerPolicy> before;
  for (const BreakerKey& key : keys) before.push_back(PolicyFor(key));
  // The first entries are good, the last is not, each in another way.
  for (const char* last :
       {R"({"names": [{}], "options": {"trip": {"minimumCalls": 0}}})",
        R"({"names": [{}], "mode": 9})", R"({"names": []})",
        R"({"names": [{"name": "payments"}]})", R"({"names": [{}], "x": 1})",
        R"({"names": [{"method": "m"}]})", R"({"names": [{}],)"}) {
    ASSERT_FALSE(Apply(absl::StrCat(R"({"breakers": [
        {"names": [{"name": "x"}], "unguarded": true},
        {"names": [{"name": "payments"}],
         "options": {"trip": {"minimumCalls": 9}}},
        {"names": [{"service": "shop.Orders"}], "mode": "FORCED_OPEN"},)",
                                    last, "]}"))
                     .ok());
    for (size_t i = 0; i < keys.size(); ++i) {
      EXPECT_TRUE(PolicyFor(keys[i]) == before[i]) << i << " after " << last;
    }
    EXPECT_EQ(breaker->Snapshot().mode, Mode::kShadow);
    EXPECT_EQ(breaker->options().trip.minimum_calls, 7);
  }
}

}  // namespace
}  // namespace autobreaker
