#include "autobreaker/breaker/internal/probe_leases.h"

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

class ProbeLeasesTest : public ::testing::Test {
 protected:
  uint64_t Take() { return leases_.Take(kLease, now_); }

  MonotonicTime now_{seconds(1000)};
  ProbeLeases leases_;
};

TEST_F(ProbeLeasesTest, StartsEmpty) { EXPECT_EQ(leases_.Count(now_), 0); }

TEST_F(ProbeLeasesTest, ReleaseGivesThePlaceBack) {
  const uint64_t probe = Take();
  EXPECT_TRUE(leases_.Release(probe, now_).has_value());
  EXPECT_EQ(leases_.Count(now_), 0);
  EXPECT_NE(Take(), ProbeLeases::kNoProbe);
}

TEST_F(ProbeLeasesTest, ReleasesOnlyOnce) {
  const uint64_t probe = Take();
  EXPECT_TRUE(leases_.Release(probe, now_).has_value());
  EXPECT_FALSE(leases_.Release(probe, now_).has_value());
}

TEST_F(ProbeLeasesTest, ReleaseOfNoProbeDoesNothing) {
  Take();
  EXPECT_FALSE(leases_.Release(ProbeLeases::kNoProbe, now_).has_value());
  EXPECT_EQ(leases_.Count(now_), 1);
}

TEST_F(ProbeLeasesTest, ReleaseGivesBackTheRightPlace) {
  const uint64_t first = Take();
  now_ += seconds(10);
  const uint64_t second = Take();
  EXPECT_TRUE(leases_.Release(first, now_).has_value());
  EXPECT_EQ(leases_.FirstEnd(now_), now_ + kLease);
  EXPECT_TRUE(leases_.Release(second, now_).has_value());
}

TEST_F(ProbeLeasesTest, PlaceIsKeptUntilTheLeaseEnds) {
  const uint64_t probe = Take();
  now_ += kLease - nanoseconds(1);
  EXPECT_EQ(leases_.Count(now_), 1);
  EXPECT_TRUE(leases_.Release(probe, now_).has_value());
}

TEST_F(ProbeLeasesTest, PlaceIsFreeWhenTheLeaseEnds) {
  Take();
  now_ += kLease;
  EXPECT_EQ(leases_.Count(now_), 0);
  EXPECT_NE(Take(), ProbeLeases::kNoProbe);
}

TEST_F(ProbeLeasesTest, ReleaseAfterTheLeaseIsTooLate) {
  const uint64_t probe = Take();
  now_ += kLease;
  EXPECT_FALSE(leases_.Release(probe, now_).has_value());
}

TEST_F(ProbeLeasesTest, LateReleaseDoesNotTakeTheNextOnesPlace) {
  const uint64_t late = Take();
  now_ += kLease;
  const uint64_t next = Take();
  EXPECT_FALSE(leases_.Release(late, now_).has_value());
  EXPECT_EQ(leases_.Count(now_), 1);
  EXPECT_TRUE(leases_.Release(next, now_).has_value());
}

TEST_F(ProbeLeasesTest, ReleaseTellsWhenTheProbeBegan) {
  const uint64_t first = Take();
  now_ += seconds(10);
  const uint64_t second = Take();
  now_ += seconds(5);
  EXPECT_EQ(leases_.Release(second, now_), now_ - seconds(5));
  EXPECT_EQ(leases_.Release(first, now_), now_ - seconds(15));
}

TEST_F(ProbeLeasesTest, CountsThoseThatBeganBefore) {
  Take();
  now_ += seconds(10);
  Take();
  EXPECT_EQ(leases_.CountTakenBefore(now_ - seconds(10), 0, now_), 0);
  EXPECT_EQ(leases_.CountTakenBefore(now_, 0, now_), 1);
  EXPECT_EQ(leases_.CountTakenBefore(now_ + nanoseconds(1), 0, now_), 2);
}

TEST_F(ProbeLeasesTest, CountsThoseFromANumberOn) {
  Take();
  const uint64_t second = Take();
  Take();
  EXPECT_EQ(leases_.CountTakenBefore(MonotonicTime::max(), second, now_), 2);
  EXPECT_EQ(leases_.CountTakenBefore(MonotonicTime::max(), second + 2, now_),
            0);
}

TEST_F(ProbeLeasesTest, CountsNoneWhoseLeaseHasEnded) {
  Take();
  now_ += kLease;
  EXPECT_EQ(leases_.CountTakenBefore(now_, 0, now_), 0);
}

TEST_F(ProbeLeasesTest, TellsTheNextNumber) {
  for (int i = 0; i < 3; ++i) {
    const uint64_t next = leases_.next();
    EXPECT_EQ(Take(), next);
  }
}

TEST_F(ProbeLeasesTest, NumbersAreNeverUsedAgain) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t probe = Take();
    EXPECT_TRUE(seen.insert(probe).second);
    if (i % 3 == 0) leases_.Release(probe, now_);
    if (i % 3 == 2) now_ += kLease;
  }
}

TEST_F(ProbeLeasesTest, FirstEndIsTheEarliestWhateverTheOrder) {
  leases_.Take(seconds(60), now_);
  leases_.Take(seconds(20), now_);
  leases_.Take(seconds(40), now_);
  EXPECT_EQ(leases_.FirstEnd(now_), now_ + seconds(20));
}

TEST_F(ProbeLeasesTest, EndedLeasesGoEvenFromTheMiddle) {
  leases_.Take(seconds(60), now_);
  leases_.Take(seconds(20), now_);
  leases_.Take(seconds(40), now_);
  now_ += seconds(20);
  EXPECT_EQ(leases_.Count(now_), 2);
  EXPECT_EQ(leases_.FirstEnd(now_), now_ + seconds(20));
}

}  // namespace
}  // namespace autobreaker
