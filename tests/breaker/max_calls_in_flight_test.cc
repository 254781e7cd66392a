// The cap on calls under way.
#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

constexpr RefusalReason kTooManyCalls = RefusalReason::kTooManyCalls;

BreakerOptions CappedOptions(std::optional<int64_t> most,
                             BreakerOptions options = ExactOptions()) {
  options.max_calls_in_flight = most;
  return options;
}

void SetCap(TestBreaker& breaker, std::optional<int64_t> most) {
  ASSERT_TRUE(breaker
                  ->UpdateOptions([most](BreakerOptions* options) {
                    options->max_calls_in_flight = most;
                    return absl::OkStatus();
                  })
                  .ok());
}

// How many more calls go now.
int Room(TestBreaker& breaker) {
  std::vector<Permit> permits;
  while (Permit permit = breaker->TryAcquire()) {
    permits.push_back(std::move(permit));
    if (permits.size() > 1000) break;
  }
  const int room = static_cast<int>(permits.size());
  for (Permit& permit : permits) permit.Record(Outcome::kIgnored);
  return room;
}

TEST(MaxCallsInFlightTest, OffByDefault) {
  TestBreaker breaker;
  EXPECT_EQ(breaker.Acquire(1000).size(), 1000u);
}

TEST(MaxCallsInFlightTest, RefusesWhatIsBeyondIt) {
  TestBreaker breaker(CappedOptions(3));
  const std::vector<Permit> calls = breaker.Acquire(3);
  const Refusal refusal = breaker.Refused();
  EXPECT_EQ(refusal.reason, kTooManyCalls);
  EXPECT_EQ(refusal.retry_after, std::nullopt);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(Refusals(s, kTooManyCalls), 1);
  EXPECT_EQ(s.requests, 3u);
  EXPECT_EQ(s.in_flight, 3u);
}

TEST(MaxCallsInFlightTest, ACallThatEndsMakesRoomHoweverItEnds) {
  TestBreaker breaker(CappedOptions(1));
  for (const Outcome outcome : {Outcome::kSuccess, Outcome::kFailure,
                                Outcome::kIgnored, Outcome::kAbandoned}) {
    Permit call = breaker.Acquire();
    EXPECT_EQ(breaker.Refused().reason, kTooManyCalls);
    call.Record(outcome);
    EXPECT_EQ(Room(breaker), 1);
  }
}

TEST(MaxCallsInFlightTest, APermitGivesItsPlaceBackOnce) {
  TestBreaker breaker(CappedOptions(2));
  const Permit other = breaker.Acquire();
  {
    Permit call = breaker.Acquire();
    Permit moved = std::move(call);
    call = std::move(moved);
    EXPECT_EQ(Room(breaker), 0);
    call.Record(Outcome::kSuccess);
    call.Record(Outcome::kSuccess);
    EXPECT_EQ(Room(breaker), 1);
  }
  EXPECT_EQ(Room(breaker), 1);
  breaker.Acquire();  // and left
  EXPECT_EQ(Room(breaker), 1);
}

TEST(MaxCallsInFlightTest, ATimedCallHoldsAPlaceToo) {
  TestBreaker breaker(CappedOptions(1, SlowCallOptions()));
  breaker.Finish(Outcome::kSuccess, absl::Seconds(2));
  EXPECT_EQ(Room(breaker), 1);
  EXPECT_EQ(breaker.Snapshot().slow_calls, 1u);
}

TEST(MaxCallsInFlightTest, LateResultsGiveTheirPlacesBack) {
  TestBreaker breaker(CappedOptions(3));
  std::vector<Permit> calls = breaker.Acquire(3);
  ASSERT_TRUE(breaker->Reset());
  EXPECT_EQ(Room(breaker), 0);
  for (Permit& call : calls) call.Record(Outcome::kSuccess);
  EXPECT_EQ(Room(breaker), 3);
  EXPECT_EQ(breaker.Snapshot().late_results, 3u);
}

TEST(MaxCallsInFlightTest, RefusalsAreNoEvidence) {
  BreakerOptions options = CappedOptions(1);
  options.trip.consecutive_failures = 2;
  TestBreaker breaker(options);
  Permit call = breaker.Acquire();
  const BreakerSnapshot before = breaker.Snapshot();
  for (int i = 0; i < 1000; ++i) breaker.Refused();
  const BreakerSnapshot after = breaker.Snapshot();
  EXPECT_EQ(after.state, State::kClosed);
  EXPECT_EQ(after.window, before.window);
  EXPECT_EQ(after.failures_until_trip, before.failures_until_trip);
  EXPECT_EQ(after.transition_count, 0u);
}

TEST(MaxCallsInFlightTest, WhileOpenCallsAreRefusedForThat) {
  TestBreaker breaker(CappedOptions(1));
  breaker.Trip();
  SetCap(breaker, std::nullopt);
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kOpen);
  SetCap(breaker, 1);
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kOpen);
  EXPECT_EQ(Refusals(breaker.Snapshot(), kTooManyCalls), 0);
}

// ---------------------------------------------------------------- Half-open

TEST(MaxCallsInFlightTest, ACallThatIsRefusedIsNoProbe) {
  TestBreaker breaker(CappedOptions(1));
  breaker.Fail(19);
  Permit hangs = breaker.Acquire();
  SetCap(breaker, 2);
  breaker.Fail();
  ASSERT_EQ(breaker.state(), State::kOpen);
  SetCap(breaker, 1);
  breaker.WaitForProbes();
  EXPECT_EQ(breaker.Refused().reason, kTooManyCalls);
  EXPECT_EQ(breaker.Snapshot().probes_in_flight, 0);
  hangs.Record(Outcome::kFailure);
  EXPECT_TRUE(breaker.Acquire().finds_out());
}

TEST(MaxCallsInFlightTest, HoldsForProbesBesideTheirOwnLimit) {
  TestBreaker breaker(CappedOptions(2));
  breaker.TripAndWaitForProbes();
  std::vector<Permit> probes = breaker.Acquire(2);
  EXPECT_EQ(breaker.Refused().reason, kTooManyCalls);
  SetCap(breaker, 10);
  probes.push_back(breaker.Acquire());
  EXPECT_EQ(breaker.Refused().reason, RefusalReason::kHalfOpen);
}

TEST(MaxCallsInFlightTest, AProbeThatOutlivesItsLeaseKeepsItsPlace) {
  TestBreaker breaker(CappedOptions(1));
  breaker.TripAndWaitForProbes();
  Permit probe = breaker.Acquire();
  breaker.clock().Advance(ExactOptions().half_open.lease);
  EXPECT_EQ(breaker.Refused().reason, kTooManyCalls);
  probe.Record(Outcome::kFailure);
  EXPECT_EQ(Room(breaker), 1);
}

TEST(MaxCallsInFlightTest, AStreamThatMadeProgressKeepsItsPlace) {
  TestBreaker breaker(CappedOptions(1));
  breaker.TripAndWaitForProbes();
  Permit stream = breaker.Acquire();
  stream.Progressed();
  EXPECT_EQ(breaker.Refused().reason, kTooManyCalls);
  stream.Record(Outcome::kSuccess);
  EXPECT_EQ(Room(breaker), 1);
}

TEST(MaxCallsInFlightTest, AProbeThatIsLeftToCallsGivesItsPlaceBack) {
  TestBreaker breaker(CappedOptions(1));
  breaker.TripAndWaitForProbes();
  Permit probe = breaker.Acquire();
  ASSERT_TRUE(probe.finds_out());
  probe.LeaveToCalls();
  EXPECT_EQ(Room(breaker), 1);
}

// -------------------------------------------------------------------- Modes

TEST(MaxCallsInFlightTest, HoldsWhileForcedClosed) {
  TestBreaker breaker(CappedOptions(2));
  breaker->SetMode(Mode::kForcedClosed);
  EXPECT_EQ(Room(breaker), 2);
  EXPECT_EQ(Refusals(breaker.Snapshot(), kTooManyCalls), 1);
}

TEST(MaxCallsInFlightTest, ShadowModeOnlyCountsWhatItWouldRefuse) {
  TestBreaker breaker(CappedOptions(2));
  breaker->SetMode(Mode::kShadow);
  const std::vector<Permit> calls = breaker.Acquire(5);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(ShadowRefusals(s, kTooManyCalls), 3);
  EXPECT_EQ(Refusals(s, kTooManyCalls), 0);
  EXPECT_EQ(s.in_flight, 5u);
}

TEST(MaxCallsInFlightTest, WhatShadowModeWouldHaveRefusedTakesNoPlace) {
  TestBreaker breaker(CappedOptions(2));
  breaker->SetMode(Mode::kShadow);
  std::vector<Permit> calls = breaker.Acquire(5);
  calls.erase(calls.begin());
  breaker.Acquire();
  EXPECT_EQ(ShadowRefusals(breaker.Snapshot(), kTooManyCalls), 3);
}

TEST(MaxCallsInFlightTest, WhatShadowModeLetThroughCountsWhenItEnds) {
  TestBreaker breaker(CappedOptions(2));
  breaker->SetMode(Mode::kShadow);
  std::vector<Permit> calls = breaker.Acquire(5);
  breaker->SetMode(Mode::kAutomatic);
  for (int left = 5; left > 2; --left) {
    EXPECT_EQ(Room(breaker), 0);
    calls.pop_back();
  }
  EXPECT_EQ(Room(breaker), 0);
  calls.pop_back();
  EXPECT_EQ(Room(breaker), 1);
  calls.clear();
  EXPECT_EQ(Room(breaker), 2);
}

// --------------------------------------------------------------------- Live

TEST(MaxCallsInFlightTest, CallsUnderWayCountWhenItIsSet) {
  TestBreaker breaker;
  std::vector<Permit> calls = breaker.Acquire(5);
  SetCap(breaker, 3);
  while (calls.size() > 3) {
    EXPECT_EQ(Room(breaker), 0);
    calls.back().Record(Outcome::kSuccess);
    calls.pop_back();
  }
  EXPECT_EQ(Room(breaker), 0);
  calls.pop_back();
  EXPECT_EQ(Room(breaker), 1);
  calls.clear();
  EXPECT_EQ(Room(breaker), 3);
}

TEST(MaxCallsInFlightTest, LoweredItAdmitsNoneUntilEnoughHaveEnded) {
  TestBreaker breaker(CappedOptions(5));
  std::vector<Permit> calls = breaker.Acquire(5);
  SetCap(breaker, 2);
  for (int left = 5; left >= 2; --left) {
    EXPECT_EQ(Room(breaker), 0);
    calls.pop_back();
  }
  EXPECT_EQ(Room(breaker), 1);
  EXPECT_EQ(breaker.Snapshot().in_flight, 1u);
}

TEST(MaxCallsInFlightTest, OffAndOnAgainForgetsNoCall) {
  TestBreaker breaker(CappedOptions(3));
  std::vector<Permit> calls = breaker.Acquire(2);
  SetCap(breaker, std::nullopt);
  std::vector<Permit> uncapped = breaker.Acquire(10);
  calls.pop_back();
  SetCap(breaker, 3);
  EXPECT_EQ(Room(breaker), 0);
  uncapped.clear();
  EXPECT_EQ(Room(breaker), 2);
  calls.clear();
  EXPECT_EQ(Room(breaker), 3);
}

// ------------------------------------------------------------------ Threads

// Makes calls on several threads. Answers the most that were under way
// at once.
int64_t MostAtOnce(TestBreaker& breaker, int threads, int calls_of_each) {
  std::atomic<int64_t> under_way{0};
  std::atomic<int64_t> most{0};
  const auto call = [&](int thread) {
    for (int i = 0; i < calls_of_each; ++i) {
      Permit permit = breaker->TryAcquire();
      if (!permit) continue;
      const int64_t now = under_way.fetch_add(1) + 1;
      int64_t seen = most.load();
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      if (i % 16 == 0) std::this_thread::yield();
      under_way.fetch_sub(1);
      if (i % 3 == 0) continue;  // left
      permit.Record((i + thread) % 5 == 0 ? Outcome::kFailure
                                          : Outcome::kSuccess);
    }
  };
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) all.emplace_back(call, t);
  for (std::thread& thread : all) thread.join();
  return most;
}

TEST(MaxCallsInFlightTest, NeverMoreAtOnceWhileThreadsAsk) {
  BreakerOptions options;  // that a fifth of the calls failing does not open
  options.max_calls_in_flight = 3;
  TestBreaker breaker(options);
  EXPECT_LE(MostAtOnce(breaker, 8, 20'000), 3);
  EXPECT_EQ(Room(breaker), 3);
  EXPECT_EQ(breaker.Snapshot().in_flight, 0u);
}

TEST(MaxCallsInFlightTest, NeverMoreAtOnceWhileTheBreakerOpensAndCloses) {
  BreakerOptions options = CappedOptions(3);
  options.trip.consecutive_failures = 1;
  options.half_open.successes_to_close = 2;
  options.half_open.max_calls = 5;
  TestBreaker breaker(options);
  std::atomic<bool> done{false};
  std::thread other([&] {
    for (int i = 0; !done; ++i) {
      breaker.clock().Advance(absl::Seconds(1));
      if (i % 8 == 0) breaker->Reset();
      if (i % 16 == 0) breaker->SetMode(Mode::kForcedClosed);
      if (i % 16 == 4) breaker->SetMode(Mode::kAutomatic);
    }
  });
  EXPECT_LE(MostAtOnce(breaker, 4, 20'000), 3);
  done = true;
  other.join();
  breaker->SetMode(Mode::kForcedClosed);
  EXPECT_EQ(Room(breaker), 3);
}

TEST(MaxCallsInFlightTest, NoPlaceIsLostWhileItIsTurnedOnAndOff) {
  TestBreaker breaker;
  breaker->SetMode(Mode::kForcedClosed);
  std::atomic<bool> done{false};
  std::thread other([&] {
    for (int i = 0; !done; ++i) {
      SetCap(breaker, i % 2 == 0 ? std::optional<int64_t>(2) : std::nullopt);
      if (i % 7 == 0) breaker->SetMode(Mode::kShadow);
      if (i % 7 == 3) breaker->SetMode(Mode::kForcedClosed);
    }
  });
  MostAtOnce(breaker, 4, 5'000);
  done = true;
  other.join();
  breaker->SetMode(Mode::kForcedClosed);
  SetCap(breaker, 2);
  EXPECT_EQ(Room(breaker), 2);
  EXPECT_EQ(breaker.Snapshot().in_flight, 0u);
}

}  // namespace
}  // namespace autobreaker
