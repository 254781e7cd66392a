// What the measures of the decision benchmark count.

#include "autobreaker/simulation/measures.h"

#include <vector>

#include "autobreaker/simulation/world.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

Call At(double seconds, Phase phase) {
  Call call;
  call.at = Seconds(seconds);
  call.phase = phase;
  return call;
}

EpisodeTally NewTally() { return EpisodeTally(Seconds(20)); }

constexpr bool kAdmitted = true;
constexpr bool kRefused = false;
constexpr bool kFails = true;
constexpr bool kGood = false;

TEST(EpisodeTally, WhatComesBeforeDoesNotCount) {
  EpisodeTally tally = NewTally();
  tally.Note(At(1, Phase::kBefore), kAdmitted, kFails);
  tally.Note(At(2, Phase::kBefore), kRefused, kGood);
  EXPECT_FALSE(tally.opened());
  EXPECT_EQ(tally.failed_admitted(), 0);
  EXPECT_EQ(tally.good_refused_during(), 0);
}

TEST(EpisodeTally, TheFirstRefusalIsTheOpening) {
  EpisodeTally tally = NewTally();
  tally.Note(At(11, Phase::kDuring), kAdmitted, kFails);
  tally.Note(At(12, Phase::kDuring), kAdmitted, kGood);
  tally.Note(At(13, Phase::kDuring), kRefused, kFails);
  tally.Note(At(14, Phase::kDuring), kAdmitted, kFails);
  EXPECT_TRUE(tally.opened());
  EXPECT_EQ(tally.failed_before_opening(), 1);
  EXPECT_EQ(tally.failed_admitted(), 2);
}

TEST(EpisodeTally, OneThatWasOpenBeforeDoesNotOpen) {
  EpisodeTally tally = NewTally();
  tally.Note(At(9, Phase::kBefore), kRefused, kGood);
  tally.Note(At(11, Phase::kDuring), kAdmitted, kFails);
  tally.Note(At(12, Phase::kDuring), kRefused, kFails);
  EXPECT_FALSE(tally.opened());
  EXPECT_EQ(tally.failed_before_opening(), 1);
}

TEST(EpisodeTally, OnlyGoodCallsAreMissed) {
  EpisodeTally tally = NewTally();
  tally.Note(At(11, Phase::kDuring), kRefused, kFails);
  tally.Note(At(12, Phase::kDuring), kRefused, kGood);
  tally.Note(At(21, Phase::kAfter), kRefused, kGood);
  EXPECT_EQ(tally.good_refused_during(), 1);
  EXPECT_EQ(tally.good_refused_after(), 1);
}

TEST(EpisodeTally, RecoveryIsTheLastRefusal) {
  EpisodeTally tally = NewTally();
  tally.Note(At(21, Phase::kAfter), kRefused, kGood);
  tally.Note(At(22, Phase::kAfter), kAdmitted, kGood);
  tally.Note(At(23, Phase::kAfter), kRefused, kGood);
  tally.Note(At(24, Phase::kAfter), kAdmitted, kGood);
  EXPECT_EQ(tally.recovery(), Seconds(3));
}

TEST(EpisodeTally, FailuresCountUntilFullService) {
  EpisodeTally tally = NewTally();
  tally.Note(At(21, Phase::kAfter), kAdmitted, kFails);
  EXPECT_EQ(tally.failed_admitted(), 0);
  tally.Note(At(22, Phase::kAfter), kRefused, kGood);
  EXPECT_EQ(tally.failed_admitted(), 1);
}

TEST(EpisodeTally, CallsToADeadServerCountOnceItHasOpened) {
  EpisodeTally tally = NewTally();
  for (int i = 0; i < 10; ++i) {
    Call call = At(10 + i, Phase::kDuring);
    call.dead = true;
    tally.Note(call, /*admitted=*/i != 4, kFails);
  }
  EXPECT_EQ(tally.dead_calls(), 5);
  EXPECT_EQ(tally.dead_time(), Seconds(5));
}

TEST(EpisodeTally, AllCallsToADeadServerCountIfItNeverOpens) {
  EpisodeTally tally = NewTally();
  for (int i = 0; i < 10; ++i) {
    Call call = At(10 + i, Phase::kDuring);
    call.dead = true;
    tally.Note(call, kAdmitted, kFails);
  }
  EXPECT_EQ(tally.dead_calls(), 10);
  EXPECT_EQ(tally.dead_time(), Seconds(9));
}

TEST(EpisodeTally, IsOverWhenItHasBeenQuietForLong) {
  EpisodeTally tally = NewTally();
  tally.Note(At(20, Phase::kAfter), kRefused, kGood);
  for (int i = 0; i < 99; ++i) {
    tally.Note(At(21, Phase::kAfter), kAdmitted, kGood);
  }
  EXPECT_FALSE(tally.Over(Seconds(26)));
  tally.Note(At(21, Phase::kAfter), kAdmitted, kGood);
  EXPECT_FALSE(tally.Over(Seconds(25)));
  EXPECT_TRUE(tally.Over(Seconds(26)));
}

TEST(Measures, AnsweredIsOfWhatWasAskedForDuring) {
  EpisodeTally tally = NewTally();
  tally.Note(At(11, Phase::kDuring), kAdmitted, kGood);
  tally.Note(At(12, Phase::kDuring), kAdmitted, kFails);
  tally.Note(At(13, Phase::kDuring), kRefused, kGood);
  tally.Note(At(14, Phase::kDuring), kRefused, kFails);
  tally.Note(At(21, Phase::kAfter), kAdmitted, kGood);
  EXPECT_EQ(Summarize({tally}).answered_share, 0.25);
}

TEST(NoiseTally, RefusalsCloseTogetherAreOneOpening) {
  NoiseTally tally;
  tally.Note(kRefused);
  tally.Note(kAdmitted);
  tally.Note(kRefused);
  EXPECT_EQ(tally.openings(), 1);
  for (int i = 0; i < 20; ++i) tally.Note(kAdmitted);
  tally.Note(kRefused);
  EXPECT_EQ(tally.openings(), 2);
}

TEST(Measures, TheMedianIsOfEpisodes) {
  std::vector<EpisodeTally> tallies;
  for (const int failed : {1, 2, 30}) {
    EpisodeTally tally = NewTally();
    for (int i = 0; i < failed; ++i) {
      tally.Note(At(11, Phase::kDuring), kAdmitted, kFails);
    }
    tallies.push_back(tally);
  }
  EXPECT_EQ(Summarize(tallies).failed_before_opening_median, 2);
  EXPECT_EQ(Summarize(tallies).failed_admitted, 11);
}

}  // namespace
}  // namespace autobreaker::decisions
