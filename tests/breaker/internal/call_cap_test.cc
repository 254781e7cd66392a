#include "autobreaker/breaker/internal/call_cap.h"

#include <atomic>
#include <cstdint>
#include <thread>

#include "gtest/gtest.h"

namespace autobreaker {
namespace {

class CallCapTest : public ::testing::Test {
 protected:
  CallCapTest() { cap_.Set(2, /*others_count=*/false); }

  CallCap cap_;
};

TEST_F(CallCapTest, HasAsManyPlacesAsItsLimit) {
  EXPECT_TRUE(cap_.Take());
  EXPECT_TRUE(cap_.HasRoom());
  EXPECT_TRUE(cap_.Take());
  EXPECT_FALSE(cap_.HasRoom());
  EXPECT_FALSE(cap_.Take());
}

TEST_F(CallCapTest, APlaceGivenBackCanBeTaken) {
  cap_.Take();
  cap_.Take();
  cap_.GiveBack();
  EXPECT_TRUE(cap_.Take());
  EXPECT_FALSE(cap_.Take());
}

TEST_F(CallCapTest, AnotherLimitKeepsWhatIsTaken) {
  cap_.Take();
  cap_.Take();
  cap_.Set(3, false);
  EXPECT_TRUE(cap_.Take());
  cap_.Set(1, false);
  cap_.GiveBack();
  cap_.GiveBack();
  EXPECT_FALSE(cap_.Take());
  cap_.GiveBack();
  EXPECT_TRUE(cap_.Take());
}

TEST_F(CallCapTest, NoneGoesBeforeOthersAreCounted) {
  cap_.Set(2, /*others_count=*/true);
  EXPECT_FALSE(cap_.Take());
  cap_.LowerOthers(cap_.others(), 1);
  EXPECT_TRUE(cap_.Take());
  EXPECT_FALSE(cap_.Take());
  cap_.LowerOthers(1, 0);
  EXPECT_TRUE(cap_.Take());
}

TEST_F(CallCapTest, SetAgainOthersAreStillKnown) {
  cap_.Set(2, /*others_count=*/true);
  cap_.LowerOthers(cap_.others(), 1);
  cap_.Set(3, /*others_count=*/true);
  EXPECT_EQ(cap_.others(), 1);
}

TEST_F(CallCapTest, WhatWasCountedBeforeItWasTurnedOffAndOnDoesNotCount) {
  cap_.Set(2, /*others_count=*/true);
  const int64_t before = cap_.others();
  cap_.Set(2, /*others_count=*/false);
  EXPECT_EQ(cap_.others(), 0);
  cap_.Set(2, /*others_count=*/true);
  cap_.LowerOthers(before, 0);
  EXPECT_FALSE(cap_.Take());
}

TEST_F(CallCapTest, CountsWhatWasTakenGivenBackAndRefused) {
  cap_.Take();
  cap_.Take();
  cap_.Take();
  cap_.GiveBack();
  cap_.CountRefused(/*shadow=*/false);
  cap_.CountRefused(/*shadow=*/true);
  cap_.CountRefused(/*shadow=*/true);
  EXPECT_EQ(cap_.taken(), 2u);
  EXPECT_EQ(cap_.given_back(), 1u);
  EXPECT_EQ(cap_.refused(), 1u);
  EXPECT_EQ(cap_.shadow_refused(), 2u);
}

// Two threads ask for the last place at the same moment, or one a little later:
// what they have in between is a few instructions long.
TEST_F(CallCapTest, OfTwoThreadsThatAskAtOnceOneGetsTheLastPlace) {
  constexpr int kRounds = 200'000;
  cap_.Set(1, /*others_count=*/false);
  std::atomic<int> met{0};
  std::atomic<int> held{0};
  std::atomic<int> too_many{0};
  const auto meet = [&met](int all) {
    ++met;
    for (int i = 0; met < all; ++i) {
      if (i > 200) std::this_thread::yield();
    }
  };
  const auto ask = [&](int64_t thread) {
    for (int round = 0; round < kRounds; ++round) {
      meet(4 * round + 2);
      const int64_t wait = round * (thread + 1) * 7 % 101;
      for (volatile int64_t i = 0; i < wait; i = i + 1) {
      }
      const bool taken = cap_.Take();
      if (taken && ++held > 1) ++too_many;
      meet(4 * round + 4);
      if (!taken) continue;
      --held;
      cap_.GiveBack();
    }
  };
  std::thread other(ask, 0);
  ask(1);
  other.join();
  EXPECT_EQ(too_many, 0);
  EXPECT_EQ(cap_.taken(), uint64_t{kRounds}) << "one in each";
  EXPECT_EQ(cap_.taken(), cap_.given_back());
}

}  // namespace
}  // namespace autobreaker
