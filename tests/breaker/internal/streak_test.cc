#include "autobreaker/breaker/internal/streak.h"

#include <atomic>
#include <cstdint>

#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

// Generation 0 is current, and there were 100 successes before.
class StreakTest : public ::testing::Test {
 protected:
  StreakTest() { streak_.Restart(100, 0); }

  FailureStreak streak_;
};

TEST_F(StreakTest, StartsAtNothing) {
  EXPECT_EQ(streak_.Failures(100), 0);
  EXPECT_EQ(streak_.Successes(100), 0);
}

TEST_F(StreakTest, FailuresAddUp) {
  EXPECT_EQ(streak_.AddFailure(100, 0), 1);
  EXPECT_EQ(streak_.AddFailure(100, 0), 2);
  EXPECT_EQ(streak_.AddFailure(100, 0), 3);
  EXPECT_EQ(streak_.Failures(100), 3);
}

TEST_F(StreakTest, SuccessEndsTheRow) {
  streak_.AddFailure(100, 0);
  streak_.AddFailure(100, 0);
  EXPECT_EQ(streak_.Failures(101), 0);
  EXPECT_EQ(streak_.AddFailure(101, 0), 1);
}

TEST_F(StreakTest, SuccessesAddUp) { EXPECT_EQ(streak_.Successes(107), 7); }

TEST_F(StreakTest, FailureEndsTheSuccesses) {
  streak_.AddFailure(107, 0);
  EXPECT_EQ(streak_.Successes(107), 0);
  EXPECT_EQ(streak_.Successes(109), 2);
}

TEST_F(StreakTest, RestartStartsOver) {
  streak_.AddFailure(100, 0);
  streak_.Restart(105, 1);
  EXPECT_EQ(streak_.Failures(105), 0);
  EXPECT_EQ(streak_.Successes(105), 0);
  EXPECT_EQ(streak_.AddFailure(105, 1), 1);
}

TEST_F(StreakTest, FailureOfAnEarlierGenerationChangesNothing) {
  streak_.Restart(100, 1);
  streak_.AddFailure(100, 1);
  EXPECT_EQ(streak_.AddFailure(100, 0), 0);
  EXPECT_EQ(streak_.Failures(100), 1);
}

TEST_F(StreakTest, GenerationsBeyondTheStoredBitsWork) {
  streak_.Restart(100, 256 + 7);
  EXPECT_EQ(streak_.AddFailure(100, 256 + 7), 1);
  EXPECT_EQ(streak_.AddFailure(100, 256 + 6), 0);
}

TEST_F(StreakTest, CountsThroughAMillion) {
  int64_t row = 0;
  for (int i = 0; i < 1'000'000; ++i) row = streak_.AddFailure(100, 0);
  EXPECT_EQ(row, 1'000'000);
}

TEST_F(StreakTest, StopsAtTheTopInsteadOfStartingOver) {
  int64_t row = 0;
  for (int i = 0; i < (1 << 20) + 10; ++i) row = streak_.AddFailure(100, 0);
  EXPECT_EQ(row, (1 << 20) - 1);
  EXPECT_EQ(streak_.Failures(100), (1 << 20) - 1);
}

TEST_F(StreakTest, StaysRightWhenStoredSuccessesWrap) {
  const uint64_t top = (uint64_t{1} << 36) - 1;
  streak_.Restart(top, 0);
  EXPECT_EQ(streak_.AddFailure(top, 0), 1);
  EXPECT_EQ(streak_.Successes(top + 3), 3);
  EXPECT_EQ(streak_.AddFailure(top + 3, 0), 1);
  EXPECT_EQ(streak_.AddFailure(top + 3, 0), 2);
}

// The totals are read before the failure is noted, so two failures at once may
// come here in the other order.
TEST_F(StreakTest, FailureThatReadOlderTotalsJoinsTheRow) {
  EXPECT_EQ(streak_.AddFailure(105, 0), 1);
  EXPECT_EQ(streak_.AddFailure(104, 0), 2);
  EXPECT_EQ(streak_.AddFailure(105, 0), 3);
}

TEST_F(StreakTest, ReaderOfOlderTotalsSeesTheRow) {
  streak_.AddFailure(105, 0);
  EXPECT_EQ(streak_.Failures(104), 1);
  EXPECT_EQ(streak_.Successes(104), 0);
}

TEST_F(StreakTest, BillionsOfSuccessesEndTheRow) {
  streak_.AddFailure(100, 0);
  const uint64_t later = 100 + 50'000'000'000;
  EXPECT_EQ(streak_.Failures(later), 0);
  EXPECT_EQ(streak_.Successes(later), 50'000'000'000);
  EXPECT_EQ(streak_.AddFailure(later, 0), 1);
}

TEST_F(StreakTest, GapBearsSoManySuccessesBetweenTwoFailures) {
  EXPECT_EQ(streak_.AddFailure(100, 0, /*gap=*/2), 1);
  EXPECT_EQ(streak_.AddFailure(102, 0, /*gap=*/2), 2);
  EXPECT_EQ(streak_.AddFailure(104, 0, /*gap=*/2), 3);
  EXPECT_EQ(streak_.AddFailure(107, 0, /*gap=*/2), 1);
}

TEST_F(StreakTest, RowWithAGapIsOverAfterOneSuccessMore) {
  streak_.AddFailure(100, 0, /*gap=*/2);
  EXPECT_EQ(streak_.Failures(102, /*gap=*/2), 1);
  EXPECT_EQ(streak_.Failures(103, /*gap=*/2), 0);
}

// The gap is that of now: a row that another gap made is measured by it.
TEST_F(StreakTest, GapIsThatOfTheQuestion) {
  streak_.AddFailure(100, 0, /*gap=*/5);
  EXPECT_EQ(streak_.Failures(104, /*gap=*/5), 1);
  EXPECT_EQ(streak_.Failures(104, /*gap=*/3), 0);
  EXPECT_EQ(streak_.AddFailure(104, 0, /*gap=*/3), 1);
}

TEST_F(StreakTest, FailureThatReadOlderTotalsDoesNotWidenTheGap) {
  streak_.AddFailure(105, 0, /*gap=*/2);
  EXPECT_EQ(streak_.AddFailure(101, 0, /*gap=*/2), 2);
  EXPECT_EQ(streak_.AddFailure(107, 0, /*gap=*/2), 3);
}

TEST_F(StreakTest, FailuresOnManyThreadsAllCount) {
  RunThreads(8, [this](int) {
    for (int i = 0; i < 10'000; ++i) streak_.AddFailure(100, 0);
  });
  EXPECT_EQ(streak_.Failures(100), 80'000);
}

TEST_F(StreakTest, EveryLengthIsAnsweredToOneFailureOnly) {
  std::atomic<int64_t> sum{0};
  RunThreads(8, [&](int) {
    for (int i = 0; i < 1'000; ++i) sum += streak_.AddFailure(100, 0);
  });
  EXPECT_EQ(sum.load(), 8'000 * 8'001 / 2);
}

}  // namespace
}  // namespace autobreaker
