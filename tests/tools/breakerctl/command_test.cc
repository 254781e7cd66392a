#include "autobreaker/tools/breakerctl/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "autobreaker/proto/admin.pb.h"

namespace autobreaker::breakerctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kAddress[] = "127.0.0.1:1234";

std::vector<std::string> Words(const std::string& line) {
  return absl::StrSplit(line, ' ', absl::SkipEmpty());
}

Command Parse(const std::string& line) {
  const auto command = ParseCommand(Words(line), kAddress);
  EXPECT_TRUE(command.ok()) << command.status();
  return command.value_or(Command());
}

std::string ErrorOf(const std::string& line) {
  const absl::Status status = ParseCommand(Words(line), kAddress).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << line;
  return std::string(status.message());
}

TEST(ParseCommand, TakesEveryVerb) {
  EXPECT_EQ(Parse("list").verb, Verb::kList);
  EXPECT_EQ(Parse("watch").verb, Verb::kWatch);
  EXPECT_EQ(Parse("get k").verb, Verb::kGet);
  EXPECT_EQ(Parse("set-mode k auto").verb, Verb::kSetMode);
  EXPECT_EQ(Parse("update k trip.window=1s").verb, Verb::kUpdate);
  EXPECT_EQ(Parse("reset k").verb, Verb::kReset);
  EXPECT_EQ(Parse("config check f").verb, Verb::kConfigCheck);
  EXPECT_EQ(Parse("config explain k").verb, Verb::kConfigExplain);
  EXPECT_EQ(Parse("completion bash").verb, Verb::kCompletion);
  EXPECT_EQ(Parse("help").verb, Verb::kHelp);
}

TEST(ParseCommand, HelpIsNeverWrong) {
  for (const char* line : {"--help", "-h", "list --help", "get -h", "help x"}) {
    EXPECT_EQ(Parse(line).verb, Verb::kHelp) << line;
  }
}

TEST(ParseCommand, TakesSeveralAddresses) {
  EXPECT_THAT(Parse("list --address=a:1,b:2").addresses,
              ElementsAre("a:1", "b:2"));
  const Command command = Parse("config check f --against=a:1,b:2");
  EXPECT_THAT(command.addresses, ElementsAre("a:1", "b:2"));
  EXPECT_TRUE(command.against);
  EXPECT_EQ(command.config_file, "f");
}

TEST(ParseCommand, RefusesAddressesThatAreNone) {
  EXPECT_EQ(ErrorOf("list --address=a:1,"), "--address must not be empty");
  EXPECT_EQ(ErrorOf("list --address=a:1,b:1,a:1"), "--address has a:1 twice");
  EXPECT_EQ(ErrorOf("config check f --against="),
            "--against must not be empty");
  EXPECT_EQ(ErrorOf("list --against=a:1"), "--against is not for list");
  EXPECT_EQ(ParseCommand({"list"}, "a:1,a:1").status().message(),
            "$BREAKERCTL_ADDRESS has a:1 twice");
}

TEST(ParseCommand, TakesOutputAndColorByTheirNames) {
  EXPECT_EQ(Parse("list --output=wide").output, Output::kWide);
  EXPECT_EQ(Parse("list --output=table").output, Output::kTable);
  EXPECT_EQ(Parse("list --color=always").color, Color::kAlways);
  EXPECT_EQ(Parse("list --color=never").color, Color::kNever);
  EXPECT_EQ(ErrorOf("list --output=yaml"),
            "--output takes table, wide, json, not \"yaml\"");
  EXPECT_EQ(ErrorOf("list --color="),
            "--color takes auto, always, never, not \"\"");
}

TEST(ParseCommand, WantsWhatConfigAndCompletionNeed) {
  EXPECT_EQ(ErrorOf("config check"),
            "FILE is missing: breakerctl config check FILE");
  EXPECT_EQ(ErrorOf("config explain"),
            "KEY is missing: breakerctl config explain KEY");
  EXPECT_THAT(ErrorOf("config"), HasSubstr("no command \"config\""));
  EXPECT_THAT(ErrorOf("config nothing"),
              HasSubstr("no command \"config nothing\""));
  EXPECT_EQ(ErrorOf("completion zsh"),
            "completion is for bash alone: breakerctl completion bash");
}

TEST(ParseCommand, HasDefaults) {
  const Command command = Parse("list");
  EXPECT_THAT(command.addresses, ElementsAre(kAddress));
  EXPECT_EQ(command.timeout, absl::Seconds(5));
  EXPECT_EQ(command.output, Output::kTable);
  EXPECT_EQ(command.color, Color::kAuto);
  EXPECT_FALSE(command.all);
  EXPECT_EQ(command.key, "");
}

TEST(ParseCommand, TakesFlagsAnywhere) {
  const Command command =
      Parse("--address=host:1 list payments --output=json --timeout 2s");
  EXPECT_THAT(command.addresses, ElementsAre("host:1"));
  EXPECT_EQ(command.timeout, absl::Seconds(2));
  EXPECT_EQ(command.output, Output::kJson);
  EXPECT_EQ(command.key, "payments");
}

TEST(ParseCommand, WhatAnswersInWordsTakesNoOutput) {
  EXPECT_THAT(ErrorOf("config check a.json --output=json"),
              HasSubstr("--output"));
  EXPECT_EQ(Parse("config explain a --output=json").output, Output::kJson);
}

TEST(ParseCommand, TakesFilesForTls) {
  EXPECT_FALSE(Parse("list").security.tls);
  EXPECT_TRUE(Parse("list --tls").security.tls);
  const Security security =
      Parse("list --ca=a --cert=b --cert-key=c --server-name=d --token-file=e")
          .security;
  EXPECT_TRUE(security.tls);
  EXPECT_EQ(security.ca, "a");
  EXPECT_EQ(security.cert, "b");
  EXPECT_EQ(security.cert_key, "c");
  EXPECT_EQ(security.server_name, "d");
  EXPECT_EQ(security.token_file, "e");
  EXPECT_EQ(ErrorOf("list --cert=b"), "--cert and --cert-key go together");
  EXPECT_EQ(ErrorOf("list --cert-key=b"), "--cert and --cert-key go together");
  EXPECT_EQ(ErrorOf("list --ca="), "a file or name for TLS must not be empty");
}

TEST(ParseCommand, TakesNoFlagsAfterTwoDashes) {
  EXPECT_EQ(Parse("get -- --tls").key, "--tls");
}

TEST(ParseCommand, TakesStatesAndModesOfAList) {
  const v1::Filter filter =
      Parse("list --state=open,Half-Open,closed --mode=shadow,AUTO")
          .list.filter();
  EXPECT_THAT(filter.states(),
              ElementsAre(v1::OPEN, v1::HALF_OPEN, v1::CLOSED));
  EXPECT_THAT(filter.modes(), ElementsAre(v1::SHADOW, v1::AUTOMATIC));
}

TEST(ParseCommand, TakesModesAsPeopleWriteThem) {
  const auto mode = [](const std::string& text) {
    return Parse("set-mode k " + text).set_mode.mode();
  };
  for (const char* text : {"auto", "automatic", "AUTOMATIC"}) {
    EXPECT_EQ(mode(text), v1::AUTOMATIC) << text;
  }
  for (const char* text : {"open", "forced-open", "Forced_Open"}) {
    EXPECT_EQ(mode(text), v1::FORCED_OPEN) << text;
  }
  for (const char* text : {"closed", "forced-closed", "FORCED_CLOSED"}) {
    EXPECT_EQ(mode(text), v1::FORCED_CLOSED) << text;
  }
  EXPECT_EQ(mode("shadow"), v1::SHADOW);
}

TEST(ParseCommand, AModeIsForGoodUnlessATimeIsGiven) {
  EXPECT_FALSE(Parse("set-mode k auto").set_mode.has_duration());
  EXPECT_EQ(Parse("set-mode k open --for=1m30s").set_mode.duration().seconds(),
            90);
}

TEST(ParseCommand, TakesUpdatesAndResets) {
  const v1::UpdateRequest request =
      Parse(
          "update k trip.minimum_calls=50 trip.evidence=off "
          "--reset=trip.window,open")
          .update;
  EXPECT_EQ(request.options().trip().minimum_calls(), 50);
  EXPECT_TRUE(request.options().trip().evidence().off());
  EXPECT_THAT(
      request.update_mask().paths(),
      testing::UnorderedElementsAre("trip.minimum_calls", "trip.evidence",
                                    "trip.window", "open"));
  EXPECT_THAT(
      Parse("update k --reset=trip.window").update.update_mask().paths(),
      ElementsAre("trip.window"));
}

TEST(ParseCommand, TakesAllForWhatChanges) {
  EXPECT_TRUE(Parse("set-mode --all k auto").all);
  EXPECT_TRUE(Parse("update --all k trip.window=1s").all);
  EXPECT_TRUE(Parse("reset k --all").all);
  EXPECT_EQ(ErrorOf("get k --all"), "--all is not for get");
}

TEST(ParseCommand, NeedsACommand) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("\"breakerctl help\" tells"));
  EXPECT_EQ(ErrorOf("lst"),
            "no command \"lst\"; there are list, watch, get, set-mode, update, "
            "reset, config check, config explain, completion, help");
}

TEST(ParseCommand, NamesWhatIsMissing) {
  EXPECT_EQ(ErrorOf("get"), "KEY is missing: breakerctl get KEY");
  EXPECT_EQ(ErrorOf("reset"), "KEY is missing: breakerctl reset KEY");
  EXPECT_EQ(ErrorOf("set-mode k"),
            "MODE is missing: breakerctl set-mode KEY MODE");
  EXPECT_EQ(ErrorOf("update k"),
            "nothing to update: breakerctl update KEY FIELD=VALUE...");
  EXPECT_EQ(ErrorOf("list --address"), "--address needs a value");
}

TEST(ParseCommand, AKeyMustNotBeEmptyWhereOneBreakerIsMeant) {
  EXPECT_THAT(
      std::string(
          ParseCommand({"reset", "", "--all"}, kAddress).status().message()),
      HasSubstr("KEY is missing"));
}

TEST(ParseCommand, NamesWhatIsTooMuch) {
  EXPECT_EQ(ErrorOf("get k l"), "unexpected \"l\": breakerctl get KEY");
  EXPECT_EQ(ErrorOf("list k l"), "unexpected \"l\": breakerctl list [KEY]");
  EXPECT_EQ(ErrorOf("list --tls=1"), "--tls takes no value");
  EXPECT_EQ(ErrorOf("get k --for=1s"), "--for is not for get");
  EXPECT_EQ(ErrorOf("watch --state=open"), "--state is not for watch");
}

TEST(ParseCommand, NamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf("list --colour=no"), "no flag --colour");
  EXPECT_EQ(ErrorOf("list --address="), "--address must not be empty");
  EXPECT_EQ(ErrorOf("list --timeout=5"),
            "--timeout takes a duration such as 10m or 1m30s, not \"5\"");
  EXPECT_EQ(ErrorOf("list --timeout=0"), "--timeout must be above 0");
  EXPECT_EQ(ErrorOf("list --state=ajar"),
            "--state takes closed, open or half-open, not \"ajar\"");
  EXPECT_EQ(ErrorOf("list --mode=off"),
            "--mode takes auto, forced-open, forced-closed or shadow, not "
            "\"off\"");
  EXPECT_EQ(ErrorOf("set-mode k 0"),
            "MODE takes auto, forced-open, forced-closed or shadow, not "
            "\"0\"");
  EXPECT_EQ(ErrorOf("set-mode k open --for=ever"),
            "--for takes a duration such as 10m or 1m30s, not \"ever\"");
  EXPECT_THAT(ErrorOf("update k --reset=x"), HasSubstr("no option \"x\""));
}

}  // namespace
}  // namespace autobreaker::breakerctl
