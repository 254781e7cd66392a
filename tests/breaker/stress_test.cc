// Everything at once, on several threads; what must hold, holds all the time.
#include <atomic>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

constexpr int kThreads = 8;

// What is wrong with a snapshot by itself; null if nothing is.
const char* Fault(const BreakerSnapshot& s) {
  const uint64_t finished = s.successes + s.failures;
  if (!Adds(s)) return "a call has no fate, or two";
  if (s.in_flight > s.requests) return "fewer calls began than ended";
  if (s.slow_calls > finished) return "more slow calls than calls";
  if (s.late_results > finished) return "more late results than results";
  if (s.window.finished() > finished) return "more in the window than ever";
  if (s.consecutive_successes > static_cast<int64_t>(s.successes)) {
    return "more successes in a row than successes";
  }
  if (s.failure_rate < 0 || s.failure_rate > 1) return "an impossible rate";
  for (int i = 0; i < kStateCount; ++i) {
    if (s.transitions[i][i] != 0) return "a transition to the same state";
  }
  if (s.state != State::kClosed && !s.last_trip.has_value()) {
    return "not closed, but never tripped";
  }
  if (s.state == State::kOpen && s.open_remaining <= absl::ZeroDuration()) {
    return "open, but for no time";
  }
  if (s.mode == Mode::kForcedOpen && s.state != State::kOpen) {
    return "forced open, but not open";
  }
  if (s.mode == Mode::kForcedClosed && s.state != State::kClosed) {
    return "forced closed, but not closed";
  }
  return nullptr;
}

// Looks at snapshots as long as there are `workers_left`, but at least once,
// and answers the first fault it sees.
std::string Watch(TestBreaker& breaker, const std::atomic<int>& workers_left) {
  BreakerSnapshot before = breaker.Snapshot();
  bool last;
  do {
    last = workers_left == 0;
    const BreakerSnapshot s = breaker.Snapshot();
    if (const char* fault = Fault(s)) return fault;
    const std::vector<uint64_t> now = Totals(s);
    const std::vector<uint64_t> then = Totals(before);
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i] < then[i]) return "a counter went back";
    }
    if (before.consecutive_failures > static_cast<int64_t>(s.failures)) {
      return "more failures in a row than failures";
    }
    before = s;
  } while (!last);
  return "";
}

// Runs `worker(thread, random)` on kThreads threads at once under two watchers.
template <typename Worker>
void RunWatched(TestBreaker* breaker, Worker worker) {
  constexpr int kWatchers = 2;
  std::atomic<int> ready{0};
  std::atomic<int> left{kThreads};
  std::vector<std::string> faults(kWatchers);
  RunThreads(kThreads + kWatchers, [&](int t) {
    ++ready;
    while (ready < kThreads + kWatchers) std::this_thread::yield();
    if (t >= kThreads) {
      faults[t - kThreads] = Watch(*breaker, left);
      return;
    }
    std::mt19937_64 random(t + 1);
    worker(t, random);
    --left;
  });
  for (const std::string& fault : faults) EXPECT_EQ(fault, "");
}

Outcome RandomOutcome(std::mt19937_64& random) {
  switch (random() % 10) {
    case 0:
      return Outcome::kIgnored;
    case 1:
      return Outcome::kAbandoned;
    case 2:
    case 3:
      return Outcome::kFailure;
    default:
      return Outcome::kSuccess;
  }
}

BreakerOptions RandomOptions(std::mt19937_64& random) {
  BreakerOptions options = SlowCallOptions();
  options.trip.failure_rate_threshold = 0.05 + (random() % 50) / 100.0;
  options.trip.minimum_calls = 1 + random() % 30;
  options.trip.window = absl::Milliseconds(100 + random() % 1000);
  options.trip.window_buckets = 1 + random() % 10;
  if (random() % 2) options.trip.consecutive_failures = 1 + random() % 5;
  if (random() % 2) {
    options.trip.evidence = EvidenceOptions();
    options.trip.evidence->calls_per_false_opening = 1 + random() % 1000;
    options.trip.evidence->tolerated_burst = absl::Milliseconds(random() % 50);
    if (random() % 2) options.half_open.successes_to_close.reset();
  }
  if (random() % 2) options.open.pace_by_calls = CallPacing();
  options.open.duration = absl::Milliseconds(1 + random() % 50);
  options.open.duration_max = absl::Milliseconds(100);
  options.open.duration_jitter = 0.5;
  options.half_open.max_calls = 1 + random() % 4;
  options.half_open.lease = absl::Milliseconds(1 + random() % 100);
  return options;
}

// One worker: admits, settles late, early or never, moves time and settings.
void UseAtRandom(TestBreaker& breaker, std::mt19937_64& random, int steps,
                 bool change_modes) {
  std::vector<Permit> held;
  for (int i = 0; i < steps; ++i) {
    const uint64_t what = random() % 1000;
    if (what < 500) {
      if (Permit permit = breaker->TryAcquire()) {
        held.push_back(std::move(permit));
      }
    } else if (what < 900) {
      if (held.empty()) continue;
      std::swap(held[random() % held.size()], held.back());
      held.back().Record(RandomOutcome(random));
      held.pop_back();
    } else if (what < 980) {
      breaker.clock().Advance(absl::Milliseconds(random() % 10));
    } else if (what < 985) {
      held.clear();
    } else if (what < 990) {
      breaker->UpdateOptions(RandomOptions(random)).IgnoreError();
    } else if (change_modes && what < 995) {
      breaker->SetMode(static_cast<Mode>(random() % 4));
    } else {
      breaker->options();
    }
  }
}

TEST(StressTest, EverySnapshotAddsUpAndNoCounterGoesBack) {
  TestBreaker breaker;
  RunWatched(&breaker, [&](int, std::mt19937_64& random) {
    UseAtRandom(breaker, random, 500'000, /*change_modes=*/true);
  });
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.in_flight, 0);
  EXPECT_GT(s.requests, 1'000);
  EXPECT_GT(s.late_results, 0);
}

TEST(StressTest, EveryScheduleRecovers) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    TestBreaker breaker;
    RunThreads(kThreads, [&](int t) {
      std::mt19937_64 random(seed * 100 + t);
      UseAtRandom(breaker, random, 1'000, /*change_modes=*/true);
    });
    breaker->SetMode(Mode::kAutomatic);
    ASSERT_TRUE(breaker->UpdateOptions(ExactOptions()).ok());
    if (breaker.state() == State::kOpen) {
      breaker.clock().Advance(absl::Seconds(60));
    }
    breaker.Succeed(4);
    ASSERT_EQ(breaker.state(), State::kClosed) << "seed " << seed;
    EXPECT_EQ(breaker.Snapshot().in_flight, 0);
    EXPECT_EQ(breaker.Snapshot().probes_in_flight, 0);
  }
}

TEST(StressTest, EveryScheduleRecoversByTheRamp) {
  BreakerOptions options;
  options.open.duration_jitter = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    TestBreaker breaker(options);
    RunThreads(kThreads, [&](int t) {
      std::mt19937_64 random(seed * 100 + t);
      UseAtRandom(breaker, random, 1'000, /*change_modes=*/true);
    });
    breaker->SetMode(Mode::kAutomatic);
    ASSERT_TRUE(breaker->UpdateOptions(options).ok());
    if (breaker.state() == State::kOpen) {
      breaker.clock().Advance(absl::Seconds(30));
    }
    breaker.Succeed(9);
    breaker.clock().Advance(options.open.duration);  // at the full share
    breaker.Succeed();
    ASSERT_EQ(breaker.state(), State::kClosed) << "seed " << seed;
    EXPECT_EQ(breaker.Snapshot().in_flight, 0);
  }
}

// Exactly as many failures as it takes, all at once.
TEST(StressTest, EvidenceIsNeverMissed) {
  BreakerOptions options;
  options.trip.evidence->tolerated_burst = absl::ZeroDuration();
  for (int round = 0; round < 500; ++round) {
    TestBreaker breaker(options);
    std::vector<Permit> permits = breaker.Acquire(
        static_cast<int>(*breaker.Snapshot().failures_until_trip));
    std::atomic<size_t> ready{0};
    RunThreads(static_cast<int>(permits.size()), [&](int t) {
      ++ready;
      while (ready < permits.size()) std::this_thread::yield();
      permits[t].Record(Outcome::kFailure);
    });
    ASSERT_EQ(breaker.state(), State::kOpen) << "round " << round;
  }
}

// A thread that is held up between reading the successes and weighing its
// failure must not take those of the others meanwhile for evidence.
TEST(StressTest, NormalFailuresOnManyThreadsNeverOpen) {
  BreakerOptions options;
  options.trip.evidence->normal_failure_rate = 0.2;
  options.trip.evidence->break_even_failure_rate = 0.5;
  options.trip.evidence->tolerated_burst = absl::ZeroDuration();
  TestBreaker breaker(options);
  RunThreads(kThreads, [&](int) {
    for (int i = 1; i <= 200'000; ++i) {
      breaker->TryAcquire().Record(i % 10 == 0 ? Outcome::kFailure
                                               : Outcome::kSuccess);
    }
  });
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(Transitions(breaker.Snapshot(), State::kClosed, State::kOpen), 0);
}

// A burst on many threads at once, each of whose failures would do.
TEST(StressTest, BurstNeverOpens) {
  for (int round = 0; round < 100; ++round) {
    TestBreaker breaker((BreakerOptions()));
    std::vector<std::vector<Permit>> held(kThreads);
    for (std::vector<Permit>& permits : held) permits = breaker.Acquire(50);
    RunThreads(kThreads, [&](int t) {
      for (Permit& permit : held[t]) permit.Record(Outcome::kFailure);
    });
    ASSERT_EQ(breaker.state(), State::kClosed) << "round " << round;
  }
}

TEST(StressTest, NeverMoreProbesAtOnceThanAllowed) {
  constexpr int kAtOnce = 3;
  TestBreaker breaker(EndlessProbingOptions(kAtOnce));
  breaker.Trip();
  std::atomic<int> probing{0};
  std::atomic<int> too_many{0};
  std::atomic<int> reopened{0};
  RunWatched(&breaker, [&](int, std::mt19937_64& random) {
    for (int i = 0; i < 8'000; ++i) {
      Permit permit = breaker->TryAcquire();
      if (!permit) {
        if (random() % 10 == 0) breaker.clock().Advance(absl::Seconds(1));
        continue;
      }
      too_many += ++probing > kAtOnce;
      if (random() % 4 == 0) std::this_thread::yield();
      // Before it is settled, or the next one may come first.
      --probing;
      Outcome outcome = RandomOutcome(random);
      // A failure starts half-open over while other probes are under way, so
      // they could not be told from the next ones.
      if (outcome == Outcome::kFailure) {
        outcome = Outcome::kSuccess;
        ++reopened;
      }
      permit.Record(outcome);
    }
  });
  EXPECT_EQ(too_many.load(), 0);
  EXPECT_GT(reopened.load(), 0);
}

// Calls end while the breaker opens and closes again. Each is either judged in
// its own time or late; nothing may be left over for the time after.
TEST(StressTest, NoLateResultEntersAWindow) {
  TestBreaker breaker;
  for (int round = 0; round < 300; ++round) {
    breaker->SetMode(Mode::kForcedClosed);
    std::vector<std::vector<Permit>> held(kThreads);
    for (std::vector<Permit>& permits : held) permits = breaker.Acquire(200);
    const uint64_t late_before = breaker.Snapshot().late_results;
    std::atomic<int> settled{0};
    RunThreads(kThreads + 1, [&](int t) {
      if (t == 0) {
        while (settled < round * 4) {
        }
        breaker->SetMode(Mode::kForcedOpen);
        breaker->SetMode(Mode::kForcedClosed);
        return;
      }
      for (Permit& permit : held[t - 1]) {
        permit.Record(t % 2 ? Outcome::kFailure : Outcome::kSuccess);
        ++settled;
      }
    });
    const BreakerSnapshot s = breaker.Snapshot();
    ASSERT_EQ(s.state, State::kClosed);
    ASSERT_EQ(s.window, Counts(0, 0)) << "round " << round;
    ASSERT_EQ(s.last_trip->window.finished() + s.late_results - late_before,
              kThreads * 200);
    ASSERT_EQ(s.consecutive_failures, 0);
    ASSERT_EQ(s.consecutive_successes, 0);
    ASSERT_EQ(s.in_flight, 0);
  }
}

// As above, but what opens it is its own verdict, on one of these threads.
TEST(StressTest, NoLateResultEntersAWindowAfterATrip) {
  for (int round = 0; round < 300; ++round) {
    TestBreaker breaker;
    std::vector<std::vector<Permit>> held(kThreads);
    for (std::vector<Permit>& permits : held) permits = breaker.Acquire(20);
    RunThreads(kThreads, [&](int t) {
      for (Permit& permit : held[t]) permit.Record(Outcome::kFailure);
    });
    const BreakerSnapshot open = breaker.Snapshot();
    ASSERT_EQ(open.state, State::kOpen);
    ASSERT_EQ(Trips(open, TransitionReason::kFailureRate), 1);
    // What the verdict rested on and what came too late are all there is.
    ASSERT_EQ(open.last_trip->window.failures + open.late_results,
              kThreads * 20);
    breaker.WaitForProbes();
    breaker.Recover();
    ASSERT_EQ(breaker.Snapshot().window, Counts(0, 0));
  }
}

// Exactly as many failures as the minimum, on several threads at once, while
// what they are judged by is published again and again.
TEST(StressTest, FailureThatCrossesTheThresholdIsNeverMissed) {
  BreakerOptions options = ExactOptions();
  options.trip.minimum_calls = kThreads * 5;
  for (int round = 0; round < 200; ++round) {
    TestBreaker breaker(options);
    std::atomic<int> ready{0};
    std::atomic<int> left{kThreads};
    RunThreads(kThreads + 1, [&](int t) {
      ++ready;
      while (ready < kThreads + 1) std::this_thread::yield();
      if (t == kThreads) {
        while (left > 0) breaker->UpdateOptions(options).IgnoreError();
        return;
      }
      for (int i = 0; i < 5; ++i) {
        breaker->TryAcquire().Record(Outcome::kFailure);
      }
      --left;
    });
    ASSERT_EQ(breaker.state(), State::kOpen) << "round " << round;
  }
}

// Several failures that are each enough.
TEST(StressTest, OneRowOfFailuresTripsOnce) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 2;
  for (int round = 0; round < 300; ++round) {
    TestBreaker breaker(options);
    std::vector<std::vector<Permit>> held(kThreads);
    for (std::vector<Permit>& permits : held) permits = breaker.Acquire(5);
    std::atomic<int> ready{0};
    RunThreads(kThreads, [&](int t) {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      for (Permit& permit : held[t]) permit.Record(Outcome::kFailure);
    });
    const BreakerSnapshot s = breaker.Snapshot();
    ASSERT_EQ(Transitions(s, State::kClosed, State::kOpen), 1);
    ASSERT_EQ(Transitions(s, State::kOpen, State::kOpen), 0);
  }
}

// All results are late and slow, so none may be seen as such before it is seen
// as a result.
TEST(StressTest, NoMoreLateOrSlowResultsThanResultsAreEverSeen) {
  TestBreaker breaker(SlowCallOptions());
  std::vector<std::vector<Permit>> held(kThreads);
  for (std::vector<Permit>& permits : held) permits = breaker.Acquire(20'000);
  breaker.clock().Advance(absl::Seconds(1));
  breaker->SetMode(Mode::kForcedOpen);
  RunWatched(&breaker, [&](int t, std::mt19937_64&) {
    for (Permit& permit : held[t]) permit.Record(Outcome::kSuccess);
  });
  EXPECT_EQ(breaker.Snapshot().late_results, kThreads * 20'000);
  EXPECT_EQ(breaker.Snapshot().slow_calls, kThreads * 20'000);
}

// As many failures in a row as it takes, after the last success.
TEST(StressTest, RowOfFailuresIsNeverMissed) {
  BreakerOptions options = ExactOptions();
  options.trip.minimum_calls = 1'000'000;
  options.trip.consecutive_failures = 10;
  for (int round = 0; round < 300; ++round) {
    TestBreaker breaker(options);
    std::vector<Permit> stray = breaker.Acquire(2);
    std::atomic<int> ready{0};
    RunThreads(3, [&](int t) {
      ++ready;
      while (ready < 3) std::this_thread::yield();
      if (t < 2) {
        stray[t].Record(Outcome::kFailure);
        return;
      }
      breaker->TryAcquire().Record(Outcome::kSuccess);
      for (int i = 0; i < 10; ++i) {
        breaker->TryAcquire().Record(Outcome::kFailure);
      }
    });
    ASSERT_EQ(breaker.state(), State::kOpen) << "round " << round;
  }
}

TEST(StressTest, SlowCallsOnManyThreadsAreNeverMissed) {
  BreakerOptions options = SlowCallOptions(/*rate_threshold=*/1);
  options.trip.minimum_calls = kThreads * 5;
  for (int round = 0; round < 300; ++round) {
    TestBreaker breaker(options);
    std::vector<std::vector<Permit>> held(kThreads);
    for (std::vector<Permit>& permits : held) permits = breaker.Acquire(5);
    breaker.clock().Advance(absl::Seconds(1));
    RunThreads(kThreads, [&](int t) {
      for (Permit& permit : held[t]) permit.Record(Outcome::kSuccess);
    });
    ASSERT_EQ(breaker.state(), State::kOpen) << "round " << round;
  }
}

// Forcing a breaker open has no end, which no refusal may take for a time.
TEST(StressTest, RetryAfterIsNeverBeyondTheOpenTime) {
  TestBreaker breaker;
  breaker.Trip();
  std::atomic<bool> done{false};
  std::atomic<int> too_long{0};
  RunThreads(3, [&](int t) {
    if (t == 0) {
      for (int i = 0; i < 30'000; ++i) {
        breaker->SetMode(Mode::kForcedOpen);
        breaker->SetMode(Mode::kAutomatic);
        breaker->TryAcquire().Record(Outcome::kFailure);
      }
      done = true;
      return;
    }
    while (!done) {
      Refusal refusal;
      breaker->TryAcquire(&refusal).Record(Outcome::kFailure);
      too_long += refusal.retry_after > absl::Seconds(60);
    }
  });
  EXPECT_EQ(too_long.load(), 0);
}

// Each finished call is counted once, whatever happens around it.
TEST(StressTest, NoResultIsLostOrCountedTwice) {
  TestBreaker breaker;
  std::atomic<uint64_t> successes{0};
  std::atomic<uint64_t> failures{0};
  std::atomic<uint64_t> refused{0};
  RunWatched(&breaker, [&](int t, std::mt19937_64& random) {
    for (int i = 0; i < 300'000; ++i) {
      if (t == 0 && i % 50 == 0) {
        breaker->SetMode(static_cast<Mode>(random() % 4));
      }
      if (t == 1 && i % 10 == 0) breaker.clock().Advance(absl::Seconds(1));
      Permit permit = breaker->TryAcquire();
      if (!permit) {
        ++refused;
      } else if (random() % 4 == 0) {
        permit.Record(Outcome::kFailure);
        ++failures;
      } else {
        permit.Record(Outcome::kSuccess);
        ++successes;
      }
    }
  });
  const BreakerSnapshot s = breaker.Snapshot();
  EXPECT_EQ(s.successes, successes.load());
  EXPECT_EQ(s.failures, failures.load());
  EXPECT_EQ(AllRefusals(s), refused.load());
  EXPECT_EQ(s.requests, successes + failures);
}

}  // namespace
}  // namespace autobreaker
