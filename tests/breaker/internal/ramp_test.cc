// The ramp from half-open to closed, by itself.
#include "autobreaker/breaker/internal/ramp.h"

#include <chrono>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/evidence.h"
#include "autobreaker/breaker/options.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::milliseconds;

constexpr MonotonicTime kStart{std::chrono::hours(1)};

class RampTest : public ::testing::Test {
 protected:
  bool Admits(int64_t in_flight, MonotonicTime now = kStart) {
    return ramp_.Admits({in_flight, overdue_}, /*at_once=*/3, now);
  }
  void Succeed(milliseconds taken = milliseconds(10)) {
    ramp_.Note(/*failed=*/false, taken);
  }
  void Fail() { ramp_.Note(/*failed=*/true, milliseconds(10)); }

  Ramp ramp_{EvidenceRule::From(TripOptions()), milliseconds(100), kStart};
  int64_t overdue_ = 0;
};

TEST_F(RampTest, FirstProbeGoesAlone) {
  EXPECT_TRUE(Admits(/*in_flight=*/0));
  EXPECT_FALSE(Admits(/*in_flight=*/1));
}

TEST_F(RampTest, AnotherGoesWhenTheFirstTakesAnOpenTime) {
  EXPECT_FALSE(Admits(1, kStart + milliseconds(99)));
  EXPECT_TRUE(Admits(1, kStart + milliseconds(100)));
  EXPECT_FALSE(Admits(2, kStart + milliseconds(199)));
  EXPECT_TRUE(Admits(2, kStart + milliseconds(200)));
}

TEST_F(RampTest, SoManyAtOnceAndNoMoreUntilOneSucceeds) {
  EXPECT_FALSE(Admits(3, kStart + std::chrono::hours(1)));
}

TEST_F(RampTest, TellsWhenTheNextMayGo) {
  EXPECT_EQ(ramp_.NextTurn(1, 3, kStart), kStart + milliseconds(100));
  EXPECT_EQ(ramp_.NextTurn(2, 3, kStart), kStart + milliseconds(200));
  EXPECT_EQ(ramp_.NextTurn(3, 3, kStart), std::nullopt);
  Succeed();
  EXPECT_EQ(ramp_.NextTurn(3, 3, kStart), kStart);
}

TEST_F(RampTest, FirstFailureReopens) {
  Fail();
  EXPECT_TRUE(ramp_.reopens());
}

TEST_F(RampTest, OneFailureAfterASuccessDoesNotReopen) {
  Succeed();
  Fail();
  EXPECT_FALSE(ramp_.reopens());
}

TEST_F(RampTest, TwoFailuresAfterASuccessReopen) {
  Succeed();
  Fail();
  Fail();
  EXPECT_TRUE(ramp_.reopens());
}

TEST_F(RampTest, ByDefault25SuccessesClose) {
  int successes = 0;
  while (!ramp_.Closes(/*overdue=*/0) && successes < 1000) {
    Succeed();
    ++successes;
  }
  EXPECT_LE(ramp_.level(), Ramp::kCloses);
  EXPECT_EQ(successes, 25);
}

TEST_F(RampTest, FewAtOnceAlwaysGoOnceItAnswers) {
  Succeed();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Admits(/*in_flight=*/2));
}

TEST_F(RampTest, NeverMoreUnderWayThanHaveSucceeded) {
  for (int i = 0; i < 5; ++i) Succeed();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(Admits(/*in_flight=*/5));
}

TEST_F(RampTest, AdmitsTheShareThatTheEvidenceSays) {
  for (int i = 0; i < 10; ++i) Succeed();
  const double share = ramp_.Share(0);
  ASSERT_GT(share, 0.3);
  ASSERT_LT(share, 0.9);
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += Admits(/*in_flight=*/4) ? 1 : 0;
  EXPECT_NEAR(admitted, 1000 * share, 1);
}

TEST_F(RampTest, ShareGrowsWithSuccessesAndFallsWithFailures) {
  EXPECT_EQ(ramp_.Share(0), 0);
  for (int i = 0; i < 10; ++i) Succeed();
  const double before = ramp_.Share(0);
  Succeed();
  EXPECT_GT(ramp_.Share(0), before);
  Fail();
  EXPECT_LT(ramp_.Share(0), before);
}

TEST_F(RampTest, LongestOpenTimeDoesNotOverflow) {
  ramp_ = Ramp(EvidenceRule::From(TripOptions()), std::chrono::hours(24 * 365),
               kStart);
  EXPECT_GT(ramp_.NextTurn(9'999, 10'000, kStart), kStart);
}

TEST_F(RampTest, CallIsOverdueAfterTwiceTheSlowestSuccess) {
  Succeed(milliseconds(10));
  Succeed(milliseconds(30));
  Succeed(milliseconds(20));
  EXPECT_EQ(ramp_.OverdueBefore(kStart), kStart - milliseconds(60));
}

TEST_F(RampTest, OverdueCallsLowerTheShare) {
  for (int i = 0; i < 10; ++i) Succeed();
  EXPECT_LT(ramp_.Share(1), ramp_.Share(0));
  EXPECT_EQ(ramp_.Share(10), 0);
}

TEST_F(RampTest, OverdueCallsHoldBackOthersButTheFew) {
  for (int i = 0; i < 10; ++i) Succeed();
  overdue_ = 4;
  EXPECT_TRUE(Admits(/*in_flight=*/2));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(Admits(/*in_flight=*/4));
}

TEST_F(RampTest, DoesNotCloseWhileCallsAreOverdue) {
  for (int i = 0; i < 30; ++i) Succeed();
  EXPECT_FALSE(ramp_.Closes(/*overdue=*/4));
  EXPECT_TRUE(ramp_.Closes(/*overdue=*/0));
}

TEST_F(RampTest, FewOverdueCallsAmongManySuccessesLetItClose) {
  // One in twenty-five.
  for (int i = 0; i < 100; ++i) Succeed();
  EXPECT_TRUE(ramp_.Closes(/*overdue=*/4));
}

TEST_F(RampTest, NeverMoreUnderWayThanItHasRoomFor) {
  for (int i = 0; i < 20'000; ++i) Succeed();
  EXPECT_FALSE(Admits(Ramp::kMostInFlight));
}

TEST_F(RampTest, LevelNeverFallsBelowNone) {
  TripOptions options;
  options.evidence->calls_per_false_opening = 1;
  ramp_.SetWeights(EvidenceRule::From(options));
  Succeed();
  EXPECT_TRUE(ramp_.Closes(/*overdue=*/0));
  EXPECT_GE(ramp_.level(), 0);
}

}  // namespace
}  // namespace autobreaker
