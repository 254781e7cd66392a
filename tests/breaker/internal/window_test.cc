#include "autobreaker/breaker/internal/window.h"

#include <chrono>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "autobreaker/breaker/internal/counters.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::hours;
using ::std::chrono::nanoseconds;
using ::std::chrono::seconds;

class WindowTest : public ::testing::Test {
 protected:
  void Start(nanoseconds length, int buckets) {
    window_.Restart(length, buckets, totals_, now_);
  }

  void Wait(nanoseconds by) { now_ += by; }

  void Succeed(int count = 1) {
    window_.Advance(totals_, now_);
    totals_.successes += count;
  }

  // What the window holds now.
  CallCounts Held() {
    window_.Advance(totals_, now_);
    return totals_ - window_.base();
  }

  CallCounts totals_ = Counts(100, 50, 10);
  MonotonicTime now_{hours(1)};
  SlidingWindow window_;
};

TEST_F(WindowTest, IsEmptyAtTheStart) {
  Start(seconds(10), 10);
  EXPECT_EQ(Held(), Counts(0, 0));
}

TEST_F(WindowTest, HoldsSuccessesFailuresAndSlowCalls) {
  Start(seconds(10), 10);
  totals_ = Counts(103, 54, 15);
  EXPECT_EQ(Held(), Counts(3, 4, 5));
}

TEST_F(WindowTest, HoldsACallForItsWholeLength) {
  Start(seconds(10), 10);
  Wait(nanoseconds(1));
  Succeed();
  Wait(seconds(10));
  EXPECT_EQ(Held(), Counts(1, 0));
}

TEST_F(WindowTest, DropsACallAtMostOneStepAfterItsLength) {
  Start(seconds(10), 10);
  Succeed();
  Wait(seconds(11) - nanoseconds(1));
  EXPECT_EQ(Held(), Counts(1, 0));
  Wait(nanoseconds(1));
  EXPECT_EQ(Held(), Counts(0, 0));
}

TEST_F(WindowTest, CallsLeaveStepByStep) {
  Start(seconds(3), 3);
  for (const int count : {1, 2, 4}) {
    Succeed(count);
    Wait(seconds(1));
  }
  EXPECT_EQ(Held(), Counts(7, 0));
  Wait(seconds(1));
  EXPECT_EQ(Held(), Counts(6, 0));
  Wait(seconds(1));
  EXPECT_EQ(Held(), Counts(4, 0));
  Wait(seconds(1));
  EXPECT_EQ(Held(), Counts(0, 0));
}

TEST_F(WindowTest, NoBurstShorterThanTheWindowIsCut) {
  std::mt19937_64 random(1);
  for (int buckets = 1; buckets <= 60; ++buckets) {
    // Lengths that do not divide evenly, too.
    const nanoseconds length(100 + random() % 100);
    Start(length, buckets);
    for (int i = 0; i < 100; ++i) {
      Wait(nanoseconds(random() % 300));
      const uint64_t before = Held().successes;
      Succeed(1000);
      Wait(length);
      EXPECT_GE(Held().successes, 1000) << buckets << " of " << length.count();
      EXPECT_LE(Held().successes, 1000 + before);
      Wait(length * 3);
    }
  }
}

TEST_F(WindowTest, AgreesWithAListOfCalls) {
  std::mt19937_64 random(2);
  for (const int buckets : {1, 2, 3, 10, 60}) {
    const int64_t step = 7;
    const MonotonicTime start = now_;
    Start(nanoseconds(step * buckets), buckets);
    std::vector<int64_t> calls;  // their steps
    for (int i = 0; i < 2'000; ++i) {
      Wait(nanoseconds(random() % (random() % 10 == 0 ? 200 : 10)));
      const int64_t current = (now_ - start).count() / step;
      Succeed();
      calls.push_back(current);
      uint64_t expected = 0;
      for (const int64_t call : calls) expected += call >= current - buckets;
      ASSERT_EQ(Held().successes, expected)
          << buckets << " buckets, call " << i;
    }
  }
}

TEST_F(WindowTest, LongSilenceEmptiesIt) {
  Start(nanoseconds(10), 10);
  Succeed(5);
  Wait(hours(24 * 365));
  EXPECT_EQ(Held(), Counts(0, 0));
  Succeed(3);
  EXPECT_EQ(Held(), Counts(3, 0));
}

TEST_F(WindowTest, OneBucketKeepsTheWholeLength) {
  Start(seconds(10), 1);
  Wait(seconds(9));
  Succeed(10);
  Wait(seconds(2));
  Succeed(10);
  EXPECT_EQ(Held(), Counts(20, 0));
}

TEST_F(WindowTest, MoreBucketsThanNanosecondsWork) {
  Start(nanoseconds(1), 60);
  Succeed();
  EXPECT_EQ(Held(), Counts(1, 0));
  Wait(nanoseconds(61));
  EXPECT_EQ(Held(), Counts(0, 0));
}

TEST_F(WindowTest, EarlierTimeChangesNothing) {
  Start(seconds(10), 10);
  Wait(seconds(5));
  Succeed(2);
  Wait(-seconds(4));
  Succeed(3);
  EXPECT_EQ(Held(), Counts(5, 0));
  Wait(-seconds(100));
  EXPECT_EQ(Held(), Counts(5, 0));
}

TEST_F(WindowTest, NextBoundaryIsTheEndOfTheStepUnderWay) {
  Start(seconds(10), 10);
  EXPECT_EQ(window_.next_boundary() - now_, seconds(1));
  Wait(nanoseconds(2'500'000'000));
  Held();
  EXPECT_EQ(window_.next_boundary() - now_, nanoseconds(500'000'000));
}

TEST_F(WindowTest, RestartForgets) {
  Start(seconds(10), 10);
  Succeed(5);
  window_.Restart(totals_, now_);
  EXPECT_EQ(Held(), Counts(0, 0));
}

TEST_F(WindowTest, RestartKeepsLengthAndBuckets) {
  Start(seconds(3), 3);
  Wait(seconds(2));
  window_.Restart(totals_, now_);
  Succeed();
  Wait(seconds(4) - nanoseconds(1));
  EXPECT_EQ(Held(), Counts(1, 0));
  Wait(nanoseconds(1));
  EXPECT_EQ(Held(), Counts(0, 0));
}

TEST_F(WindowTest, RestartTakesOtherLengthAndBuckets) {
  Start(seconds(3), 3);
  Succeed();
  Start(seconds(20), 2);
  EXPECT_EQ(Held(), Counts(0, 0));
  Succeed();
  Wait(seconds(30) - nanoseconds(1));
  EXPECT_EQ(Held(), Counts(1, 0));
  Wait(nanoseconds(1));
  EXPECT_EQ(Held(), Counts(0, 0));
}

TEST_F(WindowTest, BaseAtIsTheBaseThatAdvanceLeaves) {
  std::mt19937_64 random(3);
  for (int run = 0; run < 2'000; ++run) {
    const int buckets = static_cast<int>(1 + random() % 5);
    const nanoseconds length(1 + random() % 40);
    Start(length, buckets);
    // What was told to window_, to tell it to another one.
    std::vector<std::pair<CallCounts, MonotonicTime>> told = {{totals_, now_}};
    for (int i = 0; i < 20; ++i) {
      // Now and then no call, a long silence, or a time before the last one.
      if (random() % 3 != 0) totals_.successes += random() % 10;
      const nanoseconds ahead(static_cast<int64_t>(random() % 60) - 10);
      SlidingWindow advanced;
      advanced.Restart(length, buckets, told[0].first, told[0].second);
      for (const auto& [totals, now] : told) advanced.Advance(totals, now);
      advanced.Advance(totals_, now_ + ahead);
      ASSERT_EQ(window_.BaseAt(totals_, now_ + ahead), advanced.base())
          << "run " << run << ", step " << i << ", " << buckets << " buckets";
      Wait(nanoseconds(random() % 30));
      if (random() % 2 == 0) {
        window_.Advance(totals_, now_);
        told.emplace_back(totals_, now_);
      }
    }
  }
}

TEST_F(WindowTest, StaysRightWhenTotalsWrap) {
  totals_ = Counts((uint64_t{1} << 48) - 2, (uint64_t{1} << 48) - 1);
  Start(seconds(10), 10);
  totals_ = Counts(3, 6);
  EXPECT_EQ(Held(), Counts(5, 7));
}

}  // namespace
}  // namespace autobreaker
