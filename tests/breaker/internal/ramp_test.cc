// The ramp from half-open to closed, by itself.
#include "autobreaker/breaker/internal/ramp.h"

#include <chrono>
#include <cstdint>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/backoff.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::hours;
using ::std::chrono::milliseconds;

constexpr MonotonicTime kStart{std::chrono::hours(1)};

// After an open time of 100 ms and ten calls. Probes are numbered as they go.
class RampTest : public ::testing::Test {
 protected:
  static OpenTime OpenFor(MonotonicTime::duration shortest, uint64_t calls) {
    OpenTime time;
    time.shortest = shortest;
    time.longest = hours(1);
    time.calls = calls;
    return time;
  }

  bool Admits(int64_t in_flight) {
    return ramp_.Admits({next_, in_flight, overdue_, /*at_once=*/3, asked_},
                        now_);
  }
  int Admitted(int of, int64_t in_flight) {
    int admitted = 0;
    for (int i = 0; i < of; ++i) admitted += Admits(in_flight) ? 1 : 0;
    return admitted;
  }
  void End(bool failed, uint64_t probe, milliseconds taken = milliseconds(10)) {
    ramp_.Note(probe, failed, taken, overdue_, next_, now_);
  }
  // Calls that go and end.
  void Succeed(int times = 1) {
    for (int i = 0; i < times; ++i) End(/*failed=*/false, next_++);
  }
  void Fail(int times = 1) {
    for (int i = 0; i < times; ++i) End(/*failed=*/true, next_++);
  }
  MonotonicTime NextTurn(int64_t in_flight) const {
    return ramp_.NextTurn(in_flight, /*at_once=*/3, asked_, now_);
  }

  Ramp ramp_{/*break_even=*/0.5, OpenFor(milliseconds(100), 10), /*asked=*/0,
             kStart};
  MonotonicTime now_ = kStart;
  uint64_t next_ = 1;  // probe
  uint64_t asked_ = 0;
  int64_t overdue_ = 0;
};

// ------------------------------------------------------- Until one succeeds

TEST_F(RampTest, FirstProbeGoesAlone) {
  EXPECT_TRUE(Admits(/*in_flight=*/0));
  EXPECT_FALSE(Admits(/*in_flight=*/1));
  EXPECT_EQ(ramp_.share(), 0);
}

TEST_F(RampTest, AnotherGoesWhenTimeAndCallsOfAnOpenTimeHavePassed) {
  now_ = kStart + milliseconds(100);
  asked_ = 9;
  EXPECT_FALSE(Admits(1));
  asked_ = 10;
  EXPECT_TRUE(Admits(1));
  now_ = kStart + milliseconds(99);
  EXPECT_FALSE(Admits(1));
}

TEST_F(RampTest, ThirdGoesAfterTwiceAsMuch) {
  asked_ = 20;
  now_ = kStart + milliseconds(199);
  EXPECT_FALSE(Admits(2));
  now_ = kStart + milliseconds(200);
  EXPECT_TRUE(Admits(2));
  asked_ = 19;
  EXPECT_FALSE(Admits(2));
}

TEST_F(RampTest, SoManyAtOnceAndNoMoreUntilOneSucceeds) {
  now_ = kStart + hours(1);
  asked_ = 1'000'000;
  EXPECT_FALSE(Admits(3));
  EXPECT_EQ(NextTurn(3), MonotonicTime::max());
}

TEST_F(RampTest, TellsWhenTheNextMayGo) {
  EXPECT_EQ(NextTurn(1), kStart + milliseconds(100));
  EXPECT_EQ(NextTurn(2), kStart + milliseconds(200));
}

TEST_F(RampTest, LooksForCallsOnceAMillisecond) {
  now_ = kStart + milliseconds(150);
  EXPECT_EQ(NextTurn(1), now_ + milliseconds(1));
  asked_ = 10;
  EXPECT_EQ(NextTurn(1), now_);
}

TEST_F(RampTest, LongestOpenTimeDoesNotOverflow) {
  ramp_ = Ramp(0.5, OpenFor(hours(24 * 365), 10), 0, kStart);
  EXPECT_GT(ramp_.NextTurn(9'999, 10'000, 0, kStart), kStart);
}

TEST_F(RampTest, FirstFailureReopens) {
  Fail();
  EXPECT_TRUE(ramp_.reopens());
}

TEST_F(RampTest, FirstSuccessLetsAThirdGo) {
  Succeed();
  EXPECT_TRUE(ramp_.answered());
  EXPECT_DOUBLE_EQ(ramp_.share(), 1.0 / 3);
  EXPECT_EQ(NextTurn(3), now_);
}

// ------------------------------------------------------------------- Shares

TEST_F(RampTest, TwoSuccessesMoreThanFailuresGoAStepUp) {
  Succeed();
  for (const double share : {0.5, 0.75, 1.0}) {
    Succeed();
    Fail();
    Succeed();
    EXPECT_LT(ramp_.share(), share);
    Succeed();
    EXPECT_DOUBLE_EQ(ramp_.share(), share);
  }
}

TEST_F(RampTest, TwoFailuresMoreThanSuccessesGoAStepDown) {
  Succeed(7);
  for (const double share : {0.75, 0.5, 1.0 / 3}) {
    Fail();
    Succeed();
    Fail();
    EXPECT_GT(ramp_.share(), share);
    Fail();
    EXPECT_DOUBLE_EQ(ramp_.share(), share);
    EXPECT_FALSE(ramp_.reopens());
  }
}

TEST_F(RampTest, BelowAThirdItReopens) {
  Succeed();
  Fail();
  EXPECT_FALSE(ramp_.reopens());
  Fail();
  EXPECT_TRUE(ramp_.reopens());
}

TEST_F(RampTest, BalancesAtTheBreakEvenRate) {
  ramp_ = Ramp(0.2, OpenFor(milliseconds(100), 10), 0, kStart);
  Succeed();
  // One of five fails: neither up nor down.
  for (int i = 0; i < 100; ++i) {
    Succeed(2);
    Fail();
    Succeed(2);
  }
  EXPECT_DOUBLE_EQ(ramp_.share(), 1.0 / 3);
  Succeed(5);
  EXPECT_DOUBLE_EQ(ramp_.share(), 0.5);
}

TEST_F(RampTest, OtherBreakEvenRateWeighsResultsFromThenOn) {
  Succeed();
  Succeed();
  ramp_.SetBreakEven(0.25);
  Succeed();
  EXPECT_DOUBLE_EQ(ramp_.share(), 1.0 / 3);
  Succeed();
  EXPECT_DOUBLE_EQ(ramp_.share(), 0.5);
}

TEST_F(RampTest, ResultsOfAnotherShareDoNotCount) {
  Succeed();
  const uint64_t before = next_;
  next_ += 10;
  Succeed(2);
  ASSERT_DOUBLE_EQ(ramp_.share(), 0.5);
  for (uint64_t probe = before; probe < before + 10; ++probe) {
    End(/*failed=*/true, probe);
  }
  EXPECT_DOUBLE_EQ(ramp_.share(), 0.5);
  EXPECT_FALSE(ramp_.reopens());
}

TEST_F(RampTest, AdmitsTheShare) {
  Succeed(100);
  ASSERT_EQ(ramp_.share(), 1);
  EXPECT_EQ(Admitted(300, /*in_flight=*/4), 300);
  for (const double share : {0.75, 0.5, 1.0 / 3}) {
    while (ramp_.share() > share) Fail();
    ASSERT_DOUBLE_EQ(ramp_.share(), share);
    EXPECT_NEAR(Admitted(300, /*in_flight=*/4), 300 * share, 1);
  }
}

TEST_F(RampTest, FewAtOnceAlwaysGoOnceItAnswers) {
  Succeed();
  EXPECT_EQ(Admitted(100, /*in_flight=*/2), 100);
}

TEST_F(RampTest, NeverMoreUnderWayThanHaveSucceeded) {
  Succeed(7);
  EXPECT_EQ(Admitted(100, /*in_flight=*/6), 100);
  EXPECT_EQ(Admitted(100, /*in_flight=*/7), 0);
}

TEST_F(RampTest, NeverMoreUnderWayThanItHasRoomFor) {
  Succeed(20'000);
  EXPECT_FALSE(Admits(Ramp::kMostInFlight));
}

// ------------------------------------------------------------------ Overdue

TEST_F(RampTest, CallIsOverdueAfterTwiceTheSlowestSuccess) {
  for (const int ms : {10, 30, 20}) {
    End(/*failed=*/false, next_++, milliseconds(ms));
  }
  EXPECT_EQ(ramp_.OverdueBefore(kStart), kStart - milliseconds(60));
}

TEST_F(RampTest, CallsOfAnotherShareAreNotOverdue) {
  Succeed();
  EXPECT_EQ(ramp_.first_probe(), next_);
  const uint64_t before = next_;
  Succeed(2);
  EXPECT_GT(ramp_.first_probe(), before);
}

TEST_F(RampTest, OverdueCallsGoAStepDownBeforeTheyFail) {
  Succeed(5);
  overdue_ = 2;
  EXPECT_FALSE(Admits(/*in_flight=*/4));
  EXPECT_DOUBLE_EQ(ramp_.share(), 0.5);
}

TEST_F(RampTest, OverdueCallsHoldBackOthersButTheFew) {
  Succeed(10);
  overdue_ = 4;
  EXPECT_TRUE(Admits(/*in_flight=*/2));
  EXPECT_EQ(Admitted(100, /*in_flight=*/4), 0);
}

TEST_F(RampTest, SuccessesMakeUpForOverdueCallsAndNoMore) {
  Succeed(7);
  now_ += milliseconds(100);
  overdue_ = 1;
  Succeed(2);
  EXPECT_FALSE(ramp_.Closes(overdue_, now_));
  Succeed(1'000);
  EXPECT_TRUE(ramp_.Closes(overdue_, now_));
  EXPECT_FALSE(ramp_.Closes(overdue_ + 1, now_));
}

// ----------------------------------------------------------------- The end

TEST_F(RampTest, ClosesAfterTwoSuccessesWithAllCalls) {
  Succeed(7);
  now_ += milliseconds(100);
  EXPECT_FALSE(ramp_.Closes(0, now_));
  Succeed();
  EXPECT_FALSE(ramp_.Closes(0, now_));
  Succeed();
  EXPECT_TRUE(ramp_.Closes(0, now_));
}

TEST_F(RampTest, LetsAllCallsGoForAnOpenTimeBeforeItCloses) {
  now_ += milliseconds(30);
  Succeed(1'000);
  now_ += milliseconds(99);
  Succeed();
  EXPECT_FALSE(ramp_.Closes(0, now_));
  EXPECT_EQ(Admitted(100, /*in_flight=*/500), 100);
  now_ += milliseconds(1);
  Succeed();
  EXPECT_TRUE(ramp_.Closes(0, now_));
}

}  // namespace
}  // namespace autobreaker
