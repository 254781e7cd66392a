#include "autobreaker/breaker/internal/peer_tally.h"

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::nanoseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Peer = FailingPeers::Peer;

constexpr MonotonicTime kStart{std::chrono::hours(1)};
constexpr MonotonicTime::duration kEpoch = PeerTally::kEpoch;

void Add(PeerTally& tally, const std::string& peer, int times,
         MonotonicTime now = kStart) {
  for (int i = 0; i < times; ++i) tally.Add(peer, now);
}

TEST(PeerTally, BeginsEmpty) {
  EXPECT_EQ(PeerTally().Read(kStart), FailingPeers());
}

TEST(PeerTally, CountsByPeerTheMostFirst) {
  PeerTally tally;
  Add(tally, "a", 2);
  Add(tally, "b", 18);
  Add(tally, "a", 1);
  const FailingPeers failing = tally.Read(kStart);
  EXPECT_EQ(failing.failures, 21);
  EXPECT_THAT(failing.peers, ElementsAre(Peer{"b", 18}, Peer{"a", 3}));
}

TEST(PeerTally, HoldsEightExactly) {
  PeerTally tally;
  for (int i = 0; i < 8; ++i) Add(tally, absl::StrCat(i), i + 1);
  const FailingPeers failing = tally.Read(kStart);
  ASSERT_EQ(failing.peers.size(), 8u);
  EXPECT_EQ(failing.peers.front(), (Peer{"7", 8}));
  EXPECT_EQ(failing.peers.back(), (Peer{"0", 1}));
}

TEST(PeerTally, KeepsWhoFailsMostAmongAnyNumberAndNeverSaysMoreThanTrue) {
  PeerTally tally;
  for (int i = 0; i < 1000; ++i) {
    Add(tally, absl::StrCat("rare ", i), 1);
    Add(tally, "often", 1);
  }
  const FailingPeers failing = tally.Read(kStart);
  EXPECT_EQ(failing.failures, 2000);
  ASSERT_LE(failing.peers.size(), 8u);
  EXPECT_EQ(failing.peers.front().name, "often");
  EXPECT_LE(failing.peers.front().failures, 1000);
  // Each ninth failure takes one away.
  EXPECT_GE(failing.peers.front().failures, 1000 - 2000 / 9);
}

TEST(PeerTally, PlaceThatIsLostCanBeTakenAgain) {
  PeerTally tally;
  for (int i = 0; i < 9; ++i) Add(tally, absl::StrCat(i), 1);
  EXPECT_THAT(tally.Read(kStart).peers, IsEmpty());
  Add(tally, "late", 1);
  EXPECT_THAT(tally.Read(kStart).peers, ElementsAre(Peer{"late", 1}));
}

TEST(PeerTally, RemembersForOneEpochToTwo) {
  PeerTally tally;
  Add(tally, "a", 2);
  Add(tally, "b", 1, kStart + kEpoch);
  EXPECT_THAT(tally.Read(kStart + 2 * kEpoch - nanoseconds(1)).peers,
              ElementsAre(Peer{"a", 2}, Peer{"b", 1}));
  EXPECT_THAT(tally.Read(kStart + 2 * kEpoch).peers, ElementsAre(Peer{"b", 1}));
  Add(tally, "c", 1, kStart + 2 * kEpoch);
  EXPECT_THAT(tally.Read(kStart + 2 * kEpoch).peers,
              ElementsAre(Peer{"c", 1}, Peer{"b", 1}));
}

TEST(PeerTally, ForgetsAllWhenNothingFailsForLong) {
  PeerTally tally;
  Add(tally, "a", 2);
  EXPECT_EQ(tally.Read(kStart + 2 * kEpoch - nanoseconds(1)).failures, 2);
  EXPECT_EQ(tally.Read(kStart + 2 * kEpoch), FailingPeers());
  Add(tally, "b", 1, kStart + 2 * kEpoch);
  EXPECT_EQ(tally.Read(kStart + 2 * kEpoch).failures, 1);
}

TEST(PeerTally, AddsUpWhoFailedInBothEpochs) {
  PeerTally tally;
  Add(tally, "a", 2);
  Add(tally, "b", 3);
  Add(tally, "a", 2, kStart + kEpoch);
  EXPECT_THAT(tally.Read(kStart + kEpoch).peers,
              ElementsAre(Peer{"a", 4}, Peer{"b", 3}));
}

TEST(PeerTally, ShowsNoMoreThanEightOfBothEpochs) {
  PeerTally tally;
  for (int i = 0; i < 8; ++i) Add(tally, absl::StrCat("a", i), 1);
  for (int i = 0; i < 8; ++i) {
    Add(tally, absl::StrCat("b", i), 2, kStart + kEpoch);
  }
  const FailingPeers failing = tally.Read(kStart + kEpoch);
  EXPECT_EQ(failing.failures, 24);
  ASSERT_EQ(failing.peers.size(), 8u);
  EXPECT_EQ(failing.peers.back().failures, 2);
}

TEST(PeerTally, CutsNamesBetweenCharacters) {
  const std::string most(126, 'x');
  for (const auto& [name, cut] :
       std::vector<std::pair<std::string, std::string>>{
           {most + "yz", most + "yz"},
           {most + "yz!", most + "yz"},
           {most + "y\xC3\xA4", most + "y"},
           {most + "\xC3\xA4", most + "\xC3\xA4"},
           {most + "\xE2\x82\xAC", most},
           {std::string(125, 'x') + "\xF0\x9F\x90\x98", std::string(125, 'x')},
           // No UTF-8.
           {std::string(200, '\x80'), std::string(125, '\x80')}}) {
    PeerTally tally;
    tally.Add(name, kStart);
    tally.Add(name, kStart);
    EXPECT_THAT(tally.Read(kStart).peers, ElementsAre(Peer{cut, 2}));
  }
}

TEST(PeerTally, ForgetsWhenCleared) {
  PeerTally tally;
  Add(tally, "a", 2);
  tally.Clear();
  EXPECT_EQ(tally.Read(kStart), FailingPeers());
}

TEST(PeerTally, CountsAtMostWhatThereWasWhenSeveralThreadsAdd) {
  PeerTally tally;
  RunThreads(4, [&tally](int thread) {
    for (int i = 0; i < 10'000; ++i) {
      tally.Add(absl::StrCat(thread), kStart);
      if (i % 100 == 0) tally.Read(kStart);
    }
  });
  int64_t sum = 0;
  const FailingPeers failing = tally.Read(kStart);
  for (const Peer& peer : failing.peers) sum += peer.failures;
  EXPECT_EQ(sum, failing.failures);
  EXPECT_LE(failing.failures, 40'000);
  EXPECT_GT(failing.failures, 0);
}

}  // namespace
}  // namespace autobreaker
