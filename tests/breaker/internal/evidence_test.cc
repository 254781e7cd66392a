// Sequential evidence: its weights, its words, its ceiling, and what the theory
// promises of it. Whether failures outweigh successes is in balance_test.cc.
#include "autobreaker/breaker/internal/evidence.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/balance.h"
#include "autobreaker/breaker/internal/places.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

BreakerOptions Sequential(double normal, double break_even, int64_t calls,
                          absl::Duration burst) {
  BreakerOptions options;
  options.trip.evidence->normal_failure_rate = normal;
  options.trip.evidence->break_even_failure_rate = break_even;
  options.trip.evidence->calls_per_false_opening = calls;
  options.trip.evidence->tolerated_burst = burst;
  return options;
}

// Evidence and the total of successes it is about.
class Court {
 public:
  explicit Court(const BreakerOptions& options)
      : rule_(EvidenceRule::From(options.trip)) {
    evidence_.Restart(successes_, generation_);
  }

  void Succeed(int count = 1) { successes_ += count; }
  bool Fail() {
    return evidence_.AddFailure(rule_, successes_, generation_, now_);
  }
  void Advance(absl::Duration by) { now_ += absl::ToChronoNanoseconds(by); }
  double level() const {
    return evidence_.Level(rule_, evidence_.Read(), successes_);
  }
  // Of the threshold, whatever the balance says.
  double share() const {
    const uint64_t place = successes_ * EvidenceRule::kOneSuccess;
    return static_cast<double>(PlaceAhead(evidence_.Read().evidence, place)) /
           static_cast<double>(rule_.threshold);
  }

  std::optional<int64_t> FailuresMissing() const {
    return evidence_.FailuresUntilComplete(rule_, evidence_.Read(), successes_);
  }

  // Failures until the evidence is complete, each a while after the one before.
  int FailuresToComplete(int successes_between) {
    for (int failures = 1; failures < 1000; ++failures) {
      Advance(absl::Seconds(1));
      if (Fail()) return failures;
      Succeed(successes_between);
    }
    return -1;
  }

  EvidenceRule rule_;
  FailureEvidence evidence_;
  uint64_t successes_ = 1000;
  uint64_t generation_ = 300;  // of which one word keeps the low bits only
  MonotonicTime now_{std::chrono::hours(1)};
};

TEST(EvidenceTest, WeightsAreLogarithmsOfLikelihoods) {
  // Normal: 2 %. Broken: three quarters of the way from 50 % to all.
  const EvidenceRule rule = EvidenceRule::From(TripOptions());
  const double success = std::log(0.98 / 0.125);
  const double one = static_cast<double>(EvidenceRule::kOneSuccess);
  EXPECT_NEAR(rule.failure, std::log(0.875 / 0.02) / success * one, 1);
  EXPECT_NEAR(rule.threshold, std::log(1e6) / success * one, 1);
}

TEST(EvidenceTest, GrowsWhereverMoreThanBreakEvenFails) {
  for (const double normal : {1e-6, 0.02, 0.2, 0.5}) {
    for (const double break_even : {0.01, 0.1, 0.3, 0.5, 0.8, 0.99}) {
      if (break_even <= normal) continue;
      const EvidenceRule rule = EvidenceRule::From(
          Sequential(normal, break_even, 1'000'000, absl::ZeroDuration()).trip);
      const double rate = break_even + (1 - break_even) / 50;
      EXPECT_GT(rate * rule.failure, (1 - rate) * EvidenceRule::kOneSuccess)
          << normal << ", " << break_even;
    }
  }
}

TEST(EvidenceTest, FallsWhereTheNormalRateFails) {
  for (const double normal : {0.02, 0.2, 0.5}) {
    for (const double break_even : {0.1, 0.3, 0.51, 0.8, 0.99}) {
      if (break_even <= normal) continue;
      const EvidenceRule rule = EvidenceRule::From(
          Sequential(normal, break_even, 1'000'000, absl::ZeroDuration()).trip);
      EXPECT_LT(normal * rule.failure, (1 - normal) * EvidenceRule::kOneSuccess)
          << normal << ", " << break_even;
    }
  }
}

TEST(EvidenceTest, FourFailuresAloneAreCompleteByDefault) {
  Court court{BreakerOptions()};
  EXPECT_EQ(court.FailuresToComplete(/*successes_between=*/0), 4);
}

TEST(EvidenceTest, OneFailureInFiftyIsNever) {
  Court court{BreakerOptions()};
  EXPECT_EQ(court.FailuresToComplete(/*successes_between=*/49), -1);
}

TEST(EvidenceTest, EveryOtherFailureIsNever) {
  Court court{BreakerOptions()};
  EXPECT_EQ(court.FailuresToComplete(/*successes_between=*/1), -1);
  court.Advance(absl::Seconds(1));
  court.Fail();
  EXPECT_EQ(court.share(), 1);  // of the threshold; but it does not pay
}

TEST(EvidenceTest, IsCompleteOnlyIfFailuresOutweighToo) {
  // Two failures are the threshold, and ten outweigh.
  Court court(Sequential(1e-6, 0.75, 1'000'000, absl::ZeroDuration()));
  EXPECT_EQ(court.FailuresToComplete(0), 8);
}

TEST(EvidenceTest, FailuresThatOutweighAreNotAllEvidence) {
  // Three failures outweigh, and more are needed for so few false openings.
  Court court(
      Sequential(0.1, 0.2, 1'000'000'000'000'000, absl::ZeroDuration()));
  EXPECT_GT(court.FailuresToComplete(0), 3);
}

TEST(EvidenceTest, LevelIsTheSmallerOfTheTwoShares) {
  for (const double break_even : {0.2, 0.5, 0.75}) {
    Court court(Sequential(0.02, break_even, 1'000'000, absl::ZeroDuration()));
    FailureBalance balance;
    balance.Restart(court.successes_, court.generation_);
    const BalanceRule& rule = court.rule_.balance;
    for (int failures = 0; failures < 12; ++failures) {
      court.Fail();
      balance.AddFailure(rule, court.successes_, court.generation_);
      court.Succeed(failures % 2);
      EXPECT_DOUBLE_EQ(
          court.level(),
          std::min({1.0, court.share(),
                    balance.Level(rule, balance.Read(), court.successes_)}));
    }
  }
}

TEST(EvidenceTest, SuccessesLowerIt) {
  Court court{BreakerOptions()};
  court.Fail();
  const double before = court.level();
  court.Succeed();
  EXPECT_LT(court.level(), before);
}

TEST(EvidenceTest, EnoughSuccessesLeaveNone) {
  Court court{BreakerOptions()};
  court.Fail();
  court.Succeed(12);
  EXPECT_EQ(court.level(), 0);
}

TEST(EvidenceTest, NeverFallsBelowNone) {
  Court first{BreakerOptions()};
  Court second{BreakerOptions()};
  second.Succeed(1'000'000'000);
  first.Fail();
  second.Fail();
  EXPECT_EQ(first.level(), second.level());
}

TEST(EvidenceTest, FailureOfAnotherGenerationChangesNothing) {
  Court court{BreakerOptions()};
  for (const uint64_t generation : {299, 301}) {
    EXPECT_FALSE(court.evidence_.AddFailure(court.rule_, court.successes_,
                                            generation, court.now_));
  }
  EXPECT_EQ(court.level(), 0);
}

TEST(EvidenceTest, RestartLeavesNone) {
  Court court{BreakerOptions()};
  court.FailuresToComplete(0);
  court.evidence_.Restart(court.successes_, ++court.generation_);
  EXPECT_EQ(court.level(), 0);
  EXPECT_EQ(court.FailuresMissing(), 4);
}

TEST(EvidenceTest, ReweighKeepsTheShareOfTheThreshold) {
  Court court{BreakerOptions()};
  court.Fail();
  court.Advance(absl::Seconds(1));
  court.Fail();
  const double before = court.share();
  const EvidenceRule after = EvidenceRule::From(
      Sequential(0.02, 0.5, 1'000'000'000, absl::Milliseconds(50)).trip);
  court.evidence_.Reweigh(court.rule_, after, court.successes_,
                          court.generation_);
  court.rule_ = after;
  EXPECT_NEAR(court.share(), before, 0.001);
}

TEST(EvidenceTest, ReweighKeepsTheBalanceInFailures) {
  // Two failures are the threshold.
  Court court(Sequential(1e-6, 0.5, 1'000'000, absl::ZeroDuration()));
  court.Fail();
  court.Fail();
  EXPECT_DOUBLE_EQ(court.level(), 2 / 4.0);
  const EvidenceRule after = EvidenceRule::From(
      Sequential(1e-6, 0.2, 1'000'000, absl::ZeroDuration()).trip);
  court.evidence_.Reweigh(court.rule_, after, court.successes_,
                          court.generation_);
  court.rule_ = after;
  EXPECT_DOUBLE_EQ(court.level(), 2 / 2.5);
}

TEST(EvidenceTest, ReweighFromOffBeginsAtNothing) {
  Court court{BreakerOptions()};
  court.evidence_.Reweigh(EvidenceRule(), court.rule_, court.successes_,
                          court.generation_);
  EXPECT_EQ(court.level(), 0);
  EXPECT_EQ(court.FailuresToComplete(0), 4);
}

TEST(EvidenceTest, ReweighLeavesTheGeneration) {
  Court court{BreakerOptions()};
  court.evidence_.Reweigh(court.rule_, court.rule_, court.successes_,
                          court.generation_);
  EXPECT_FALSE(court.evidence_.AddFailure(court.rule_, court.successes_,
                                          court.generation_ - 1, court.now_));
  EXPECT_EQ(court.level(), 0);
  court.Fail();
  EXPECT_GT(court.level(), 0);
}

TEST(EvidenceTest, SurvivesTheWrapOfTheCounters) {
  Court court{BreakerOptions()};
  court.successes_ = (uint64_t{1} << 48) - 1;
  court.evidence_.Restart(court.successes_, court.generation_);
  court.Fail();
  court.Advance(absl::Seconds(1));
  court.Fail();
  const double before = court.level();
  court.successes_ = 0;  // one more
  EXPECT_GT(court.level(), 0);
  EXPECT_LT(court.level(), before);
}

TEST(EvidenceTest, OffWithoutEvidenceOptions) {
  BreakerOptions options;
  options.trip.evidence.reset();
  Court court(options);
  EXPECT_EQ(court.FailuresToComplete(0), -1);
  EXPECT_EQ(court.level(), 0);
}

TEST(EvidenceTest, TellsHowManyFailuresAreMissing) {
  Court court{BreakerOptions()};
  for (int64_t missing = 4; missing > 0; --missing) {
    EXPECT_EQ(court.FailuresMissing(), missing);
    court.Advance(absl::Seconds(1));
    EXPECT_EQ(court.Fail(), missing == 1);
  }
}

TEST(EvidenceTest, TellsHowManyFailuresAreMissingWhateverCameBefore) {
  std::mt19937_64 random(3);
  for (int run = 0; run < 200; ++run) {
    Court court(Sequential(0.02, 0.3 + 0.1 * static_cast<double>(run % 5),
                           run % 2 == 0 ? 1'000'000 : 1'000,
                           absl::Milliseconds(50)));
    for (uint64_t call = random() % 100; call > 0; --call) {
      court.Advance(absl::Seconds(1));
      if (random() % 3 == 0) {
        court.Fail();
      } else {
        court.Succeed();
      }
    }
    const std::optional<int64_t> missing = court.FailuresMissing();
    ASSERT_EQ(court.FailuresToComplete(0), missing) << run;
  }
}

// ------------------------------------------------------------------ Bursts

// So many failures in a row are never missing, and so many outweigh at once,
// that the ceiling alone holds them back. Evidence is their share of the
// threshold, each 1/27 of it.
BreakerOptions Fine() {
  return Sequential(0.02, 0.5, 1'000'000'000'000'000, absl::Milliseconds(60));
}

void FailOften(Court* court) {
  for (int i = 0; i < 1'000; ++i) ASSERT_FALSE(court->Fail());
}

TEST(BurstTest, InstantOfFailuresIsOneQuarterOfTheEvidence) {
  Court court(Fine());
  FailOften(&court);
  EXPECT_NEAR(court.share(), 1.0 / 4, 0.001);
}

TEST(BurstTest, IntervalLastsForTwoThirdsOfTheToleratedBurst) {
  Court court(Fine());
  FailOften(&court);
  court.Advance(absl::Milliseconds(39));
  FailOften(&court);
  EXPECT_NEAR(court.share(), 1.0 / 4, 0.001);
  court.Advance(absl::Milliseconds(1));
  FailOften(&court);
  EXPECT_NEAR(court.share(), 2.0 / 4, 0.001);
}

TEST(BurstTest, EachIntervalLetsItRiseByAQuarter) {
  Court court(Fine());
  for (int interval = 1; interval <= 3; ++interval) {
    FailOften(&court);
    EXPECT_NEAR(court.share(), interval / 4.0, 0.001);
    court.Advance(absl::Milliseconds(40));
  }
  bool complete = false;
  for (int i = 0; i < 1'000; ++i) complete |= court.Fail();
  EXPECT_TRUE(complete);
}

TEST(BurstTest, OfTheToleratedLengthTouchesThreeIntervalsAndIsNotComplete) {
  // A failure begins the first interval. The burst comes near its end.
  for (int before = 0; before < 40; ++before) {
    Court court(Fine());
    court.Fail();
    court.Advance(absl::Milliseconds(before));
    for (int ms = 0; ms < 60; ++ms) {
      FailOften(&court);
      court.Advance(absl::Milliseconds(1));
    }
    EXPECT_LE(court.share(), 3.0 / 4 + 0.001) << before;
    if (before > 20) {
      EXPECT_GE(court.share(), 3.0 / 4 - 0.001) << before;
    }
  }
}

TEST(BurstTest, OutageOfManyCallsIsCompleteAfterTwiceTheToleratedLength) {
  Court court{BreakerOptions()};
  const MonotonicTime begin = court.now_;
  while (!court.Fail() && court.now_ < begin + std::chrono::seconds(1)) {
    court.Advance(absl::Microseconds(100));
  }
  EXPECT_GE(court.now_ - begin, std::chrono::milliseconds(99));
  EXPECT_LE(court.now_ - begin, std::chrono::milliseconds(101));
}

TEST(BurstTest, OfTheDefaultLengthIsNotCompleteByDefault) {
  for (int before = 0; before < 34; ++before) {
    Court court{BreakerOptions()};
    court.Fail();
    court.Advance(absl::Milliseconds(before));
    for (int ms = 0; ms < 50; ++ms) {
      FailOften(&court);
      court.Advance(absl::Milliseconds(1));
    }
    EXPECT_LT(court.share(), 1) << before;
  }
}

TEST(BurstTest, EarlierEvidenceDoesNotMakeItRiseFurther) {
  Court court(Fine());
  court.Fail();
  court.Fail();
  const double before = court.share();
  court.Advance(absl::Seconds(1));
  FailOften(&court);
  EXPECT_NEAR(court.share(), before + 1.0 / 4, 0.001);
}

TEST(BurstTest, SuccessBetweenIntervalsDoesNotLowerTheNextCeiling) {
  Court court(Fine());
  FailOften(&court);
  court.Advance(absl::Milliseconds(40));
  court.Succeed();
  FailOften(&court);
  EXPECT_NEAR(court.share(), 2.0 / 4, 0.001);
}

TEST(BurstTest, SuccessLongBeforeAnIntervalDoes) {
  Court court(Fine());
  FailOften(&court);
  court.Advance(absl::Milliseconds(80));
  court.Succeed();
  const double before = court.share();
  FailOften(&court);
  EXPECT_NEAR(court.share(), before + 1.0 / 4, 0.001);
}

TEST(BurstTest, EvidenceFallsWithinAnIntervalAsOutsideOfIt) {
  Court court(Fine());
  FailOften(&court);
  const double before = court.share();
  court.Succeed();
  EXPECT_LT(court.share(), before);
}

TEST(EvidenceTest, NoToleratedBurstHoldsNothingBack) {
  Court court(Sequential(0.02, 0.5, 1'000'000, absl::ZeroDuration()));
  EXPECT_FALSE(court.Fail());
  EXPECT_FALSE(court.Fail());
  EXPECT_FALSE(court.Fail());
  EXPECT_TRUE(court.Fail());
}

TEST(BurstTest, ClockOfAnotherThreadThatIsBehindIsOfTheSameInterval) {
  for (const absl::Duration behind :
       {absl::Milliseconds(1), absl::Milliseconds(50), absl::Seconds(10)}) {
    Court court(Fine());
    FailOften(&court);
    court.Advance(-behind);
    FailOften(&court);
    EXPECT_NEAR(court.share(), 1.0 / 4, 0.001) << behind;
    court.Advance(behind);
    FailOften(&court);
    EXPECT_NEAR(court.share(), 1.0 / 4, 0.001) << behind;
  }
}

TEST(BurstTest, TwoClocksMakeNoMoreIntervalsThanOne) {
  Court court(Fine());
  for (int ms = 0; ms < 20; ++ms) {
    for (const absl::Duration other :
         {absl::Milliseconds(4), -absl::Milliseconds(4)}) {
      FailOften(&court);
      court.Advance(other);
    }
    court.Advance(absl::Milliseconds(1));
  }
  EXPECT_NEAR(court.share(), 1.0 / 4, 0.001);
}

TEST(BurstTest, FirstFailureOfAllBeginsAnIntervalWhateverTheTime) {
  for (const MonotonicTime::duration time :
       {MonotonicTime::duration(0), MonotonicTime::duration(1),
        MonotonicTime::duration(std::chrono::hours(100'000))}) {
    Court court{BreakerOptions()};
    court.now_ = MonotonicTime(time);
    EXPECT_EQ(court.FailuresToComplete(0), 4) << time.count();
  }
}

TEST(BurstTest, OneFailureAloneAlwaysHasItsWholeWeight) {
  // More than a quarter of the threshold.
  Court court(Sequential(1e-6, 0.2, 1'000'000'000, absl::Milliseconds(50)));
  court.Fail();
  EXPECT_GT(court.share(), 0.5);
  EXPECT_NEAR(court.share(),
              static_cast<double>(court.rule_.failure) / court.rule_.threshold,
              1e-6);
}

TEST(EvidenceTest, SmallestThresholdIsReachedOnceFailuresOutweigh) {
  Court court(Sequential(0.1, 0.5, 1, absl::Milliseconds(50)));
  EXPECT_EQ(court.FailuresToComplete(/*successes_between=*/0), 4);
}

TEST(BurstTest, ToleratedBurstsTooShortToTellHoldNothingBack) {
  for (const int64_t ns : {1, 1'000, 16'384, 24'000, 25'000, 50'000}) {
    Court court(Sequential(0.02, 0.5, 1'000'000, absl::Nanoseconds(ns)));
    EXPECT_EQ(court.FailuresToComplete(0), 4) << ns;
  }
}

// V13: whatever the rate of calls, what fails is seen after about as many.
TEST(BurstTest, FewSuccessesBetweenBurstsDoNotHoldItUp) {
  for (const int per_second : {100, 1'000, 5'000, 20'000}) {
    Court court{BreakerOptions()};
    std::mt19937_64 random(per_second);
    std::bernoulli_distribution fails(0.6);
    int64_t calls = 0;
    bool complete = false;
    while (!complete && calls < 100 * per_second) {
      ++calls;
      court.Advance(absl::Seconds(1) / per_second);
      if (fails(random)) {
        complete = court.Fail();
      } else {
        court.Succeed();
      }
    }
    EXPECT_LT(calls, 200 + 0.3 * per_second) << per_second;
  }
}

TEST(EvidenceTest, WaitsForFailuresToOutweigh) {
  Court court{BreakerOptions()};
  for (int i = 0; i < 50; ++i) {
    court.Advance(absl::Seconds(1));
    court.Fail();
    court.Succeed();
  }
  const int64_t missing = *court.FailuresMissing();
  EXPECT_GT(missing, 4);
  EXPECT_EQ(court.FailuresToComplete(0), missing);
}

TEST(EvidenceTest, FailuresOnManyThreadsAreAllWeighed) {
  // Weights so small that nothing is cut off.
  const EvidenceRule rule = EvidenceRule::From(
      Sequential(0.4, 0.41, 1'000'000'000'000'000, absl::ZeroDuration()).trip);
  FailureEvidence evidence;
  evidence.Restart(0, 0);
  ASSERT_LT(20 * uint64_t{rule.failure}, rule.threshold);
  RunThreads(4, [&](int) {
    for (int i = 0; i < 5; ++i) {
      evidence.AddFailure(rule, 0, 0, MonotonicTime());
    }
  });
  EXPECT_EQ(PlaceAhead(evidence.Read().evidence, 0),
            20 * uint64_t{rule.failure});
}

// Two failures on two threads at once, which complete the evidence and
// outweigh: one of the two is told.
TEST(EvidenceTest, CompletionOnTwoThreadsAtOnceIsAlwaysTold) {
  constexpr int kRounds = 100'000;
  const EvidenceRule rule = EvidenceRule::From(
      Sequential(0.02, 0.5, 1'000'000, absl::ZeroDuration()).trip);
  FailureEvidence evidence;
  std::atomic<int> arrived{0};
  std::atomic<int> told{0};
  int missed = 0;
  const auto wait_for = [&](int count) {
    ++arrived;
    while (arrived < count) std::this_thread::yield();
  };
  RunThreads(2, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      if (thread == 0) {
        evidence.Restart(0, 0);
        told = 0;
        for (int i = 0; i < 2; ++i) {
          evidence.AddFailure(rule, 0, 0, MonotonicTime());
        }
      }
      wait_for(4 * round + 2);
      if (evidence.AddFailure(rule, 0, 0, MonotonicTime())) ++told;
      wait_for(4 * round + 4);
      if (thread == 0 && told == 0) ++missed;
    }
  });
  EXPECT_EQ(missed, 0);
}

TEST(BurstTest, OnManyThreadsIsHeldBackToo) {
  const EvidenceRule rule = EvidenceRule::From(Fine().trip);
  FailureEvidence evidence;
  evidence.Restart(0, 0);
  RunThreads(8, [&](int) {
    for (int i = 0; i < 10'000; ++i) {
      evidence.AddFailure(rule, 0, 0, MonotonicTime());
    }
  });
  EXPECT_NEAR(evidence.Level(rule, evidence.Read(), 0), 1.0 / 4, 0.001);
}

TEST(BurstTest, OnManyThreadsWithClocksApartIsHeldBackToo) {
  const EvidenceRule rule = EvidenceRule::From(Fine().trip);
  FailureEvidence evidence;
  evidence.Restart(0, 0);
  RunThreads(8, [&](int thread) {
    const MonotonicTime now(std::chrono::hours(1) +
                            std::chrono::milliseconds(4 * thread));
    for (int i = 0; i < 10'000; ++i) evidence.AddFailure(rule, 0, 0, now);
  });
  EXPECT_NEAR(evidence.Level(rule, evidence.Read(), 0), 1.0 / 4, 0.001);
}

TEST(EvidenceTest, RatesAtTheEdgesDoNotOverflow) {
  for (const double break_even : {0.01, 0.99}) {
    Court court(Sequential(std::numeric_limits<double>::denorm_min(),
                           break_even, 1'000'000'000'000'000, absl::Hours(1)));
    court.Fail();
    EXPECT_GT(court.level(), 0);
    EXPECT_LE(court.level(), 1);
    court.Succeed(1'000);
    EXPECT_EQ(court.level(), 0);
  }
}

TEST(EvidenceTest, RatesThatAllButTouchDoNotOverflow) {
  for (const double break_even : {0.01, 0.3, 0.5, 0.75, 0.99}) {
    Court court(Sequential(std::nextafter(break_even, 0.0), break_even,
                           1'000'000'000'000'000, absl::ZeroDuration()));
    court.Fail();
    EXPECT_GE(court.level(), 0);
    EXPECT_LE(court.level(), 1);
    court.FailuresMissing();
  }
}

// At the defaults: at which of so many calls the evidence is complete where
// this share of them fails; 0 if at none.
int CallsToComplete(double share, int calls, uint64_t seed,
                    absl::Duration apart = absl::Milliseconds(100)) {
  std::mt19937_64 random(seed);
  std::bernoulli_distribution fails(share);
  Court court{BreakerOptions()};
  for (int call = 1; call <= calls; ++call) {
    court.Advance(apart);
    if (!fails(random)) {
      court.Succeed();
    } else if (court.Fail()) {
      return call;
    }
  }
  return 0;
}

TEST(PartialOutageTest, OfMoreThanBreakEvenIsAlwaysSeenSoon) {
  const struct {
    double share;
    int calls;
  } kRows[] = {{0.6, 300}, {0.85, 30}, {1, 4}};
  for (const auto& row : kRows) {
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      EXPECT_NE(CallsToComplete(row.share, row.calls, seed), 0)
          << row.share << ", " << seed;
    }
  }
}

TEST(PartialOutageTest, OfLessIsTakenForMoreInItsFirstCallsOrHardlyEver) {
  for (const double share : {0.1, 0.15, 0.2, 1.0 / 3, 0.45}) {
    int first = 0;
    int later = 0;
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      const int call = CallsToComplete(share, 18'000, seed);
      if (call > 300) {
        ++later;
      } else if (call > 0) {
        ++first;
      }
    }
    EXPECT_LE(first, 50) << share;
    EXPECT_LE(later, 20) << share;
  }
}

TEST(PartialOutageTest, OfAMinuteAtManyCallsASecondIsNeverTakenForMore) {
  const struct {
    double share;
    int calls_per_second;
  } kRows[] = {{0.15, 300}, {0.2, 300}, {0.1, 1'000}};
  for (const auto& row : kRows) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      EXPECT_EQ(CallsToComplete(row.share, 60 * row.calls_per_second, seed,
                                absl::Seconds(1) / row.calls_per_second),
                0)
          << row.share << ", " << seed;
    }
  }
}

// Random schedules without bursts: an added failure never makes the threshold
// be reached later. (Where a burst begins decides what it weighs, and how long
// there have been failures decides what outweighs.)
class MonotonicityTest : public ::testing::TestWithParam<int> {};

TEST_P(MonotonicityTest, AddedFailureNeverReachesTheThresholdLater) {
  std::mt19937_64 random(GetParam());
  for (int schedule = 0; schedule < 300; ++schedule) {
    const BreakerOptions options = Sequential(
        0.02, 0.5, random() % 2 == 0 ? 1'000'000 : 100, absl::ZeroDuration());
    Court fewer(options);
    Court more(options);
    const uint64_t failing = random() % 60;  // percent
    bool reached = false;
    for (int call = 0; call < 400; ++call) {
      const bool fails = random() % 100 < failing;
      // A success of the one is now and then a failure of the other, or a
      // failure comes between.
      const uint64_t what = random() % 30;
      if (what == 0) more.Fail();
      reached |= more.share() >= 1;
      if (fails || what == 1) {
        more.Fail();
        reached |= more.share() >= 1;
      } else {
        more.Succeed();
      }
      if (fails) {
        fewer.Fail();
      } else {
        fewer.Succeed();
      }
      if (fewer.share() >= 1) {
        ASSERT_TRUE(reached) << "schedule " << schedule << ", call " << call;
        break;
      }
      if (!reached) {
        ASSERT_GE(more.share(), fewer.share() - 1e-9);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MonotonicityTest, ::testing::Range(1, 9));

// The promise about false openings, over 100,000,000 calls of a server that is
// well. It rests on the threshold alone; that failures have to outweigh, too,
// only makes openings fewer. Their number is all but Poisson; three times its
// root is far more than chance adds to what the bound allows.
TEST(FalseOpeningsTest, AreNoMoreThanPromised) {
  constexpr int64_t kCalls = 100'000'000;
  for (const int64_t promised : {1'000, 100'000, 1'000'000}) {
    Court court(Sequential(0.02, 0.5, promised, absl::ZeroDuration()));
    std::mt19937_64 random(7);
    std::geometric_distribution<int64_t> successes(0.02);
    int64_t reached = 0;
    for (int64_t call = 0; call < kCalls; ++call) {
      const int64_t row = successes(random);
      court.successes_ += row;
      call += row;
      court.Fail();
      if (court.share() >= 1) {
        ++reached;
        court.evidence_.Restart(court.successes_, court.generation_);
      }
    }
    const double most = static_cast<double>(kCalls) / promised;
    EXPECT_LE(reached, most + 3 * std::sqrt(most)) << promised;
    // Nor so few that the bound says nothing.
    EXPECT_GE(reached, most / 20) << promised;
  }
}

}  // namespace
}  // namespace autobreaker
