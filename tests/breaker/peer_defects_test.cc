// Defects found in circuit breakers people use; none of them is here. Those of
// gRPC and of Prometheus are tested next to the code they are about.
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/internal/counters.h"
#include "autobreaker/breaker/internal/trip_rule.h"
#include "autobreaker/breaker/internal/window.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;

// Row 1.
TEST(PeerDefectsTest, CountersNeverGoBackAndEveryQuestionIsCounted) {
  TestBreaker breaker;
  std::vector<uint64_t> before = Totals(breaker.Snapshot());
  uint64_t asked = 0;
  const auto expect_no_counter_went_back = [&] {
    const BreakerSnapshot s = breaker.Snapshot();
    const std::vector<uint64_t> now = Totals(s);
    for (size_t i = 0; i < now.size(); ++i) {
      EXPECT_GE(now[i], before[i]) << "counter " << i;
    }
    EXPECT_EQ(s.requests + AllRefusals(s), asked);
    before = now;
  };
  const auto ask = [&](Outcome outcome, int count) {
    for (int i = 0; i < count; ++i) {
      breaker->TryAcquire().Record(outcome);
      ++asked;
    }
    expect_no_counter_went_back();
  };
  ask(Outcome::kSuccess, 50);
  ask(Outcome::kFailure, 50);  // trips and is refused
  breaker.clock().Advance(absl::Seconds(5));
  ask(Outcome::kFailure, 2);
  breaker.clock().Advance(absl::Seconds(10));
  ask(Outcome::kSuccess, 50);  // recovers
  breaker.clock().Advance(absl::Seconds(60));
  expect_no_counter_went_back();  // the window is empty
  BreakerOptions options = RateOptions();
  options.trip.window = absl::Seconds(1);
  ASSERT_TRUE(breaker->UpdateOptions(options).ok());
  expect_no_counter_went_back();
  for (const Mode mode : {Mode::kForcedOpen, Mode::kForcedClosed, Mode::kShadow,
                          Mode::kAutomatic}) {
    breaker->SetMode(mode);
    ask(Outcome::kFailure, 30);
    ask(Outcome::kIgnored, 30);
  }
}

// Row 2.
TEST(PeerDefectsTest, RateThatTrippedItIsStillThereWhileOpen) {
  TestBreaker breaker;
  breaker.Succeed(18);
  breaker.Fail(2);
  ASSERT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.Snapshot().failure_rate, 0.1);
  breaker.clock().Advance(absl::Seconds(4));
  breaker.Refused();
  EXPECT_EQ(breaker.Snapshot().failure_rate, 0.1);
}

// Row 3.
TEST(PeerDefectsTest, LongHealthyHistoryDoesNotDelayATrip) {
  TestBreaker breaker;
  for (int second = 0; second < 1000; ++second) {
    breaker.Succeed(1000);
    breaker.clock().Advance(absl::Seconds(1));
  }
  breaker.clock().Advance(absl::Seconds(10));
  breaker.Fail(19);
  EXPECT_EQ(breaker.state(), State::kClosed);
  breaker.Fail();
  EXPECT_EQ(breaker.state(), State::kOpen);
}

// Row 3, without a pause between health and outage.
TEST(PeerDefectsTest, OutageTripsWithinOneWindowOfItsStart) {
  BreakerOptions options = ExactOptions();
  options.trip.failure_rate_threshold = 0.99;
  TestBreaker breaker(options);
  for (int tenth = 0; tenth < 1000; ++tenth) {
    breaker.Succeed(100);
    breaker.clock().Advance(absl::Milliseconds(100));
  }
  int tenths = 0;
  while (breaker.state() == State::kClosed && tenths < 1000) {
    for (int i = 0; i < 100; ++i) {
      breaker->TryAcquire().Record(Outcome::kFailure);
    }
    breaker.clock().Advance(absl::Milliseconds(100));
    ++tenths;
  }
  EXPECT_LE(tenths, 110);
}

// Row 4.
TEST(PeerDefectsTest, FailuresAroundABoundaryCountTogether) {
  for (int milliseconds = 0; milliseconds <= 12'000; milliseconds += 250) {
    for (const int buckets : {1, 2, 10}) {
      BreakerOptions options = ExactOptions();
      options.trip.window_buckets = buckets;
      TestBreaker breaker(options);
      breaker.clock().Advance(absl::Milliseconds(milliseconds));
      breaker.Fail(10);
      breaker.clock().Advance(absl::Milliseconds(500));
      breaker.Fail(10);
      EXPECT_EQ(breaker.state(), State::kOpen)
          << buckets << " buckets, " << milliseconds << " ms";
    }
  }
}

// Row 5.
TEST(PeerDefectsTest, CallsInFlightDoNotDiluteTheRate) {
  TestBreaker breaker;
  const std::vector<Permit> blocked = breaker.Acquire(1000);
  breaker.Fail(20);
  EXPECT_EQ(breaker.state(), State::kOpen);
}

// Row 5.
TEST(PeerDefectsTest, CallsInFlightDoNotSatisfyTheMinimum) {
  TestBreaker breaker;
  const std::vector<Permit> blocked = breaker.Acquire(1000);
  breaker.Fail(19);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

// Row 6.
TEST(PeerDefectsTest, CallsThatHangUntilTheirDeadlineTrip) {
  TestBreaker breaker;
  std::vector<Permit> hanging = breaker.Acquire(100);
  breaker.clock().Advance(absl::Hours(1));
  for (Permit& permit : hanging) permit.Record(Outcome::kFailure);
  EXPECT_EQ(breaker.state(), State::kOpen);
}

// Row 7.
TEST(PeerDefectsTest, ResultOfTheClosedTimeIsNoVerdictInHalfOpen) {
  TestBreaker breaker(EndlessProbingOptions(2));
  std::vector<Permit> late = breaker.Acquire(40);
  breaker.TripAndWaitForProbes();
  const std::vector<Permit> probes = breaker.Acquire(2);
  for (int i = 0; i < 20; ++i) late[i].Record(Outcome::kSuccess);
  for (int i = 20; i < 40; ++i) late[i].Record(Outcome::kFailure);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kHalfOpen);
  EXPECT_EQ(s.probe_successes, 0);
  EXPECT_EQ(s.probes_in_flight, 2);
  breaker.Refused();
}

// Row 7.
TEST(PeerDefectsTest, ResultOfTheClosedTimeIsNotInTheNextClosedTime) {
  TestBreaker breaker;
  std::vector<Permit> late = breaker.Acquire(100);
  breaker.TripAndWaitForProbes();
  breaker.Recover();
  for (Permit& permit : late) permit.Record(Outcome::kFailure);
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.state, State::kClosed);
  EXPECT_EQ(s.window, Counts(0, 0));
  EXPECT_EQ(s.consecutive_failures, 0);
  EXPECT_EQ(s.late_results, 100);
}

// Row 7: generations are stored in few bits next to the counts.
TEST(PeerDefectsTest, ResultIsLateAfterAnyNumberOfTransitions) {
  TestBreaker breaker;
  Permit late = breaker.Acquire();
  for (int i = 0; i < (1 << 15); ++i) {
    breaker->SetMode(Mode::kForcedOpen);
    breaker->SetMode(Mode::kForcedClosed);
  }
  late.Record(Outcome::kFailure);
  EXPECT_EQ(breaker.Snapshot().late_results, 1);
  EXPECT_EQ(breaker.Snapshot().window, Counts(0, 0));
}

// Row 8.
TEST(PeerDefectsTest, NoTwoProbesAtOnceIfOneIsAllowed) {
  TestBreaker breaker(EndlessProbingOptions(1));
  breaker.Trip();
  breaker.clock().Advance(absl::Seconds(5));
  std::atomic<int> ready{0};
  std::atomic<int> probing{0};
  std::atomic<int> most{0};
  std::atomic<int> admitted{0};
  RunThreads(64, [&](int) {
    ++ready;
    while (ready < 64) std::this_thread::yield();
    for (int i = 0; i < 500; ++i) {
      Permit permit = breaker->TryAcquire();
      if (!permit) continue;
      ++admitted;
      const int now = ++probing;
      if (now > most) most = now;
      if (i % 8 == 0) std::this_thread::yield();
      --probing;
      permit.Record(i % 2 ? Outcome::kSuccess : Outcome::kIgnored);
    }
  });
  EXPECT_EQ(most.load(), 1);
  EXPECT_GE(admitted.load(), 1);
}

// Row 8, at the moment when open becomes half-open.
TEST(PeerDefectsTest, FirstProbeIsAlone) {
  TestBreaker breaker(EndlessProbingOptions(1));
  breaker.Trip();
  for (int round = 0; round < 50; ++round) {
    breaker.clock().Advance(breaker.Snapshot().open_remaining);
    std::atomic<int> ready{0};
    std::vector<Permit> permits(16);
    RunThreads(16, [&](int t) {
      ++ready;
      while (ready < 16) std::this_thread::yield();
      permits[t] = breaker->TryAcquire();
    });
    int admitted = 0;
    for (Permit& permit : permits) {
      if (!permit) continue;
      ++admitted;
      permit.Record(Outcome::kFailure);
    }
    ASSERT_EQ(admitted, 1);
    ASSERT_EQ(breaker.Snapshot().state, State::kOpen);
  }
}

// Row 9. Time moves only while it is closed, so whenever it is open, all of the
// open time is left.
TEST(PeerDefectsTest, WhoeverSeesOpenSeesItsTime) {
  TestBreaker breaker;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  RunThreads(4, [&](int t) {
    if (t == 0) {
      for (int i = 0; i < 20'000; ++i) {
        for (int k = 0; k < 20; ++k) {
          breaker->TryAcquire().Record(Outcome::kFailure);
        }
        breaker->SetMode(Mode::kForcedClosed);
        breaker->SetMode(Mode::kAutomatic);
        breaker.clock().Advance(absl::Seconds(1));
      }
      done = true;
      return;
    }
    while (!done) {
      Refusal refusal;
      if (t == 1) {
        const BreakerSnapshot s = breaker->Snapshot();
        wrong += s.state == State::kHalfOpen;
        wrong += s.state == State::kOpen &&
                 (s.open_remaining != absl::Seconds(5) || !s.last_trip);
        continue;
      }
      const MonotonicTime before = breaker.clock().Now();
      if (breaker->TryAcquire(&refusal)) continue;
      if (breaker.clock().Now() != before) continue;  // of another time
      wrong += refusal.reason != RefusalReason::kOpen;
      wrong += refusal.retry_after != absl::Seconds(5);
    }
  });
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(Transitions(breaker.Snapshot(), State::kOpen, State::kHalfOpen), 0);
}

// Row 10.
TEST(PeerDefectsTest, ClosingThatRacesATripNeverSticks) {
  for (int round = 0; round < 200; ++round) {
    BreakerOptions options = ExactOptions();
    options.half_open.successes_to_close = 1;
    options.half_open.max_calls = 4;
    options.trip.consecutive_failures = 1;
    TestBreaker breaker(options);
    breaker.Trip();
    breaker.clock().Advance(absl::Seconds(5));
    RunThreads(4, [&](int t) {
      for (int i = 0; i < 10; ++i) {
        breaker->TryAcquire().Record((t + i) % 2 ? Outcome::kSuccess
                                                 : Outcome::kFailure);
      }
    });
    for (int i = 0; i < 2 && breaker.state() != State::kClosed; ++i) {
      breaker.clock().Advance(absl::Seconds(60));
      breaker.Succeed();
    }
    ASSERT_EQ(breaker.state(), State::kClosed) << "round " << round;
    breaker.Succeed();
  }
}

// Row 11.
TEST(PeerDefectsTest, RefusedCallsAreInNoOtherCountAndNoRatio) {
  TestBreaker breaker;
  breaker.Succeed(10);
  breaker.Fail(10);
  ASSERT_EQ(breaker.state(), State::kOpen);
  for (int i = 0; i < 1000; ++i) breaker.Refused();
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.requests, 20);
  EXPECT_EQ(s.failure_rate, 0.5);
  EXPECT_TRUE(Adds(s));
}

// Row 12.
TEST(PeerDefectsTest, StepOfTheWallClockChangesNothing) {
  for (const absl::Duration step : {absl::Hours(1), -absl::Hours(1)}) {
    TestBreaker breaker;
    breaker.Fail(10);
    breaker.clock().StepWall(step);
    EXPECT_EQ(breaker.Snapshot().window, Counts(0, 10));
    breaker.Fail(10);
    ASSERT_EQ(breaker.state(), State::kOpen);
    breaker.clock().StepWall(step);
    EXPECT_EQ(breaker.Refused().retry_after, absl::Seconds(5));
    breaker.clock().Advance(absl::Seconds(5));
    const std::vector<Permit> probes = breaker.Acquire(3);
    breaker.clock().StepWall(step);
    breaker.Refused();
  }
}

// Row 13.
TEST(PeerDefectsTest, NonsenseIsRefusedByName) {
  BreakerOptions nan = RateOptions();
  nan.trip.failure_rate_threshold = std::numeric_limits<double>::quiet_NaN();
  BreakerOptions huge = RateOptions();
  huge.half_open.max_calls = std::numeric_limits<int64_t>::max();
  BreakerOptions negative = RateOptions();
  negative.open.duration = -absl::Seconds(1);
  for (const auto& [options, field] :
       {std::make_pair(nan, "trip.failure_rate_threshold"),
        std::make_pair(huge, "half_open.max_calls"),
        std::make_pair(negative, "open.duration")}) {
    TestBreaker breaker;
    EXPECT_THAT(std::string(breaker->UpdateOptions(options).message()),
                HasSubstr(field));
    EXPECT_THAT(
        std::string(
            CircuitBreaker::Create(BreakerKey(), options).status().message()),
        HasSubstr(field));
  }
}

// Row 14: as a breaker does it, but with counters about to wrap.
TEST(PeerDefectsTest, CountersAtTheirMaximumStillTrip) {
  ShardedCounters counters((uint64_t{1} << 48) - 5);
  SlidingWindow window;
  MonotonicTime now{std::chrono::hours(1)};
  const TripRule rule = TripRule::From(RateOptions().trip);
  window.Restart(std::chrono::seconds(10), 10, counters.JudgedTotals(), now);
  int failures = 0;
  do {
    now += std::chrono::milliseconds(400);
    window.Advance(counters.JudgedTotals(), now);
    counters.AddJudged(ShardedCounters::kFailure, 0);
    ++failures;
  } while (!rule.Judge(counters.JudgedTotals() - window.base(), 0, false) &&
           failures < 1000);
  EXPECT_EQ(failures, 20);
}

// Row 15.
TEST(PeerDefectsTest, CallbackMayReadTheBreakerAndThrow) {
  TestBreaker* self = nullptr;
  TestBreaker breaker(ExactOptions(), [&](const Transition&) {
    self->Snapshot();
    throw std::runtime_error("no harm");
  });
  self = &breaker;
  breaker.TripAndWaitForProbes();
  breaker.Recover();
  breaker->FlushTransitions();
  EXPECT_EQ(breaker.Snapshot().callback_exceptions, 3);
}

// Row 16.
TEST(PeerDefectsTest, OptionsOfTwoUpdatesAreNeverMixed) {
  BreakerOptions a = ExactOptions();
  a.trip.minimum_calls = 100;
  a.open.duration = absl::Seconds(1);
  a.half_open.max_calls = 1;
  BreakerOptions b = ExactOptions();
  b.trip.minimum_calls = 200;
  b.open.duration = absl::Seconds(2);
  b.half_open.max_calls = 2;
  TestBreaker breaker(a);
  std::atomic<bool> done{false};
  std::atomic<int> mixed{0};
  RunThreads(4, [&](int t) {
    if (t == 0) {
      for (int i = 0; i < 10'000; ++i) {
        breaker->UpdateOptions(i % 2 ? a : b).IgnoreError();
      }
      done = true;
      return;
    }
    while (!done) {
      const BreakerOptions seen =
          t == 1 ? breaker->options() : breaker->Snapshot().options;
      mixed += seen != a && seen != b;
      breaker->TryAcquire().Record(Outcome::kFailure);
    }
  });
  EXPECT_EQ(mixed.load(), 0);
}

// Row 16: a trip is never judged by half of an update. Neither of the two
// settings trips on what is recorded, but their mixture would.
TEST(PeerDefectsTest, VerdictsOfTwoUpdatesAreNeverMixed) {
  BreakerOptions a = ExactOptions();
  a.trip.minimum_calls = 1;
  a.trip.failure_rate_threshold = 0.9;
  BreakerOptions b = ExactOptions();
  b.trip.minimum_calls = 1'000'000'000;
  b.trip.failure_rate_threshold = 0.01;
  TestBreaker breaker(a);
  breaker.Succeed(1'000);
  std::atomic<bool> done{false};
  RunThreads(3, [&](int t) {
    if (t == 0) {
      for (int i = 0; i < 20'000; ++i) {
        breaker->UpdateOptions(i % 2 ? a : b).IgnoreError();
      }
      done = true;
      return;
    }
    while (!done) {
      breaker->TryAcquire().Record(Outcome::kFailure);
      for (int i = 0; i < 3; ++i) {
        breaker->TryAcquire().Record(Outcome::kSuccess);
      }
    }
  });
  EXPECT_EQ(breaker.state(), State::kClosed);
}

// Row 17.
TEST(PeerDefectsTest, LeakedProbeGivesItsPlaceToAnother) {
  BreakerOptions options = ExactOptions();
  options.half_open.max_calls = 1;
  TestBreaker breaker(options);
  breaker.TripAndWaitForProbes();
  const Permit leaked = breaker.Acquire();
  breaker.Refused();
  breaker.clock().Advance(absl::Seconds(60));
  EXPECT_TRUE(breaker.Acquire());
}

// Row 18.
TEST(PeerDefectsTest, EveryRefusalIsCountedOnce) {
  TestBreaker breaker;
  breaker.Trip();
  RunThreads(8, [&](int) {
    for (int i = 0; i < 1000; ++i) breaker->TryAcquire();
  });
  EXPECT_EQ(AllRefusals(breaker.Snapshot()), 8000);
}

// Row 19.
TEST(PeerDefectsTest, CancelledProbeIsNoVerdictAndFreesItsPlace) {
  BreakerOptions options = ExactOptions();
  options.half_open.max_calls = 1;
  options.half_open.successes_to_close = 1;
  TestBreaker breaker(options);
  breaker.TripAndWaitForProbes();
  breaker.Finish(Outcome::kIgnored);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_TRUE(breaker.Acquire());
}

// Row 20.
TEST(PeerDefectsTest, FastFailuresTrip) {
  TestBreaker breaker;
  int calls = 0;
  while (breaker.state() == State::kClosed && calls < 1000) {
    if (calls % 2) {
      breaker.Fail();  // at once
    } else {
      breaker.Finish(Outcome::kSuccess, absl::Milliseconds(100));
    }
    ++calls;
  }
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(calls, 20);
}

}  // namespace
}  // namespace autobreaker
