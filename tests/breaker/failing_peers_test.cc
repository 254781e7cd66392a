// Who failed, as a breaker tells it.
#include "autobreaker/breaker/failing_peers.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/support/allocation_count.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Peer = FailingPeers::Peer;

void FailAt(TestBreaker& breaker, const std::string& peer, int times = 1) {
  for (int i = 0; i < times; ++i) {
    breaker.Acquire().Record(Outcome::kFailure, absl::ZeroDuration(), peer);
  }
}

TEST(FailingPeersTest, AreInTheSnapshot) {
  TestBreaker breaker;
  FailAt(breaker, "a", 2);
  FailAt(breaker, "b");
  const FailingPeers failing = breaker.Snapshot().failing_peers;
  EXPECT_EQ(failing.failures, 3);
  EXPECT_THAT(failing.peers, ElementsAre(Peer{"a", 2}, Peer{"b", 1}));
}

TEST(FailingPeersTest, AreInTheTransitionThatOpens) {
  std::vector<Transition> seen;
  TestBreaker breaker(ExactOptions(),
                      [&seen](const Transition& t) { seen.push_back(t); });
  FailAt(breaker, "a", 2);
  FailAt(breaker, "b", 18);
  breaker->FlushTransitions();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(ToString(seen[0].failing_peers), "18 of 20 failures at b");
  EXPECT_EQ(breaker.Snapshot().last_trip->failing_peers, seen[0].failing_peers);
}

TEST(FailingPeersTest, OfAProbeAreInTheTransitionThatReopens) {
  std::vector<Transition> seen;
  TestBreaker breaker(ExactOptions(),
                      [&seen](const Transition& t) { seen.push_back(t); });
  breaker.TripAndWaitForProbes();
  FailAt(breaker, "a");
  breaker->FlushTransitions();
  ASSERT_EQ(seen.back().to, State::kOpen);
  EXPECT_THAT(seen.back().failing_peers.peers, ElementsAre(Peer{"a", 1}));
}

TEST(FailingPeersTest, AreNotInATransitionThatTheyAreNoReasonFor) {
  std::vector<Transition> seen;
  TestBreaker breaker(ExactOptions(),
                      [&seen](const Transition& t) { seen.push_back(t); });
  FailAt(breaker, "a");
  breaker->SetMode(Mode::kForcedOpen);
  breaker->SetMode(Mode::kAutomatic);
  breaker.Recover();
  breaker->FlushTransitions();
  ASSERT_EQ(seen.size(), 3u);
  for (const Transition& t : seen) EXPECT_EQ(t.failing_peers, FailingPeers());
}

TEST(FailingPeersTest, AreThoseOfFailuresAlone) {
  TestBreaker breaker;
  for (const Outcome outcome :
       {Outcome::kSuccess, Outcome::kIgnored, Outcome::kAbandoned}) {
    breaker.Acquire().Record(outcome, absl::ZeroDuration(), "a");
  }
  breaker.Fail();
  EXPECT_EQ(breaker.Snapshot().failing_peers, FailingPeers());
}

TEST(FailingPeersTest, AreForgottenAfterAWhile) {
  TestBreaker breaker;
  FailAt(breaker, "a");
  breaker.clock().Advance(absl::Minutes(10));
  EXPECT_THAT(breaker.Snapshot().failing_peers.peers, IsEmpty());
}

TEST(FailingPeersTest, AreForgottenByAReset) {
  TestBreaker breaker;
  FailAt(breaker, "a");
  breaker->Reset();
  EXPECT_EQ(breaker.Snapshot().failing_peers, FailingPeers());
}

TEST(FailingPeersTest, TakeMemoryOnce) {
  TestBreaker breaker;
  std::vector<std::string> peers;
  for (int i = 0; i < 20; ++i) peers.emplace_back(100 + i, 'x');
  int64_t before = AllocationsOfThisThread();
  breaker.Succeed();
  breaker.Fail();
  EXPECT_EQ(AllocationsOfThisThread(), before);
  before = AllocationsOfThisThread();
  FailAt(breaker, peers[0]);
  EXPECT_EQ(AllocationsOfThisThread(), before + 1);
  before = AllocationsOfThisThread();
  for (int i = 1; i < 15; ++i) FailAt(breaker, peers[i]);
  EXPECT_EQ(AllocationsOfThisThread(), before);
}

TEST(FailingPeersTest, WithoutMemoryTheFailureCounts) {
  TestBreaker breaker;
  FailAllocationOfThisThread(0);
  FailAt(breaker, "a");
  const bool failed = AllocationFailed();
  FailNoAllocationOfThisThread();
  EXPECT_TRUE(failed);
  EXPECT_EQ(breaker.Snapshot().failures, 1u);
  FailAt(breaker, "a");
  EXPECT_THAT(breaker.Snapshot().failing_peers.peers,
              ElementsAre(Peer{"a", 1}));
}

TEST(FailingPeersTest, AreToldInWords) {
  FailingPeers failing;
  EXPECT_EQ(ToString(failing), "");
  failing.failures = 1;
  failing.peers = {{"10.0.0.3:50051", 1}};
  EXPECT_EQ(ToString(failing), "1 of 1 failure at 10.0.0.3:50051");
  failing.failures = 20;
  failing.peers = {{"10.0.0.3:50051", 18}, {"10.0.0.4:50051", 2}};
  EXPECT_EQ(ToString(failing), "18 of 20 failures at 10.0.0.3:50051");
  failing.peers.front().name = "a\x1b[2J";
  EXPECT_EQ(ToString(failing), "18 of 20 failures at a\\033[2J");
}

}  // namespace
}  // namespace autobreaker
