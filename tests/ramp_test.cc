// The ramp from half-open to closed, by itself.
#include "breaker/ramp.h"

#include <chrono>

#include "breaker/clock.h"
#include "breaker/evidence.h"
#include "breaker/options.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::milliseconds;

constexpr MonotonicTime kStart{std::chrono::hours(1)};

class RampTest : public ::testing::Test {
 protected:
  RampTest() { ramp_.Restart(kStart, milliseconds(100)); }

  bool Admits(int64_t in_flight, MonotonicTime now = kStart) {
    return ramp_.Admits(in_flight, /*at_once=*/3, now);
  }
  Ramp::Verdict Succeed() { return ramp_.Judge(rule_, /*failed=*/false); }
  Ramp::Verdict Fail() { return ramp_.Judge(rule_, /*failed=*/true); }

  const EvidenceRule rule_ = EvidenceRule::From(BreakerOptions());
  Ramp ramp_;
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
  EXPECT_EQ(ramp_.NextTurn(3, 3, kStart), MonotonicTime::max());
  Succeed();
  EXPECT_EQ(ramp_.NextTurn(3, 3, kStart), kStart);
}

TEST_F(RampTest, FirstFailureReopens) {
  EXPECT_EQ(Fail(), Ramp::Verdict::kReopen);
}

TEST_F(RampTest, OneFailureAfterASuccessDoesNotReopen) {
  EXPECT_EQ(Succeed(), Ramp::Verdict::kNone);
  EXPECT_EQ(Fail(), Ramp::Verdict::kNone);
}

TEST_F(RampTest, TwoFailuresAfterASuccessReopen) {
  Succeed();
  Fail();
  EXPECT_EQ(Fail(), Ramp::Verdict::kReopen);
}

TEST_F(RampTest, SuccessesAloneClose) {
  int successes = 1;
  while (Succeed() == Ramp::Verdict::kNone && successes < 1000) ++successes;
  EXPECT_LE(ramp_.level(), Ramp::kCloses);
  EXPECT_GT(successes, 10);
  EXPECT_LT(successes, 40);
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
  const double share = ramp_.share();
  ASSERT_GT(share, 0.3);
  ASSERT_LT(share, 0.9);
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += Admits(/*in_flight=*/4) ? 1 : 0;
  EXPECT_NEAR(admitted, 1000 * share, 1);
}

TEST_F(RampTest, ShareGrowsWithSuccessesAndFallsWithFailures) {
  EXPECT_EQ(ramp_.share(), 0);
  for (int i = 0; i < 10; ++i) Succeed();
  const double before = ramp_.share();
  Succeed();
  EXPECT_GT(ramp_.share(), before);
  Fail();
  EXPECT_LT(ramp_.share(), before);
}

TEST_F(RampTest, RestartForgetsEverything) {
  for (int i = 0; i < 10; ++i) Succeed();
  ramp_.Restart(kStart, milliseconds(100));
  EXPECT_FALSE(ramp_.answered());
  EXPECT_EQ(ramp_.level(), 1);
  EXPECT_FALSE(Admits(/*in_flight=*/1));
}

TEST_F(RampTest, LongestOpenTimeDoesNotOverflow) {
  ramp_.Restart(kStart, std::chrono::hours(24 * 365));
  EXPECT_GT(ramp_.NextTurn(9'999, 10'000, kStart), kStart);
}

TEST_F(RampTest, LevelNeverFallsBelowNone) {
  BreakerOptions options;
  options.sequential->calls_per_false_opening = 1;
  const EvidenceRule rule = EvidenceRule::From(options);
  EXPECT_EQ(ramp_.Judge(rule, /*failed=*/false), Ramp::Verdict::kClose);
  EXPECT_GE(ramp_.level(), 0);
}

}  // namespace
}  // namespace autobreaker
