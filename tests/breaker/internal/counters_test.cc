#include "autobreaker/breaker/internal/counters.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "autobreaker/breaker/internal/trip_rule.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

constexpr uint64_t kWrap = uint64_t{1} << 48;

void AddJudged(ShardedCounters* counters, ShardedCounters::Judged counter,
               int count, uint64_t generation = 0) {
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(counters->AddJudged(counter, generation));
  }
}

TEST(CountersTest, StartAtZero) {
  const ShardedCounters counters;
  EXPECT_EQ(counters.JudgedTotals(), Counts(0, 0, 0));
  EXPECT_EQ(counters.Total(ShardedCounters::kAdmitted), 0);
}

TEST(CountersTest, JudgedResultsAddUp) {
  ShardedCounters counters;
  AddJudged(&counters, ShardedCounters::kSuccess, 5);
  AddJudged(&counters, ShardedCounters::kFailure, 3);
  AddJudged(&counters, ShardedCounters::kSlow, 2);
  EXPECT_EQ(counters.JudgedTotals(), Counts(5, 3, 2));
}

TEST(CountersTest, EveryCounterIsItsOwn) {
  ShardedCounters counters;
  constexpr int kFirst = ShardedCounters::kAdmitted;
  constexpr int kLast = ShardedCounters::kShadowHalfOpen;
  for (int c = kFirst; c <= kLast; ++c) {
    for (int i = 0; i < c + 1; ++i) {
      counters.Add(static_cast<ShardedCounters::Counter>(c));
    }
  }
  for (int c = kFirst; c <= kLast; ++c) {
    EXPECT_EQ(counters.Total(static_cast<ShardedCounters::Counter>(c)), c + 1);
  }
  EXPECT_EQ(counters.JudgedTotals(), Counts(0, 0, 0));
}

TEST(CountersTest, EarlierGenerationIsNotJudged) {
  ShardedCounters counters;
  counters.StartGeneration(1);
  EXPECT_FALSE(counters.AddJudged(ShardedCounters::kSuccess, 0));
  EXPECT_FALSE(counters.AddJudged(ShardedCounters::kFailure, 0));
  EXPECT_FALSE(counters.AddJudged(ShardedCounters::kSlow, 0));
  EXPECT_EQ(counters.JudgedTotals(), Counts(0, 0, 0));
}

TEST(CountersTest, LaterGenerationIsNotJudged) {
  ShardedCounters counters;
  EXPECT_FALSE(counters.AddJudged(ShardedCounters::kSuccess, 1));
}

TEST(CountersTest, StartGenerationAnswersAndKeepsTheTotals) {
  ShardedCounters counters;
  AddJudged(&counters, ShardedCounters::kSuccess, 5);
  AddJudged(&counters, ShardedCounters::kFailure, 3);
  AddJudged(&counters, ShardedCounters::kSlow, 2);
  EXPECT_EQ(counters.StartGeneration(1), Counts(5, 3, 2));
  EXPECT_EQ(counters.JudgedTotals(), Counts(5, 3, 2));
}

TEST(CountersTest, TotalsGoOnInTheNextGeneration) {
  ShardedCounters counters;
  AddJudged(&counters, ShardedCounters::kSuccess, 5);
  counters.StartGeneration(1);
  AddJudged(&counters, ShardedCounters::kSuccess, 2, /*generation=*/1);
  EXPECT_EQ(counters.JudgedTotals(), Counts(7, 0, 0));
}

TEST(CountersTest, GenerationsBeyondTheStoredBitsWork) {
  ShardedCounters counters;
  AddJudged(&counters, ShardedCounters::kSuccess, 1);
  const uint64_t generation = (uint64_t{1} << 40) + 7;
  counters.StartGeneration(generation);
  EXPECT_FALSE(counters.AddJudged(ShardedCounters::kSuccess, generation - 1));
  AddJudged(&counters, ShardedCounters::kSuccess, 1, generation);
  EXPECT_EQ(counters.JudgedTotals(), Counts(2, 0, 0));
}

TEST(CountersTest, WrapKeepsTheGeneration) {
  ShardedCounters counters(kWrap - 2);
  AddJudged(&counters, ShardedCounters::kSuccess, 5);
  AddJudged(&counters, ShardedCounters::kFailure, 2);
  EXPECT_EQ(counters.JudgedTotals(), Counts(3, 0, kWrap - 2));
  EXPECT_FALSE(counters.AddJudged(ShardedCounters::kSuccess, 1));
}

TEST(CountersTest, DifferencesStayRightAcrossTheWrap) {
  ShardedCounters counters(kWrap - 2);
  const CallCounts before = counters.JudgedTotals();
  AddJudged(&counters, ShardedCounters::kSuccess, 5);
  AddJudged(&counters, ShardedCounters::kFailure, 7);
  AddJudged(&counters, ShardedCounters::kSlow, 3);
  EXPECT_EQ(counters.JudgedTotals() - before, Counts(5, 7, 3));
}

TEST(CountersTest, DifferencesStayRightAcrossTheWrapAndAGeneration) {
  ShardedCounters counters(kWrap - 2);
  const CallCounts before = counters.StartGeneration(1);
  AddJudged(&counters, ShardedCounters::kSuccess, 5, 1);
  EXPECT_EQ(counters.StartGeneration(2) - before, Counts(5, 0, 0));
}

TEST(CountersTest, ManyThreadsLoseNothing) {
  ShardedCounters counters;
  RunThreads(8, [&](int) {
    for (int i = 0; i < 20'000; ++i) {
      counters.Add(ShardedCounters::kAdmitted);
      counters.AddJudged(ShardedCounters::kSuccess, 0);
    }
  });
  EXPECT_EQ(counters.Total(ShardedCounters::kAdmitted), 160'000);
  EXPECT_EQ(counters.JudgedTotals(), Counts(160'000, 0, 0));
}

// Each result is either in the totals of its generation or not counted at all,
// and the thread that added it knows which.
TEST(CountersTest, NoResultCrossesIntoTheNextGeneration) {
  constexpr int kThreads = 4;
  constexpr int kGenerations = 20'000;
  ShardedCounters counters;
  std::atomic<uint64_t> generation{0};
  std::vector<std::vector<uint64_t>> added(
      kThreads, std::vector<uint64_t>(kGenerations + 1));
  std::vector<CallCounts> starts;
  std::atomic<bool> done{false};
  RunThreads(kThreads + 1, [&](int t) {
    if (t < kThreads) {
      while (!done) {
        const uint64_t g = generation;
        for (int i = 0; i < 3; ++i) {
          added[t][g] += counters.AddJudged(ShardedCounters::kFailure, g);
        }
        std::this_thread::yield();
      }
      return;
    }
    for (uint64_t g = 1; g <= kGenerations; ++g) {
      starts.push_back(counters.StartGeneration(g));
      generation = g;
      std::this_thread::yield();
    }
    done = true;
  });
  CallCounts before;
  for (int g = 0; g < kGenerations; ++g) {
    uint64_t expected = 0;
    for (const std::vector<uint64_t>& of_thread : added) {
      expected += of_thread[g];
    }
    ASSERT_EQ((starts[g] - before).failures, expected) << "generation " << g;
    before = starts[g];
  }
}

// Of failures on several threads, at least the last to look sees them all.
TEST(CountersTest, SomeThreadSeesEveryFailure) {
  constexpr int kThreads = 4;
  for (int round = 0; round < 500; ++round) {
    ShardedCounters counters;
    std::atomic<int> ready{0};
    std::atomic<int> saw_all{0};
    RunThreads(kThreads, [&](int) {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      counters.AddJudged(ShardedCounters::kFailure, 0);
      saw_all += counters.JudgedTotals().failures == kThreads;
    });
    ASSERT_GE(saw_all.load(), 1);
  }
}

}  // namespace
}  // namespace autobreaker
