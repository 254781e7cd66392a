#include "autobreaker/breaker/clock.h"

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "autobreaker/testing/fake_clock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(SystemClockTest, IsOne) { EXPECT_EQ(Clock::System(), Clock::System()); }

TEST(SystemClockTest, NowIsSteadyClock) {
  const MonotonicTime before = std::chrono::steady_clock::now();
  const MonotonicTime now = Clock::System()->Now();
  const MonotonicTime after = std::chrono::steady_clock::now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, after);
}

TEST(SystemClockTest, NowNeverGoesBack) {
  MonotonicTime last = Clock::System()->Now();
  for (int i = 0; i < 10'000; ++i) {
    const MonotonicTime now = Clock::System()->Now();
    ASSERT_LE(last, now);
    last = now;
  }
}

TEST(SystemClockTest, CoarseNowNeverGoesBack) {
  MonotonicTime last = Clock::System()->CoarseNow();
  for (int i = 0; i < 10'000; ++i) {
    const MonotonicTime now = Clock::System()->CoarseNow();
    ASSERT_LE(last, now);
    last = now;
  }
}

TEST(SystemClockTest, CoarseNowLagsNowByLittle) {
  const MonotonicTime coarse = Clock::System()->CoarseNow();
  const MonotonicTime now = Clock::System()->Now();
  EXPECT_LE(coarse, now);
  // Minutes only if it were another clock.
  EXPECT_LT(now - coarse, std::chrono::minutes(1));
}

TEST(SystemClockTest, WallNowIsWallTime) {
  const absl::Time before = absl::Now();
  const absl::Time now = Clock::System()->WallNow();
  EXPECT_LE(before, now);
  EXPECT_LE(now, absl::Now());
}

TEST(FakeClockTest, StandsStill) {
  const FakeClock clock;
  EXPECT_EQ(clock.Now(), clock.Now());
  EXPECT_EQ(clock.Now(), clock.CoarseNow());
  EXPECT_EQ(clock.WallNow(), clock.WallNow());
}

TEST(FakeClockTest, AdvanceMovesMonotonicAndWallTime) {
  FakeClock clock;
  const MonotonicTime now = clock.Now();
  const absl::Time wall = clock.WallNow();
  clock.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(clock.Now() - now, std::chrono::milliseconds(1500));
  EXPECT_EQ(clock.CoarseNow() - now, std::chrono::milliseconds(1500));
  EXPECT_EQ(clock.WallNow() - wall, absl::Milliseconds(1500));
}

TEST(FakeClockTest, StepWallMovesWallTimeAlone) {
  FakeClock clock;
  const MonotonicTime now = clock.Now();
  const absl::Time wall = clock.WallNow();
  clock.StepWall(-absl::Hours(1));
  EXPECT_EQ(clock.Now(), now);
  EXPECT_EQ(clock.WallNow() - wall, -absl::Hours(1));
}

}  // namespace
}  // namespace autobreaker
