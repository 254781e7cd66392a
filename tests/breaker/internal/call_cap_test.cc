#include "autobreaker/breaker/internal/call_cap.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

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

TEST_F(CallCapTest, ThreadsHoldNoMorePlacesThanThereAre) {
  std::atomic<int> held{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200'000; ++i) {
        if (!cap_.Take()) continue;
        const int now = ++held;
        if (now > most) most = now;
        --held;
        cap_.GiveBack();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 2);
  EXPECT_EQ(cap_.taken(), cap_.given_back());
}

}  // namespace
}  // namespace autobreaker
