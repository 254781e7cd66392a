#include "autobreaker/breaker/internal/probes.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>

#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::nanoseconds;
using ::std::chrono::seconds;

constexpr seconds kLease(60);

class ProbesTest : public ::testing::Test {
 protected:
  uint64_t Take(int64_t most) { return slots_.Take(most, kLease, now_); }

  MonotonicTime now_{seconds(1000)};
  ProbeSlots slots_;
};

TEST_F(ProbesTest, StartsEmpty) {
  EXPECT_EQ(slots_.Count(now_), 0);
  EXPECT_EQ(slots_.FirstEnd(), std::nullopt);
}

TEST_F(ProbesTest, HandsOutAsManyAsAllowed) {
  EXPECT_NE(Take(3), ProbeSlots::kNoProbe);
  EXPECT_NE(Take(3), ProbeSlots::kNoProbe);
  EXPECT_NE(Take(3), ProbeSlots::kNoProbe);
  EXPECT_EQ(Take(3), ProbeSlots::kNoProbe);
  EXPECT_EQ(slots_.Count(now_), 3);
}

TEST_F(ProbesTest, ReleaseGivesThePlaceBack) {
  const uint64_t probe = Take(1);
  EXPECT_TRUE(slots_.Release(probe, now_));
  EXPECT_EQ(slots_.Count(now_), 0);
  EXPECT_NE(Take(1), ProbeSlots::kNoProbe);
}

TEST_F(ProbesTest, ReleasesOnlyOnce) {
  const uint64_t probe = Take(1);
  EXPECT_TRUE(slots_.Release(probe, now_));
  EXPECT_FALSE(slots_.Release(probe, now_));
}

TEST_F(ProbesTest, ReleaseOfNoProbeDoesNothing) {
  Take(2);
  EXPECT_FALSE(slots_.Release(ProbeSlots::kNoProbe, now_));
  EXPECT_EQ(slots_.Count(now_), 1);
}

TEST_F(ProbesTest, ReleaseGivesBackTheRightPlace) {
  const uint64_t first = Take(2);
  now_ += seconds(10);
  const uint64_t second = Take(2);
  EXPECT_TRUE(slots_.Release(first, now_));
  EXPECT_EQ(slots_.FirstEnd(), now_ + kLease);
  EXPECT_TRUE(slots_.Release(second, now_));
}

TEST_F(ProbesTest, PlaceIsKeptUntilTheLeaseEnds) {
  const uint64_t probe = Take(1);
  now_ += kLease - nanoseconds(1);
  EXPECT_EQ(slots_.Count(now_), 1);
  EXPECT_EQ(Take(1), ProbeSlots::kNoProbe);
  EXPECT_TRUE(slots_.Release(probe, now_));
}

TEST_F(ProbesTest, PlaceIsFreeWhenTheLeaseEnds) {
  Take(1);
  now_ += kLease;
  EXPECT_EQ(slots_.Count(now_), 0);
  EXPECT_NE(Take(1), ProbeSlots::kNoProbe);
}

TEST_F(ProbesTest, ReleaseAfterTheLeaseIsTooLate) {
  const uint64_t probe = Take(1);
  now_ += kLease;
  EXPECT_FALSE(slots_.Release(probe, now_));
}

TEST_F(ProbesTest, LateReleaseDoesNotTakeTheNextOnesPlace) {
  const uint64_t late = Take(1);
  now_ += kLease;
  const uint64_t next = Take(1);
  EXPECT_FALSE(slots_.Release(late, now_));
  EXPECT_EQ(slots_.Count(now_), 1);
  EXPECT_TRUE(slots_.Release(next, now_));
}

TEST_F(ProbesTest, ClearTakesEveryPlaceBack) {
  const uint64_t probe = Take(2);
  Take(2);
  slots_.Clear();
  EXPECT_EQ(slots_.Count(now_), 0);
  EXPECT_EQ(slots_.FirstEnd(), std::nullopt);
  EXPECT_FALSE(slots_.Release(probe, now_));
}

TEST_F(ProbesTest, NumbersAreNeverUsedAgain) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t probe = Take(1);
    EXPECT_TRUE(seen.insert(probe).second);
    if (i % 3 == 0) slots_.Release(probe, now_);
    if (i % 3 == 1) slots_.Clear();
    if (i % 3 == 2) now_ += kLease;
  }
}

TEST_F(ProbesTest, FewerPlacesApplyAtOnce) {
  Take(3);
  Take(3);
  EXPECT_EQ(Take(2), ProbeSlots::kNoProbe);
  EXPECT_EQ(Take(1), ProbeSlots::kNoProbe);
  EXPECT_EQ(slots_.Count(now_), 2);
}

TEST_F(ProbesTest, FirstEndIsTheEarliestWhateverTheOrder) {
  slots_.Take(3, seconds(60), now_);
  slots_.Take(3, seconds(20), now_);
  slots_.Take(3, seconds(40), now_);
  EXPECT_EQ(slots_.FirstEnd(), now_ + seconds(20));
}

TEST_F(ProbesTest, EndedLeasesGoEvenFromTheMiddle) {
  slots_.Take(3, seconds(60), now_);
  slots_.Take(3, seconds(20), now_);
  slots_.Take(3, seconds(40), now_);
  EXPECT_EQ(slots_.Count(now_ + seconds(20)), 2);
  EXPECT_EQ(slots_.FirstEnd(), now_ + seconds(40));
}

}  // namespace
}  // namespace autobreaker
