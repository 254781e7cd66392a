// The ramp from half-open to closed, by itself.
#include "autobreaker/breaker/internal/ramp.h"

#include <chrono>
#include <cstdint>
#include <limits>

#include "autobreaker/breaker/clock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::hours;
using ::std::chrono::milliseconds;
using ::std::chrono::nanoseconds;

constexpr MonotonicTime kStart{hours(1)};
constexpr double kShares[] = {1.0 / 3, 1.0 / 2, 3.0 / 4, 1};

// Was open for ten calls, 100 ms to 30 s, when 1,000 calls had been asked for.
class RampTest : public ::testing::Test {
 protected:
  bool Admits(int64_t in_flight, int64_t at_once = 3) {
    return ramp_.Admits({next_probe_, in_flight, overdue_, at_once, asked_},
                        now_);
  }
  void Note(uint64_t probe, bool failed, milliseconds taken) {
    ramp_.Note(probe, failed, taken, overdue_, next_probe_, now_);
  }
  // A probe that goes now and ends.
  void Succeed(milliseconds taken = milliseconds(10)) {
    Note(next_probe_++, /*failed=*/false, taken);
  }
  void Fail() { Note(next_probe_++, /*failed=*/true, milliseconds(10)); }
  void Succeed(int times) {
    for (int i = 0; i < times; ++i) Succeed();
  }

  // The first probe succeeds, and then so many as lead up to that share.
  void ClimbTo(int step) {
    Succeed(1 + 2 * step);
    ASSERT_EQ(ramp_.share(), kShares[step]);
  }

  const OpenTime open_time_{/*shortest=*/milliseconds(100),
                            /*longest=*/std::chrono::seconds(30), /*calls=*/10};
  Ramp ramp_{/*break_even=*/0.5, open_time_, /*asked=*/1000, kStart};
  MonotonicTime now_ = kStart;
  uint64_t asked_ = 1000;
  uint64_t next_probe_ = 1;
  int64_t overdue_ = 0;
};

// ---------------------------------------------------------- The first probe

TEST_F(RampTest, FirstProbeGoesAlone) {
  EXPECT_TRUE(Admits(/*in_flight=*/0));
  EXPECT_FALSE(Admits(/*in_flight=*/1));
}

TEST_F(RampTest, AnotherGoesAfterAsManyCallsAndTimeAsItWasOpenFor) {
  for (int more = 1; more <= 2; ++more) {
    now_ = kStart + more * milliseconds(100) - nanoseconds(1);
    asked_ = 1000 + more * 10;
    EXPECT_FALSE(Admits(more)) << more;
    now_ += nanoseconds(1);
    --asked_;
    EXPECT_FALSE(Admits(more)) << more;
    ++asked_;
    EXPECT_TRUE(Admits(more)) << more;
  }
}

TEST_F(RampTest, TimeAloneLetsNoOtherGo) {
  now_ = kStart + hours(10);
  EXPECT_FALSE(Admits(/*in_flight=*/1));
}

TEST_F(RampTest, SoManyAtOnceAndNoMoreUntilOneSucceeds) {
  now_ = kStart + hours(1);
  asked_ = 1'000'000;
  EXPECT_TRUE(Admits(2));
  EXPECT_FALSE(Admits(3));
}

TEST_F(RampTest, TellsWhenTheNextMayGo) {
  EXPECT_EQ(ramp_.NextTurn(1, 3, asked_, now_), kStart + milliseconds(100));
  EXPECT_EQ(ramp_.NextTurn(2, 3, asked_, now_), kStart + milliseconds(200));
}

TEST_F(RampTest, NoneGoesUntilOneEndsWhereAllAreUnderWay) {
  EXPECT_EQ(ramp_.NextTurn(3, 3, asked_, now_), MonotonicTime::max());
}

TEST_F(RampTest, AsksOnceAMillisecondWhileCallsAreMissing) {
  now_ = kStart + milliseconds(250);
  EXPECT_EQ(ramp_.NextTurn(1, 3, asked_ + 9, now_), now_ + milliseconds(1));
  EXPECT_EQ(ramp_.NextTurn(1, 3, asked_ + 10, now_), now_);
}

TEST_F(RampTest, EachCallMayAskOnceOneHasSucceeded) {
  Succeed();
  EXPECT_EQ(ramp_.NextTurn(3, 3, asked_, now_), now_);
}

TEST_F(RampTest, LongestOpenTimeDoesNotOverflow) {
  const MonotonicTime::duration year = hours(24 * 365);
  const Ramp ramp(0.5, {year, year, std::numeric_limits<uint64_t>::max()},
                  /*asked=*/0, kStart);
  EXPECT_GT(ramp.NextTurn(9'999, 10'000, /*asked=*/1, kStart), kStart);
}

TEST_F(RampTest, FirstFailureReopens) {
  Fail();
  EXPECT_TRUE(ramp_.reopens());
  EXPECT_EQ(ramp_.share(), 0);
}

TEST_F(RampTest, FirstSuccessLetsAThirdThrough) {
  EXPECT_EQ(ramp_.share(), 0);
  Succeed();
  EXPECT_EQ(ramp_.share(), 1.0 / 3);
}

// --------------------------------------------------------------- Up and down

TEST_F(RampTest, TwoSuccessesLeadToEachLargerShare) {
  Succeed();
  for (const double share : kShares) {
    EXPECT_EQ(ramp_.share(), share);
    Succeed();
    EXPECT_EQ(ramp_.share(), share);
    Succeed();
  }
  EXPECT_EQ(ramp_.share(), 1);
}

TEST_F(RampTest, TwoFailuresLeadToEachSmallerShareAndThenReopen) {
  ClimbTo(3);
  for (int step = 3; step >= 0; --step) {
    EXPECT_EQ(ramp_.share(), kShares[step]);
    Fail();
    EXPECT_EQ(ramp_.share(), kShares[step]);
    EXPECT_FALSE(ramp_.reopens());
    Fail();
    EXPECT_EQ(ramp_.reopens(), step == 0);
  }
}

TEST_F(RampTest, FailuresAndSuccessesInTurnsLeadNowhere) {
  ClimbTo(1);
  for (int i = 0; i < 1000; ++i) {
    Succeed();
    Fail();
  }
  EXPECT_EQ(ramp_.share(), 1.0 / 2);
}

TEST_F(RampTest, LeadsUpWhereFewerThanTheBreakEvenRateFailAndDownWhereMore) {
  for (const double rate : {0.25, 0.5, 0.75}) {  // exact in binary
    for (const int better : {-1, 0, 1}) {
      ramp_ = Ramp(rate, open_time_, asked_, kStart);
      ClimbTo(0);
      const int failures = static_cast<int>(rate * 16) - better;
      // 16 calls, spread evenly, many times over.
      for (int i = 0; i < 1600 && !ramp_.reopens(); ++i) {
        (i % 16 * failures % 16 < failures) ? Fail() : Succeed();
      }
      EXPECT_EQ(ramp_.share() == 1, better > 0) << rate << ", " << better;
      EXPECT_EQ(ramp_.reopens(), better < 0) << rate << ", " << better;
    }
  }
}

TEST_F(RampTest, OtherBreakEvenRateWeighsResultsFromThenOn) {
  ClimbTo(0);
  ramp_.SetBreakEven(0.2);  // a failure takes 0.8
  Fail();
  EXPECT_FALSE(ramp_.reopens());
  Succeed();  // and a success adds 0.2
  Fail();
  EXPECT_TRUE(ramp_.reopens());
}

TEST_F(RampTest, OnlyCallsThatWentWithTheShareOfNowCount) {
  ClimbTo(1);
  const uint64_t before = ramp_.first_probe() - 1;
  for (int i = 0; i < 100; ++i) Note(before, /*failed=*/true, milliseconds(10));
  EXPECT_EQ(ramp_.share(), 1.0 / 2);
  for (int i = 0; i < 100; ++i) {
    Note(before, /*failed=*/false, milliseconds(10));
  }
  EXPECT_EQ(ramp_.share(), 1.0 / 2);
  Note(ramp_.first_probe(), /*failed=*/false, milliseconds(10));
  Note(ramp_.first_probe(), /*failed=*/false, milliseconds(10));
  EXPECT_EQ(ramp_.share(), 3.0 / 4);
}

TEST_F(RampTest, ShareOfNowBeginsWithTheNextProbe) {
  ClimbTo(0);
  next_probe_ = 50;
  Note(49, /*failed=*/false, milliseconds(10));
  Note(49, /*failed=*/false, milliseconds(10));
  EXPECT_EQ(ramp_.first_probe(), 50);
}

TEST_F(RampTest, EachShareBeginsWithNoBalance) {
  ClimbTo(1);
  Fail();
  Succeed(2);
  EXPECT_EQ(ramp_.share(), 1.0 / 2);
  Succeed();
  EXPECT_EQ(ramp_.share(), 3.0 / 4);
  Fail();
  Fail();
  EXPECT_EQ(ramp_.share(), 1.0 / 2);
  Fail();
  EXPECT_EQ(ramp_.share(), 1.0 / 2);
}

TEST_F(RampTest, WhatIsMoreThanEnoughIsNotSavedUp) {
  ClimbTo(3);
  Succeed(1000);
  for (int i = 0; i < 3; ++i) Fail();
  EXPECT_EQ(ramp_.share(), 1);
  Fail();
  EXPECT_EQ(ramp_.share(), 3.0 / 4);
}

// -------------------------------------------------------------- Which calls

TEST_F(RampTest, FewAtOnceAlwaysGoOnceItAnswers) {
  Succeed();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Admits(/*in_flight=*/2));
}

TEST_F(RampTest, NeverMoreUnderWayThanHaveSucceeded) {
  ClimbTo(2);  // five
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(Admits(/*in_flight=*/5));
}

TEST_F(RampTest, NeverMoreUnderWayThanItHasRoomFor) {
  Succeed(20'000);
  EXPECT_TRUE(Admits(Ramp::kMostInFlight - 1));
  EXPECT_FALSE(Admits(Ramp::kMostInFlight));
}

TEST_F(RampTest, ShareIsThatOfTheCallsThatGo) {
  for (int step = 0; step < 4; ++step) {
    ramp_ = Ramp(0.5, open_time_, asked_, kStart);
    ClimbTo(step);
    // Successes of before, so that there is room.
    for (int i = 0; i < 10; ++i) Note(0, /*failed=*/false, milliseconds(10));
    int admitted = 0;
    for (int i = 0; i < 1200; ++i) admitted += Admits(/*in_flight=*/4) ? 1 : 0;
    EXPECT_NEAR(admitted, 1200 * kShares[step], 1);
  }
}

TEST_F(RampTest, TurnsBeginAnewWithEachShare) {
  ClimbTo(1);
  for (int i = 0; i < 10; ++i) Note(0, /*failed=*/false, milliseconds(10));
  EXPECT_FALSE(Admits(/*in_flight=*/4));  // every second call goes
  Succeed(2);
  EXPECT_FALSE(Admits(/*in_flight=*/4));  // three of four go, not the first
  EXPECT_TRUE(Admits(/*in_flight=*/4));
}

// ------------------------------------------------------------------- Overdue

TEST_F(RampTest, CallIsOverdueAfterTwiceTheSlowestSuccess) {
  Succeed(milliseconds(10));
  Succeed(milliseconds(30));
  Succeed(milliseconds(20));
  EXPECT_EQ(ramp_.OverdueBefore(kStart), kStart - milliseconds(60));
}

TEST_F(RampTest, SuccessOfBeforeTheShareTellsHowLongCallsTake) {
  ClimbTo(1);
  Note(ramp_.first_probe() - 1, /*failed=*/false, milliseconds(500));
  EXPECT_EQ(ramp_.OverdueBefore(kStart), kStart - milliseconds(1000));
}

TEST_F(RampTest, FailureDoesNotTellHowLongCallsTake) {
  Succeed(milliseconds(10));
  Note(next_probe_, /*failed=*/true, milliseconds(500));
  EXPECT_EQ(ramp_.OverdueBefore(kStart), kStart - milliseconds(20));
}

TEST_F(RampTest, OverdueCallsWeighLikeFailuresWhenACallWantsToGo) {
  ClimbTo(2);
  overdue_ = 1;
  Admits(/*in_flight=*/4);
  EXPECT_EQ(ramp_.share(), 3.0 / 4);
  overdue_ = 2;
  Admits(/*in_flight=*/4);
  EXPECT_EQ(ramp_.share(), 1.0 / 2);
}

TEST_F(RampTest, OverdueCallsWeighLikeFailuresWhenOneEnds) {
  ClimbTo(0);
  overdue_ = 1;
  Fail();
  EXPECT_TRUE(ramp_.reopens());
}

TEST_F(RampTest, OverdueCallsWeighNothingOnceTheyEnd) {
  ClimbTo(1);
  overdue_ = 1;
  Succeed();
  EXPECT_EQ(ramp_.share(), 1.0 / 2);
  overdue_ = 0;
  Succeed();
  EXPECT_EQ(ramp_.share(), 3.0 / 4);
}

TEST_F(RampTest, OverdueCallsHoldBackOthersButTheFew) {
  ClimbTo(0);
  for (int i = 0; i < 10; ++i) Note(0, /*failed=*/false, milliseconds(10));
  overdue_ = 2;
  EXPECT_TRUE(Admits(/*in_flight=*/2));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(Admits(/*in_flight=*/4));
}

TEST_F(RampTest, OverdueCallsAloneDoNotReopen) {
  ClimbTo(0);
  overdue_ = 10;
  Admits(/*in_flight=*/4);
  EXPECT_FALSE(ramp_.reopens());
}

// -------------------------------------------------------------------- Closes

TEST_F(RampTest, ClosesAfterTheShortestOpenTimeWithAllCalls) {
  ClimbTo(3);
  Succeed(2);
  now_ += milliseconds(100) - nanoseconds(1);
  EXPECT_FALSE(ramp_.Closes(/*overdue=*/0, now_));
  now_ += nanoseconds(1);
  EXPECT_TRUE(ramp_.Closes(/*overdue=*/0, now_));
}

TEST_F(RampTest, TimeAtASmallerShareDoesNotCount) {
  ClimbTo(2);
  now_ += hours(1);
  Succeed(4);
  EXPECT_EQ(ramp_.share(), 1);
  EXPECT_FALSE(ramp_.Closes(/*overdue=*/0, now_));
}

TEST_F(RampTest, TimeAloneDoesNotClose) {
  ClimbTo(3);
  now_ += hours(1);
  EXPECT_FALSE(ramp_.Closes(/*overdue=*/0, now_));
  Succeed();
  EXPECT_FALSE(ramp_.Closes(/*overdue=*/0, now_));
  Succeed();
  EXPECT_TRUE(ramp_.Closes(/*overdue=*/0, now_));
}

TEST_F(RampTest, DoesNotCloseBelowTheLastShare) {
  ClimbTo(2);
  now_ += hours(1);
  EXPECT_FALSE(ramp_.Closes(/*overdue=*/0, now_));
}

TEST_F(RampTest, DoesNotCloseBeforeAnyAnswer) {
  now_ += hours(1);
  EXPECT_FALSE(ramp_.Closes(/*overdue=*/0, now_));
}

TEST_F(RampTest, DoesNotCloseWhileMoreCallsAreOverdueThanSuccessesOutweigh) {
  ClimbTo(3);
  Succeed(2);
  now_ += hours(1);
  EXPECT_FALSE(ramp_.Closes(/*overdue=*/1, now_));
  overdue_ = 1;
  Succeed();  // outweighs it
  EXPECT_TRUE(ramp_.Closes(/*overdue=*/1, now_));
}

}  // namespace
}  // namespace autobreaker
