#include "autobreaker/breaker/internal/published.h"

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

TEST(PublishedTest, StartsAtZero) {
  const Published<Value> published;
  for (const uint64_t field : published.Read().fields) EXPECT_EQ(field, 0);
}

TEST(PublishedTest, ReadsWhatWasPublishedLast) {
  Published<Value> published;
  published.Publish(AllOf(7));
  published.Publish(AllOf(8));
  for (const uint64_t field : published.Read().fields) EXPECT_EQ(field, 8);
}

struct Mixed {
  double rate;
  int64_t count;
};

TEST(PublishedTest, KeepsDifferentFieldsApart) {
  Published<Mixed> published;
  published.Publish({0.25, -3});
  EXPECT_EQ(published.Read().rate, 0.25);
  EXPECT_EQ(published.Read().count, -3);
}

TEST(PublishedTest, ReadsOneMemberAlone) {
  Published<Mixed> published;
  published.Publish({0.25, -3});
  EXPECT_EQ(published.Read(&Mixed::rate), 0.25);
  EXPECT_EQ(published.Read(&Mixed::count), -3);
}

TEST(PublishedTest, ReaderNeverSeesATornValueNorAnOlderOne) {
  constexpr int kReaders = 3;
  constexpr int kReads = 1'000'000;
  Published<Value> published;
  std::atomic<int> readers_left{kReaders};
  std::atomic<int> torn{0};
  std::atomic<int> back{0};
  RunThreads(kReaders + 1, [&](int t) {
    if (t == kReaders) {
      for (uint64_t n = 1; readers_left > 0; ++n) published.Publish(AllOf(n));
      return;
    }
    uint64_t last = 0;
    for (int i = 0; i < kReads; ++i) {
      const Value value = published.Read();
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
