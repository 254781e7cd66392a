#include "autobreaker/breaker/internal/shards.h"

#include <sched.h>

#include <cstddef>
#include <cstdint>

#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(ShardsTest, TheirCountIsAPowerOfTwoUpTo64) {
  const unsigned count = ShardCount();
  EXPECT_GE(count, 1);
  EXPECT_LE(count, 64);
  EXPECT_EQ(count & (count - 1), 0);
}

TEST(ShardsTest, ACpuHasTheNumberThatTheSystemGivesIt) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  int tried = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    EXPECT_EQ(ThisCpu(), static_cast<unsigned>(cpu));
    EXPECT_EQ(AskForCpu(), static_cast<unsigned>(cpu));
    EXPECT_EQ(ThisShard(ShardCount()), cpu % ShardCount());
    ++tried;
  }
  EXPECT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
  EXPECT_GT(tried, 0);
}

TEST(ShardsTest, UpTo64CpusHaveOneEach) {
  cpu_set_t cpus;
  ASSERT_EQ(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
  for (unsigned cpu = 0; cpu < 64; ++cpu) {
    if (CPU_ISSET(cpu, &cpus)) {
      EXPECT_LT(cpu, ShardCount());
    }
  }
}

// Sizes around the blocks that counters are laid out in.
TEST(ShardedArrayTest, EveryCounterIsItsOwn) {
  for (const size_t size : {1, 15, 16, 17, 100}) {
    ShardedArray counters(size);
    for (size_t i = 0; i < size; ++i) counters.Add(i, i + 1);
    for (size_t i = 0; i < size; ++i) EXPECT_EQ(counters.Total(i), i + 1);
  }
}

TEST(ShardedArrayTest, ThreadsLoseNothing) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 20'000;
  ShardedArray counters(3);
  RunThreads(kThreads, [&counters](int) {
    for (int i = 0; i < kRounds; ++i) {
      counters.Add(0);
      counters.Add(2, 5);
    }
  });
  EXPECT_EQ(counters.Total(0), uint64_t{kThreads} * kRounds);
  EXPECT_EQ(counters.Total(1), 0);
  EXPECT_EQ(counters.Total(2), uint64_t{5} * kThreads * kRounds);
}

}  // namespace
}  // namespace autobreaker
