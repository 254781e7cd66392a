#include "autobreaker/breaker/internal/seqlock.h"

#include <atomic>
#include <cstdint>

#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

// All fields are equal unless it is torn.
struct Value {
  uint64_t fields[9];
};

Value AllOf(uint64_t n) {
  Value value;
  for (uint64_t& field : value.fields) field = n;
  return value;
}

TEST(SeqLockTest, StartsAtZero) {
  const SeqLock<Value> lock;
  Value value = AllOf(1);
  EXPECT_TRUE(lock.TryRead(&value));
  for (const uint64_t field : value.fields) EXPECT_EQ(field, 0);
}

TEST(SeqLockTest, ReadsWhatWasWrittenLast) {
  SeqLock<Value> lock;
  lock.Write(AllOf(7));
  lock.Write(AllOf(8));
  Value value;
  EXPECT_TRUE(lock.TryRead(&value));
  for (const uint64_t field : value.fields) EXPECT_EQ(field, 8);
}

TEST(SeqLockTest, KeepsDifferentFieldsApart) {
  struct Mixed {
    double rate;
    int64_t count;
  };
  SeqLock<Mixed> lock;
  lock.Write({0.25, -3});
  Mixed value;
  EXPECT_TRUE(lock.TryRead(&value));
  EXPECT_EQ(value.rate, 0.25);
  EXPECT_EQ(value.count, -3);
}

TEST(SeqLockTest, ReaderNeverSeesATornValueNorAnOlderOne) {
  constexpr int kReaders = 3;
  constexpr int kReads = 1'000'000;
  SeqLock<Value> lock;
  std::atomic<int> readers_left{kReaders};
  std::atomic<int> torn{0};
  std::atomic<int> back{0};
  RunThreads(kReaders + 1, [&](int t) {
    if (t == kReaders) {
      for (uint64_t n = 1; readers_left > 0; ++n) lock.Write(AllOf(n));
      return;
    }
    uint64_t last = 0;
    for (int i = 0; i < kReads; ++i) {
      Value value;
      if (!lock.TryRead(&value)) continue;
      for (const uint64_t field : value.fields) {
        torn += field != value.fields[0];
      }
      back += value.fields[0] < last;
      last = value.fields[0];
    }
    --readers_left;
  });
  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(back.load(), 0);
}

}  // namespace
}  // namespace autobreaker
