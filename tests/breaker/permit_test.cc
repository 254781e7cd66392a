#include "autobreaker/breaker/permit.h"

#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

static_assert(!std::is_copy_constructible<Permit>::value, "one call, one end");
static_assert(!std::is_copy_assignable<Permit>::value, "one call, one end");
static_assert(std::is_nothrow_move_constructible<Permit>::value, "");
static_assert(std::is_nothrow_move_assignable<Permit>::value, "");

TEST(PermitTest, DefaultIsNotHeld) { EXPECT_FALSE(Permit()); }

TEST(PermitTest, RecordOnOneNotHeldDoesNothing) {
  Permit permit;
  permit.Record(Outcome::kFailure);
  EXPECT_FALSE(permit);
}

TEST(PermitTest, AdmittedIsHeld) {
  TestBreaker breaker;
  const Permit permit = breaker.Acquire();
  EXPECT_TRUE(permit);
  EXPECT_EQ(breaker.Snapshot().in_flight, 1);
}

TEST(PermitTest, EachOutcomeCountsAsItself) {
  TestBreaker breaker;
  breaker.Finish(Outcome::kSuccess, 1);
  breaker.Finish(Outcome::kFailure, 2);
  breaker.Finish(Outcome::kIgnored, 3);
  breaker.Finish(Outcome::kAbandoned, 4);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.successes, 1);
  EXPECT_EQ(s.failures, 2);
  EXPECT_EQ(s.ignored, 3);
  EXPECT_EQ(s.abandoned, 4);
}

TEST(PermitTest, SettledIsNotHeld) {
  TestBreaker breaker;
  Permit permit = breaker.Acquire();
  permit.Record(Outcome::kSuccess);
  EXPECT_FALSE(permit);
  EXPECT_EQ(breaker.Snapshot().in_flight, 0);
}

TEST(PermitTest, FirstRecordCounts) {
  TestBreaker breaker;
  {
    Permit permit = breaker.Acquire();
    permit.Record(Outcome::kSuccess);
    permit.Record(Outcome::kFailure);
    permit.Record(Outcome::kAbandoned);
  }
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.successes, 1);
  EXPECT_EQ(s.failures, 0);
  EXPECT_EQ(s.abandoned, 0);
  EXPECT_TRUE(Adds(s));
}

TEST(PermitTest, UnsettledIsAbandonedWhenItDies) {
  TestBreaker breaker;
  { const Permit permit = breaker.Acquire(); }
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.abandoned, 1);
  EXPECT_EQ(s.in_flight, 0);
}

TEST(PermitTest, AbandonedIsNeutral) {
  TestBreaker breaker;
  for (int i = 0; i < 1000; ++i) breaker.Acquire();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kClosed);
  EXPECT_EQ(s.window.finished(), 0);
}

TEST(PermitTest, MoveHandsItOver) {
  TestBreaker breaker;
  Permit from = breaker.Acquire();
  Permit to = std::move(from);
  EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(to);
  EXPECT_EQ(breaker.Snapshot().in_flight, 1);
  to.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().successes, 1);
}

TEST(PermitTest, RecordOnOneMovedFromDoesNothing) {
  TestBreaker breaker;
  Permit from = breaker.Acquire();
  const Permit to = std::move(from);
  from.Record(Outcome::kFailure);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(breaker.Snapshot().failures, 0);
  EXPECT_EQ(breaker.Snapshot().in_flight, 1);
}

TEST(PermitTest, MoveOntoOneHeldAbandonsIt) {
  TestBreaker breaker;
  Permit a = breaker.Acquire();
  Permit b = breaker.Acquire();
  a = std::move(b);
  EXPECT_EQ(breaker.Snapshot().abandoned, 1);
  EXPECT_EQ(breaker.Snapshot().in_flight, 1);
  EXPECT_TRUE(a);
}

TEST(PermitTest, MoveOntoItselfKeepsIt) {
  TestBreaker breaker;
  Permit permit = breaker.Acquire();
  Permit& same = permit;
  permit = std::move(same);
  EXPECT_TRUE(permit);
  EXPECT_EQ(breaker.Snapshot().in_flight, 1);
  EXPECT_EQ(breaker.Snapshot().abandoned, 0);
}

TEST(PermitTest, MoveOfOneNotHeldSettlesTheOther) {
  TestBreaker breaker;
  Permit permit = breaker.Acquire();
  permit = Permit();
  EXPECT_FALSE(permit);
  EXPECT_EQ(breaker.Snapshot().abandoned, 1);
}

TEST(PermitTest, MoveKeepsTheProbesPlace) {
  TestBreaker breaker(EndlessProbingOptions(1));
  breaker.TripAndWaitForProbes();
  Permit from = breaker.Acquire();
  Permit to = std::move(from);
  EXPECT_EQ(breaker.Snapshot().probes_in_flight, 1);
  to.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().probes_in_flight, 0);
  EXPECT_EQ(breaker.Snapshot().probe_successes, 1);
}

TEST(PermitTest, MoveKeepsTheStartOfTheCall) {
  TestBreaker breaker(SlowCallOptions());
  Permit from = breaker.Acquire();
  breaker.clock().Advance(absl::Seconds(1));
  Permit to = std::move(from);
  to.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker.Snapshot().slow_calls, 1);
}

TEST(PermitTest, MayBeSettledByAnotherThread) {
  TestBreaker breaker;
  Permit permit = breaker.Acquire();
  std::thread([&permit] { permit.Record(Outcome::kSuccess); }).join();
  EXPECT_EQ(breaker.Snapshot().successes, 1);
}

TEST(PermitTest, MayLiveInAContainer) {
  TestBreaker breaker;
  std::vector<Permit> permits = breaker.Acquire(100);
  EXPECT_EQ(breaker.Snapshot().in_flight, 100);
  permits.erase(permits.begin(), permits.begin() + 50);
  EXPECT_EQ(breaker.Snapshot().abandoned, 50);
  permits.clear();
  EXPECT_EQ(breaker.Snapshot().abandoned, 100);
}

TEST(PermitTest, RefusedIsNotHeldAndCountsNoCall) {
  TestBreaker breaker;
  breaker.Trip();
  const uint64_t requests = breaker.Snapshot().requests;
  { const Permit permit = breaker->TryAcquire(); }
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.requests, requests);
  EXPECT_EQ(s.abandoned, 0);
}

}  // namespace
}  // namespace autobreaker
