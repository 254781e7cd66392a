#include "autobreaker/tools/breakerctl/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "autobreaker/tools/breakerctl/command.h"

namespace autobreaker::breakerctl {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

// Of a line, whose last word may be empty.
std::vector<std::string> Complete(const std::string& line) {
  return Completions(absl::StrSplit(line, ' '),
                     [](const std::vector<std::string>&) {
                       return std::vector<std::string>{"a/s.T/M", "b/s.T/M"};
                     });
}

// The flags with which the breakers of a line are asked for.
std::vector<std::string> AsksWith(const std::string& line) {
  std::vector<std::string> asks = {"nobody is asked"};
  Completions(absl::StrSplit(line, ' '),
              [&asks](const std::vector<std::string>& flags) {
                asks = flags;
                return std::vector<std::string>();
              });
  return asks;
}

TEST(CompletionsTest, TheFirstWordIsACommand) {
  EXPECT_THAT(Complete(""), IsSupersetOf({"list", "set-mode", "config"}));
  EXPECT_THAT(Complete("re"), ElementsAre("reset"));
  EXPECT_THAT(Complete("--tls re"), ElementsAre("reset"));
  EXPECT_THAT(Complete("--address=a:1 re"), ElementsAre("reset"));
}

TEST(CompletionsTest, ACommandOfTwoWordsGoesOn) {
  EXPECT_THAT(Complete("config "), ElementsAre("check", "explain"));
  EXPECT_THAT(Complete("config explain a"), ElementsAre("a/s.T/M"));
  EXPECT_THAT(Complete("config check "), IsEmpty());  // a file
}

TEST(CompletionsTest, AKeyIsThatOfABreaker) {
  for (const char* verb : {"list", "watch", "get", "set-mode", "reset"}) {
    EXPECT_THAT(Complete(std::string(verb) + " "),
                ElementsAre("a/s.T/M", "b/s.T/M"))
        << verb;
  }
  EXPECT_THAT(Complete("get a/s.T/M "), IsEmpty());
}

TEST(CompletionsTest, FlagsSayWhereToAskForKeys) {
  EXPECT_THAT(AsksWith("get "), IsEmpty());
  EXPECT_THAT(AsksWith("--tls get --address=a:1 "),
              ElementsAre("--tls", "--address=a:1"));
  EXPECT_THAT(AsksWith("--address a:1 get "), ElementsAre("--address=a:1"));
}

TEST(CompletionsTest, FlagsOfOneCommandDoNotKeepFromAskingForKeys) {
  EXPECT_THAT(AsksWith("reset --all "), IsEmpty());
  EXPECT_THAT(AsksWith("set-mode --for=10m "), IsEmpty());
  EXPECT_THAT(AsksWith("set-mode --for 10m --tls "), ElementsAre("--tls"));
}

TEST(CompletionsTest, WhatFollowsAKeyIsTheCommands) {
  EXPECT_THAT(Complete("set-mode k f"),
              ElementsAre("forced-open", "forced-closed"));
  EXPECT_THAT(Complete("update k open.duration_m"),
              ElementsAre("open.duration_multiplier=", "open.duration_max="));
}

TEST(CompletionsTest, FlagsAreThoseOfTheCommand) {
  EXPECT_THAT(Complete("list --s"), ElementsAre("--server-name=", "--state="));
  EXPECT_THAT(Complete("get --s"), ElementsAre("--server-name="));
  EXPECT_THAT(Complete("reset k --a"), ElementsAre("--address=", "--all"));
}

TEST(CompletionsTest, ValuesOfAFlagFollowItEitherWay) {
  EXPECT_THAT(Complete("list --output=w"), ElementsAre("--output=wide"));
  EXPECT_THAT(Complete("list --output w"), ElementsAre("wide"));
  EXPECT_THAT(Complete("list --address w"), IsEmpty());
}

TEST(CompletionsTest, EveryCommandAndFlagIsThere) {
  for (const std::string& verb : VerbWords()) {
    for (const FlagWords& flag : FlagsOf(verb)) {
      EXPECT_THAT(Complete(verb + " --"),
                  Contains("--" + flag.name + (flag.has_value ? "=" : "")));
    }
  }
  EXPECT_THAT(VerbWords(), Not(IsEmpty()));
}

}  // namespace
}  // namespace autobreaker::breakerctl
