// What a breaker at its defaults does where a part of the calls fails, next to
// no breaker at all. Calls end at once and come at random times.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

// Calls to a server, at a rate.
class Traffic {
 public:
  Traffic(double per_second, uint64_t seed,
          const BreakerOptions& options = BreakerOptions())
      : breaker_(options), per_second_(per_second), random_(seed) {}

  struct Lost {
    int64_t failed = 0;
    int64_t refused_good = 0;  // that would have succeeded
    int64_t refused = 0;
    int64_t would_fail = 0;

    double over_none() const {
      return static_cast<double>(failed + refused_good) /
             static_cast<double>(would_fail);
    }
  };

  // So many calls, of which this share fails.
  void Call(int64_t calls, double failing, Lost* lost) {
    std::bernoulli_distribution fails(failing);
    for (int64_t i = 0; i < calls; ++i) One(fails(random_), lost);
  }
  // One backend after the other takes a call, and the first one is dead.
  void CallBackends(int64_t calls, int backends, Lost* lost) {
    for (int64_t i = 0; i < calls; ++i) One(i % backends == 0, lost);
  }
  void One(bool fails, Lost* lost) {
    const double pause =
        std::exponential_distribution<double>(per_second_)(random_);
    breaker_.clock().Advance(absl::Seconds(pause));
    lost->would_fail += fails ? 1 : 0;
    if (Permit permit = breaker_->TryAcquire()) {
      permit.Record(fails ? Outcome::kFailure : Outcome::kSuccess);
      lost->failed += fails ? 1 : 0;
    } else {
      ++lost->refused;
      lost->refused_good += fails ? 0 : 1;
    }
  }

  TestBreaker breaker_;

 private:
  const double per_second_;
  std::mt19937_64 random_;
};

// V2.
TEST(PartialOutageTest, LosesNoMoreCallsThanNoBreakerWhereFewerThanHalfFail) {
  for (const double per_second : {0.1, 10.0, 300.0, 5'000.0, 20'000.0}) {
    for (const double failing : {0.06, 0.15, 0.3, 0.4}) {
      Traffic::Lost lost;
      for (uint64_t seed = 1; seed <= 20; ++seed) {
        Traffic traffic(per_second, seed);
        Traffic::Lost before;
        traffic.Call(100, 0.01, &before);
        traffic.Call(10'000, failing, &lost);
      }
      EXPECT_LT(lost.over_none(), 1.05)
          << failing << " fail at " << per_second << "/s";
    }
  }
}

// V3.
TEST(PartialOutageTest, OneDeadBackendOfSeveralOpensNothing) {
  for (const double per_second : {0.1, 10.0, 1'000.0, 20'000.0}) {
    for (const int backends : {3, 5, 10}) {
      Traffic traffic(per_second, 1);
      Traffic::Lost lost;
      traffic.CallBackends(60'000, backends, &lost);
      EXPECT_EQ(lost.refused, 0)
          << "one of " << backends << " at " << per_second << "/s";
    }
  }
}

TEST(PartialOutageTest, TotalOutageIsRefusedAllButAFewCalls) {
  for (const double per_second : {0.1, 10.0, 300.0}) {
    Traffic traffic(per_second, 1);
    Traffic::Lost lost;
    traffic.Call(100, 0.01, &lost);
    lost = Traffic::Lost();
    traffic.Call(10'000, 1, &lost);
    EXPECT_LT(lost.failed, per_second < 1 ? 5'000 : 200) << per_second << "/s";
  }
}

// V12: the threshold that is written is the one that holds.
TEST(PartialOutageTest, OpensFromTheBreakEvenRateOn) {
  for (const double rate : {0.2, 0.5, 0.8}) {
    BreakerOptions options;
    options.trip.evidence->break_even_failure_rate = rate;
    int opened_below = 0;
    int opened_above = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      for (const double failing : {rate - 0.12, rate + 0.12}) {
        Traffic traffic(100, seed, options);
        Traffic::Lost lost;
        traffic.Call(3'000, failing, &lost);
        (failing < rate ? opened_below : opened_above) += lost.refused > 0;
      }
    }
    EXPECT_LE(opened_below, 5) << rate;
    EXPECT_EQ(opened_above, 20) << rate;
  }
}

// V13.
TEST(PartialOutageTest, IsSeenAfterAboutAsManyCallsAtEachRate) {
  for (const double per_second : {0.1, 10.0, 1'000.0, 5'000.0, 20'000.0}) {
    std::vector<int64_t> calls;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      Traffic traffic(per_second, seed);
      Traffic::Lost lost;
      int64_t n = 0;
      for (; lost.refused == 0 && n < 100'000; ++n) {
        traffic.Call(1, 0.7, &lost);
      }
      // Beside those of a burst, which is tolerated.
      EXPECT_LT(n, 250 + 0.3 * per_second) << per_second << "/s";
    }
  }
}

// V14: 1 to 17 ms apart, which is a burst.
TEST(PartialOutageTest, FailuresUntilTripAreALowerBound) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 random(seed);
    TestBreaker breaker((BreakerOptions()));
    int64_t failures = 0;
    std::vector<int64_t> bounds;
    while (breaker.state() == State::kClosed) {
      bounds.push_back(failures + *breaker.Snapshot().failures_until_trip);
      breaker.clock().Advance(absl::Milliseconds(1 + random() % 17));
      breaker.Fail();
      ++failures;
    }
    for (const int64_t bound : bounds) EXPECT_LE(bound, failures) << seed;
  }
}

TEST(PartialOutageTest, FailuresUntilTripAreExactForFailuresThatAreNoBurst) {
  TestBreaker breaker((BreakerOptions()));
  for (int64_t more = 4; more > 0; --more) {
    EXPECT_EQ(breaker.Snapshot().failures_until_trip, more);
    EXPECT_EQ(breaker.Snapshot().will_trip_next, more == 1);
    breaker.clock().Advance(absl::Milliseconds(50));
    breaker.Fail();
  }
  EXPECT_EQ(breaker.state(), State::kOpen);
}

// --------------------------------------------------- Silence (V4 and V5)

// Calls that are refused from now on until one is let through, at 100/s.
int RefusedUntilAProbe(TestBreaker& breaker) {
  int refused = 0;
  for (;;) {
    breaker.clock().Advance(absl::Milliseconds(10));
    if (Permit permit = breaker->TryAcquire()) {
      permit.Record(Outcome::kSuccess);
      return refused;
    }
    ++refused;
  }
}

// 6,000 successes, silence, failures until it opens, and then all is well.
int RefusedAfterSilence(absl::Duration silence) {
  TestBreaker breaker((BreakerOptions()));
  for (int i = 0; i < 6'000; ++i) {
    breaker.clock().Advance(absl::Milliseconds(10));
    breaker.Succeed();
  }
  breaker.clock().Advance(silence);
  while (breaker.state() == State::kClosed) {
    breaker.clock().Advance(absl::Milliseconds(10));
    breaker.Fail();
  }
  return RefusedUntilAProbe(breaker);
}

TEST(SilenceTest, BeforeAnOutageRefusesNoMoreCalls) {
  EXPECT_LE(RefusedAfterSilence(absl::ZeroDuration()), 11);
  EXPECT_LE(RefusedAfterSilence(absl::Seconds(15)), 11);
  EXPECT_LE(RefusedAfterSilence(absl::Hours(3)), 11);
}

TEST(SilenceTest, WhileOpenRefusesNoMoreCalls) {
  for (const absl::Duration silence : {absl::Seconds(1), absl::Hours(1)}) {
    TestBreaker breaker((BreakerOptions()));
    for (int i = 0; i < 4; ++i) {
      breaker.clock().Advance(absl::Milliseconds(50));
      breaker.Fail();
    }
    ASSERT_EQ(breaker.state(), State::kOpen);
    breaker.clock().Advance(silence);
    EXPECT_LE(RefusedUntilAProbe(breaker), 11) << silence;
  }
}

TEST(SilenceTest, BeforeItOpensAgainRefusesNoMoreCalls) {
  TestBreaker breaker((BreakerOptions()));
  for (int i = 0; i < 4; ++i) {
    breaker.clock().Advance(absl::Milliseconds(50));
    breaker.Fail();
  }
  Permit probe;
  while (!(probe = breaker->TryAcquire())) {
    breaker.clock().Advance(absl::Milliseconds(10));
  }
  breaker.clock().Advance(absl::Seconds(50));  // within its lease
  probe.Record(Outcome::kFailure);
  ASSERT_EQ(breaker.state(), State::kOpen);
  EXPECT_LE(RefusedUntilAProbe(breaker), 11);
}

TEST(SilenceTest, OnTheRampRefusesNoMoreCalls) {
  TestBreaker breaker((BreakerOptions()));
  for (int i = 0; i < 4; ++i) {
    breaker.clock().Advance(absl::Milliseconds(50));
    breaker.Fail();
  }
  RefusedUntilAProbe(breaker);
  int refused = 0;
  while (breaker.state() == State::kHalfOpen) {
    breaker.clock().Advance(absl::Minutes(10));
    for (int i = 0; i < 3; ++i) {
      Permit permit = breaker->TryAcquire();
      refused += permit ? 0 : 1;
      permit.Record(Outcome::kSuccess);
    }
  }
  EXPECT_EQ(refused, 0);
}

// A client that connects again 0.3 s after each silence, 50 calls a second.
TEST(SilenceTest, ClientThatReconnectsLosesFewCalls) {
  Traffic traffic(50, 1);
  Traffic::Lost lost;
  for (int round = 0; round < 20; ++round) {
    traffic.Call(15, 1, &lost);
    traffic.Call(735, 0, &lost);
    traffic.breaker_.clock().Advance(absl::Seconds(15));
  }
  EXPECT_LT(lost.refused_good, 20 * 20);
}

TEST(SilenceTest, KthProbeGoesOutAfterAboutKSquaredCallsWhateverWentBefore) {
  BreakerOptions options;
  options.open.pace_by_calls->probe_share = 1;
  options.open.duration = absl::Nanoseconds(1);
  options.open.duration_jitter = 0;
  for (const absl::Duration before :
       {absl::ZeroDuration(), absl::Minutes(1), absl::Hours(10)}) {
    TestBreaker breaker(options);
    breaker.Succeed(1'000);
    breaker.clock().Advance(before);
    while (breaker.state() == State::kClosed) {
      breaker.clock().Advance(absl::Milliseconds(50));
      breaker.Fail();
    }
    int64_t asked = 0;
    for (int64_t k = 1; k <= 100; ++k) {
      for (;;) {
        ++asked;
        // Fewer than one in a millisecond, so that each one looks.
        breaker.clock().Advance(absl::Milliseconds(2));
        if (Permit permit = breaker->TryAcquire()) {
          permit.Record(Outcome::kFailure);
          break;
        }
      }
      if (k >= 10) {
        EXPECT_NEAR(static_cast<double>(asked), k * k, 0.3 * k * k)
            << "probe " << k << ", after " << before;
      }
    }
  }
}

}  // namespace
}  // namespace autobreaker
