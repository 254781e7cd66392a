// Sequential evidence: its weights, its words, its ceiling, and what the theory
// promises of it.
#include "autobreaker/breaker/internal/evidence.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
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
    Restart();
  }

  void Restart() { evidence_.Restart(successes_, generation_); }
  void Succeed(int count = 1) { successes_ += count; }
  bool Fail() {
    return evidence_.AddFailure(rule_, successes_, generation_, now_);
  }
  void Advance(absl::Duration by) { now_ += absl::ToChronoNanoseconds(by); }
  double level() const {
    return evidence_.Level(rule_, evidence_.Read(), successes_);
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
  const EvidenceRule rule = EvidenceRule::From(TripOptions());
  const double success = std::log(0.98 / 0.125);
  const double one = static_cast<double>(EvidenceRule::kOneSuccess);
  EXPECT_NEAR(rule.failure, std::log(0.875 / 0.02) / success * one, 1);
  EXPECT_NEAR(rule.threshold, std::log(1e6) / success * one, 1);
}

// Between the rates that it compares, the evidence grows from some share of
// failures on, which must not be above the break-even rate.
TEST(EvidenceTest, GrowsWhereMoreThanBreakEvenFails) {
  for (const double normal : {0.001, 0.02, 0.1, 0.3, 0.6}) {
    for (const double break_even : {0.02, 0.2, 0.5, 0.7, 0.99}) {
      if (normal >= break_even) continue;
      const EvidenceRule rule = EvidenceRule::From(
          Sequential(normal, break_even, 1'000'000, absl::ZeroDuration()).trip);
      // But for roundings.
      EXPECT_GE(break_even * (rule.failure + 1),
                (1 - break_even) * EvidenceRule::kOneSuccess)
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

TEST(EvidenceTest, OneFailureInTwoIsNever) {
  Court court{BreakerOptions()};
  EXPECT_EQ(court.FailuresToComplete(/*successes_between=*/1), -1);
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

TEST(EvidenceTest, LevelIsTheSmallerOfItsTwoShares) {
  Court court{BreakerOptions()};
  court.Advance(absl::Seconds(1));
  court.Fail();
  const double evidence =
      static_cast<double>(court.rule_.failure) / court.rule_.threshold;
  ASSERT_GT(evidence, 0.25);
  EXPECT_EQ(court.level(), 0.25);  // of the balance
  court.Succeed();
  EXPECT_EQ(court.level(), 0);
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

TEST(EvidenceTest, RestartForgets) {
  Court court{BreakerOptions()};
  for (int i = 0; i < 3; ++i) {
    court.Advance(absl::Seconds(1));
    court.Fail();
  }
  court.Restart();
  EXPECT_EQ(court.level(), 0);
  EXPECT_EQ(court.FailuresToComplete(0), 4);
}

TEST(EvidenceTest, OtherWeightsKeepTheShare) {
  Court court{BreakerOptions()};
  court.Advance(absl::Seconds(1));
  court.Fail();
  court.Advance(absl::Seconds(1));
  court.Fail();
  const EvidenceRule before = court.rule_;
  court.rule_ = EvidenceRule::From(
      Sequential(0.02, 0.5, 1'000'000'000'000, absl::Milliseconds(50)).trip);
  court.evidence_.Reweigh(before, court.rule_, court.successes_,
                          court.generation_);
  EXPECT_EQ(court.level(), 0.5);  // of the balance
  const double share =
      2.0 * before.failure / static_cast<double>(before.threshold);
  EXPECT_EQ(
      court.FailuresMissing(),
      std::ceil((1 - share) * court.rule_.threshold / court.rule_.failure));
}

TEST(EvidenceTest, SurvivesTheWrapOfTheCounters) {
  Court court{BreakerOptions()};
  court.successes_ = (uint64_t{1} << 48) - 1;
  court.Restart();
  court.Fail();
  court.Advance(absl::Seconds(1));
  court.Fail();
  EXPECT_EQ(court.level(), 0.5);
  court.successes_ = 0;  // one more
  EXPECT_EQ(court.level(), 0.25);
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

// Without a balance, which bursts do not hold back.
double ShareOfThreshold(const Court& court) {
  EvidenceRule rule = court.rule_;
  rule.balance.fewest = 1e-9;
  return court.evidence_.Level(rule, court.evidence_.Read(), court.successes_);
}

// One failure weighs more than a quarter of the threshold.
double Step(const Court& court) {
  return static_cast<double>(court.rule_.failure) / court.rule_.threshold;
}

TEST(EvidenceTest, BurstIsNeverComplete) {
  Court court{BreakerOptions()};
  for (int i = 0; i < 100'000; ++i) ASSERT_FALSE(court.Fail());
  EXPECT_NEAR(ShareOfThreshold(court), Step(court), 0.001);
}

TEST(EvidenceTest, BurstRisesByAQuarterWhereAFailureWeighsLess) {
  Court court(Sequential(0.2, 0.5, 1'000'000, absl::Milliseconds(50)));
  ASSERT_LT(Step(court), 0.2);
  for (int i = 0; i < 100; ++i) court.Fail();
  EXPECT_NEAR(ShareOfThreshold(court), 0.25, 0.001);
}

// Whenever it begins, in an interval that an earlier failure began.
TEST(EvidenceTest, BurstOfTheToleratedLengthIsNotComplete) {
  for (int before = 0; before <= 40; ++before) {
    Court court{BreakerOptions()};
    court.Fail();
    court.Succeed(1'000);
    court.Advance(absl::Milliseconds(before));
    for (int ms = 0; ms <= 50; ++ms) {
      for (int i = 0; i < 100; ++i) ASSERT_FALSE(court.Fail()) << before;
      court.Advance(absl::Milliseconds(1));
    }
    EXPECT_LT(ShareOfThreshold(court), 0.9) << before;
  }
}

// And two calls later.
TEST(EvidenceTest, TwiceTheToleratedBurstIsComplete) {
  Court court{BreakerOptions()};
  bool complete = false;
  for (int ms = 0; ms <= 102; ++ms) {
    complete = court.Fail();
    court.Advance(absl::Milliseconds(1));
  }
  EXPECT_TRUE(complete);
}

// V13: whatever the rate of calls, what fails is seen after about as many.
TEST(EvidenceTest, FewSuccessesBetweenBurstsDoNotHoldItUp) {
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

TEST(EvidenceTest, ToleratedBurstsTooShortToTellHoldNothingBack) {
  for (const int64_t ns : {1, 1'000, 16'384, 24'000, 25'000, 50'000}) {
    Court court(Sequential(0.02, 0.5, 1'000'000, absl::Nanoseconds(ns)));
    EXPECT_EQ(court.FailuresToComplete(0), 4) << ns;
  }
}

TEST(EvidenceTest, NoToleratedBurstHoldsNothingBack) {
  Court court(Sequential(0.02, 0.5, 1'000'000, absl::ZeroDuration()));
  EXPECT_FALSE(court.Fail());
  EXPECT_FALSE(court.Fail());
  EXPECT_FALSE(court.Fail());
  EXPECT_TRUE(court.Fail());
}

TEST(EvidenceTest, ClockOfAnotherThreadThatIsBehindLowersNothing) {
  Court court{BreakerOptions()};
  court.Fail();
  const double before = court.level();
  for (const absl::Duration behind :
       {absl::Milliseconds(50), absl::Seconds(10)}) {
    court.Advance(-behind);
    court.Fail();
    EXPECT_GE(court.level(), before);
    EXPECT_LT(court.level(), 0.5);
  }
}

TEST(EvidenceTest, OneFailureAloneAlwaysHasItsWholeWeight) {
  // More than half of the threshold.
  Court court(Sequential(1e-6, 0.5, 1'000'000, absl::Milliseconds(50)));
  court.Fail();
  EXPECT_GT(ShareOfThreshold(court), 0.9);
}

TEST(EvidenceTest, SmallThresholdIsReachedAboveTheBreakEvenRate) {
  Court court(Sequential(0.1, 0.3, 1, absl::Milliseconds(50)));
  EXPECT_NE(court.FailuresToComplete(/*successes_between=*/1), -1);
}

TEST(EvidenceTest, EarlierFailuresDoNotRaiseABurst) {
  Court court{BreakerOptions()};
  court.Fail();
  const double before = ShareOfThreshold(court);
  court.Advance(absl::Seconds(1));
  for (int i = 0; i < 1000; ++i) court.Fail();
  EXPECT_NEAR(ShareOfThreshold(court), before + Step(court), 0.001);
}

TEST(EvidenceTest, FailuresOnManyThreadsAreAllWeighed) {
  // Weights so small that nothing is cut off.
  Court court(
      Sequential(0.4, 0.41, 1'000'000'000'000'000, absl::ZeroDuration()));
  RunThreads(4, [&](int) {
    for (int i = 0; i < 10; ++i) court.Fail();
  });
  EXPECT_NEAR(ShareOfThreshold(court), 40 * Step(court), 1e-9);
}

TEST(EvidenceTest, BurstOnManyThreadsIsHeldBackToo) {
  Court court{BreakerOptions()};
  RunThreads(8, [&](int) {
    for (int i = 0; i < 10'000; ++i) court.Fail();
  });
  EXPECT_NEAR(ShareOfThreshold(court), Step(court), 0.001);
}

TEST(EvidenceTest, RatesAtTheEdgesDoNotOverflow) {
  Court court(Sequential(std::numeric_limits<double>::denorm_min(), 0.99,
                         1'000'000'000'000'000, absl::Hours(1)));
  court.Fail();
  EXPECT_GE(court.level(), 0);
  court.Succeed(200);
  EXPECT_EQ(court.level(), 0);
}

TEST(EvidenceTest, RatesThatAllButTouchDoNotOverflow) {
  for (const double normal : {0.01, 0.02, 0.3, 0.5, 0.75, 0.98}) {
    Court court(Sequential(normal, std::nextafter(normal, 1.0),
                           1'000'000'000'000'000, absl::ZeroDuration()));
    court.Fail();
    EXPECT_GE(court.level(), 0);
    EXPECT_LE(court.level(), 1);
  }
}

// Random schedules: an added failure never makes the evidence complete later.
// (Where bursts are held back it may, by an interval that it begins too soon.)
class MonotonicityTest : public ::testing::TestWithParam<int> {};

TEST_P(MonotonicityTest, AddedFailureNeverCompletesLater) {
  std::mt19937_64 random(GetParam());
  for (int schedule = 0; schedule < 300; ++schedule) {
    const BreakerOptions options = Sequential(
        0.02, 0.5, random() % 2 == 0 ? 1'000'000 : 100, absl::ZeroDuration());
    // Without a balance: a failure amid successes says that the server was not
    // well, and then it takes more to outweigh.
    Court fewer(options);
    Court more(options);
    fewer.rule_.balance.fewest = more.rule_.balance.fewest = 1e-9;
    // In percent; and how far apart, in tenths of a millisecond.
    const uint64_t failing = random() % 60;
    const uint64_t apart = 1 + random() % 300;
    bool complete = false;
    for (int call = 0; call < 400; ++call) {
      const absl::Duration pause = absl::Microseconds(100) * (random() % apart);
      fewer.Advance(pause);
      more.Advance(pause);
      const bool fails = random() % 100 < failing;
      // A success of the one is now and then a failure of the other, or a
      // failure comes between.
      const uint64_t what = random() % 30;
      if (what == 0) complete |= more.Fail();
      if (fails || what == 1) {
        complete |= more.Fail();
      } else {
        more.Succeed();
      }
      if (!fails) {
        fewer.Succeed();
      } else if (fewer.Fail()) {
        ASSERT_TRUE(complete) << "schedule " << schedule << ", call " << call;
        break;
      }
      if (!complete) {
        ASSERT_GE(more.level(), fewer.level() - 1e-9);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MonotonicityTest, ::testing::Range(1, 9));

// The promise about false openings, over 100,000,000 calls of a server that is
// well. The number of false openings is all but Poisson; three times its root
// is far more than chance adds to what the bound allows.
TEST(FalseOpeningsTest, AreNoMoreThanPromised) {
  constexpr int64_t kCalls = 100'000'000;
  for (const int64_t promised : {1'000, 100'000, 1'000'000}) {
    Court court(Sequential(0.02, 0.2, promised, absl::ZeroDuration()));
    std::mt19937_64 random(7);
    std::geometric_distribution<int64_t> successes(0.02);
    int64_t false_openings = 0;
    for (int64_t call = 0; call < kCalls; ++call) {
      const int64_t row = successes(random);
      court.successes_ += row;
      call += row;
      if (court.Fail()) {
        ++false_openings;
        court.Restart();
      }
    }
    const double most = static_cast<double>(kCalls) / promised;
    EXPECT_LE(false_openings, most + 3 * std::sqrt(most)) << promised;
    // Nor so few that the bound says nothing.
    EXPECT_GE(false_openings, most / 50) << promised;
  }
}

}  // namespace
}  // namespace autobreaker
