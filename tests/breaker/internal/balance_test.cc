// The balance of failures and successes: its weights, when failures outweigh,
// and what the words promise of it.
#include "autobreaker/breaker/internal/balance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "autobreaker/breaker/internal/places.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

BalanceRule RuleOf(double break_even, double normal = 0.02) {
  EvidenceOptions options;
  options.normal_failure_rate = normal;
  options.break_even_failure_rate = break_even;
  return BalanceRule::From(options);
}

// A balance and the total of successes it is about.
class Scales {
 public:
  explicit Scales(const BalanceRule& rule) : rule_(rule) {
    balance_.Restart(successes_, generation_);
  }

  void Succeed(uint64_t count = 1) { successes_ += count; }
  bool Fail() { return balance_.AddFailure(rule_, successes_, generation_); }
  double level() const {
    return balance_.Level(rule_, balance_.Read(), successes_);
  }
  int64_t FailuresMissing() const {
    return balance_.FailuresUntilOutweighed(rule_, balance_.Read(), successes_);
  }

  // Failures until they outweigh, each after so many successes.
  int FailuresToOutweigh(uint64_t successes_between) {
    for (int failures = 1; failures < 10'000; ++failures) {
      if (Fail()) return failures;
      Succeed(successes_between);
    }
    return -1;
  }

  BalanceRule rule_;
  FailureBalance balance_;
  uint64_t successes_ = 1000;
  uint64_t generation_ = 300;  // of which one word keeps the low bits only
};

// -------------------------------------------------------------- Arithmetic

TEST(BalanceRuleTest, BalanceStaysAsItIsWhereTheBreakEvenRateFails) {
  for (const double rate : {0.01, 0.2, 0.5, 0.8, 0.99}) {
    const BalanceRule rule = RuleOf(rate, rate / 10);
    EXPECT_NEAR(rate * rule.failure, (1 - rate) * BalanceRule::kOneSuccess, 1)
        << rate;
  }
}

TEST(BalanceRuleTest, GapIsARowThatIsSoMuchLikelierOfAServerThatIsWell) {
  for (const double rate : {0.1, 0.5, 0.9}) {
    const BalanceRule rule = RuleOf(rate);
    const double odds = std::pow(0.98 / (1 - rate), rule.gap);
    EXPECT_LE(odds, 1e9) << rate;
    EXPECT_GT(odds * 0.98 / (1 - rate), 1e9) << rate;
  }
}

TEST(BalanceRuleTest, OutweighsIsTheLawOfTheHeader) {
  for (const double rate : {0.2, 0.5, 0.8}) {
    const BalanceRule rule = RuleOf(rate);
    const double m = 2 / (1 - rate);
    for (const int64_t k : {1, 2, 5, 6, 20, 1'000'000}) {
      const double law = std::sqrt(m * std::max(static_cast<double>(k - 1), m));
      EXPECT_NEAR(rule.Outweighs(k) / rule.failure, law, law * 1e-9)
          << rate << ", " << k;
    }
  }
}

TEST(BalanceRuleTest, GapIsBoundedWhereTheRatesAllButTouch) {
  EXPECT_EQ(RuleOf(0.5, std::nextafter(0.5, 0.0)).gap, 1 << 20);
}

TEST(BalanceRuleTest, RulesDifferByTheirBreakEvenRate) {
  EXPECT_TRUE(RuleOf(0.5) == RuleOf(0.5));
  EXPECT_FALSE(RuleOf(0.5) == RuleOf(0.4));
  EXPECT_FALSE(RuleOf(0.5) == RuleOf(0.5, /*normal=*/0.05));
}

// ---------------------------------------------------------------- Outweigh

TEST(BalanceTest, FewestInARowAreTwoByOneMinusTheBreakEvenRate) {
  EXPECT_EQ(Scales(RuleOf(0.2)).FailuresToOutweigh(0), 3);  // 2.5
  EXPECT_EQ(Scales(RuleOf(0.5)).FailuresToOutweigh(0), 4);
  EXPECT_EQ(Scales(RuleOf(0.75)).FailuresToOutweigh(0), 8);
}

TEST(BalanceTest, TenFailuresBesideFourSuccessesOutweigh) {
  Scales scales(RuleOf(0.5));
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(scales.Fail());
    EXPECT_FALSE(scales.Fail());
    scales.Succeed();
  }
  EXPECT_FALSE(scales.Fail());
  EXPECT_TRUE(scales.Fail());
}

TEST(BalanceTest, AsManyFailuresAsSuccessesNeverOutweigh) {
  EXPECT_EQ(Scales(RuleOf(0.5)).FailuresToOutweigh(1), -1);
}

TEST(BalanceTest, BreakEvenRateSaysWhatOutweighs) {
  // A third fails, in turns.
  EXPECT_EQ(Scales(RuleOf(0.4)).FailuresToOutweigh(2), -1);
  EXPECT_NE(Scales(RuleOf(0.2)).FailuresToOutweigh(2), -1);
}

TEST(BalanceTest, ItTakesMoreWhereTroubleHasLasted) {
  Scales scales(RuleOf(0.5));
  for (int i = 0; i < 100; ++i) {
    ASSERT_FALSE(scales.Fail());
    scales.Succeed(2);
  }
  // sqrt(4 (k - 1)) for the k of then: 22 where k is 122.
  EXPECT_EQ(scales.FailuresToOutweigh(0), 22);
}

TEST(BalanceTest, LongRowOfSuccessesEndsTheTrouble) {
  Scales scales(RuleOf(0.5));
  for (int i = 0; i < 100; ++i) {
    scales.Fail();
    scales.Succeed(2);
  }
  scales.Succeed(scales.rule_.gap - 1);  // with the last two, one too many
  EXPECT_EQ(scales.FailuresToOutweigh(0), 4);
}

// A balance of 38 under a bar of 40, then as many successes as show that the
// server is well: the balance would be 21, and four outweigh.
TEST(BalanceTest, LongRowOfSuccessesEndsTheBalanceToo) {
  Scales scales(RuleOf(0.5));
  for (int i = 0; i < 360; ++i) {
    scales.Fail();
    scales.Succeed(2);
  }
  while (scales.level() < 0.95) ASSERT_FALSE(scales.Fail());
  scales.Succeed(scales.rule_.gap + 1);
  EXPECT_EQ(scales.level(), 0);
  EXPECT_EQ(scales.FailuresMissing(), 4);
  EXPECT_EQ(scales.FailuresToOutweigh(0), 4);
}

TEST(BalanceTest, SuccessNeverRaisesTheLevel) {
  std::mt19937_64 random(4);
  for (int run = 0; run < 100; ++run) {
    Scales scales(RuleOf(0.3 + 0.1 * static_cast<double>(run % 5)));
    for (int row = 0; row < 100; ++row) {
      for (uint64_t i = random() % 50; i > 0; --i) scales.Fail();
      for (uint64_t i = random() % 50; i > 0; --i) {
        const double before = scales.level();
        scales.Succeed();
        ASSERT_LE(scales.level(), before) << run << ", " << row;
      }
    }
  }
}

TEST(BalanceTest, RowThatIsOneShorterDoesNot) {
  Scales scales(RuleOf(0.5));
  for (int i = 0; i < 100; ++i) {
    scales.Fail();
    scales.Succeed(2);
  }
  scales.Succeed(scales.rule_.gap - 2);
  EXPECT_GT(scales.FailuresToOutweigh(0), 20);
}

TEST(BalanceTest, SuccessesBeforeAreNotSavedUp) {
  Scales scales(RuleOf(0.5));
  scales.Succeed(1'000'000'000);
  EXPECT_EQ(scales.FailuresToOutweigh(0), 4);
}

TEST(BalanceTest, FailuresThatReadOlderTotalsStillCount) {
  Scales scales(RuleOf(0.5));
  scales.Fail();
  scales.successes_ += 1;
  scales.Fail();
  scales.successes_ -= 1;
  scales.Fail();
  EXPECT_GT(scales.level(), 0.5);
}

// ------------------------------------------------------------------- Level

TEST(BalanceTest, LevelIsTheShareOfWhatOutweighs) {
  Scales scales(RuleOf(0.5));
  EXPECT_EQ(scales.level(), 0);
  for (int failures = 1; failures <= 4; ++failures) {
    scales.Fail();
    EXPECT_DOUBLE_EQ(scales.level(), failures / 4.0);
  }
  scales.Fail();
  EXPECT_EQ(scales.level(), 1);
  scales.Succeed(3);
  EXPECT_DOUBLE_EQ(scales.level(), 0.5);
  scales.Succeed(3);
  EXPECT_EQ(scales.level(), 0);
}

TEST(BalanceTest, LevelIsOneWhereFailuresOutweighAndLessWhereNot) {
  std::mt19937_64 random(1);
  for (int run = 0; run < 100; ++run) {
    Scales scales(RuleOf(0.3 + 0.1 * static_cast<double>(run % 5)));
    for (int call = 0; call < 300; ++call) {
      if (random() % 100 < 45) {
        const bool outweigh = scales.Fail();
        ASSERT_EQ(scales.level() >= 1, outweigh) << run << ", " << call;
      } else {
        scales.Succeed();
      }
    }
  }
}

TEST(BalanceTest, TellsHowManyFailuresInARowWouldOutweigh) {
  std::mt19937_64 random(2);
  for (int run = 0; run < 200; ++run) {
    Scales scales(RuleOf(0.3 + 0.1 * static_cast<double>(run % 5)));
    for (uint64_t call = random() % 300; call > 0; --call) {
      if (random() % 100 < 40) {
        scales.Fail();
      } else {
        scales.Succeed();
      }
    }
    const int64_t missing = scales.FailuresMissing();
    int64_t took = 1;
    while (!scales.Fail()) ++took;
    ASSERT_EQ(missing, took) << run;
  }
}

TEST(BalanceTest, AtLeastOneFailureIsMissingThoughTheyOutweigh) {
  Scales scales(RuleOf(0.5));
  for (int i = 0; i < 10; ++i) scales.Fail();
  EXPECT_EQ(scales.FailuresMissing(), 1);
}

// ------------------------------------------------------ Generations, rules

TEST(BalanceTest, FailureOfAnotherGenerationChangesNothing) {
  Scales scales(RuleOf(0.5));
  for (int i = 0; i < 3; ++i) scales.Fail();
  for (const uint64_t generation : {299, 301}) {
    EXPECT_FALSE(scales.balance_.AddFailure(scales.rule_, scales.successes_,
                                            generation));
  }
  EXPECT_DOUBLE_EQ(scales.level(), 0.75);
}

TEST(BalanceTest, RestartForgetsBalanceAndTrouble) {
  Scales scales(RuleOf(0.5));
  for (int i = 0; i < 100; ++i) {
    scales.Fail();
    scales.Succeed();
  }
  scales.Fail();
  scales.balance_.Restart(scales.successes_, ++scales.generation_);
  EXPECT_EQ(scales.level(), 0);
  EXPECT_EQ(scales.FailuresMissing(), 4);
  EXPECT_EQ(scales.FailuresToOutweigh(0), 4);
}

TEST(BalanceTest, ReweighKeepsTheBalanceInFailures) {
  const BalanceRule before = RuleOf(0.5);
  for (const double rate : {0.2, 0.75}) {
    const BalanceRule after = RuleOf(rate);
    Scales scales(before);
    scales.Fail();
    scales.Fail();
    scales.balance_.Reweigh(before, after, scales.successes_,
                            scales.generation_);
    scales.rule_ = after;
    EXPECT_DOUBLE_EQ(scales.level(), 2 / (2 / (1 - rate))) << rate;
  }
}

TEST(BalanceTest, ReweighFromARuleThatIsOffBeginsAtNothing) {
  Scales scales(RuleOf(0.5));
  scales.balance_.Reweigh(BalanceRule(), scales.rule_, scales.successes_,
                          scales.generation_);
  EXPECT_EQ(scales.level(), 0);
  EXPECT_EQ(scales.FailuresToOutweigh(0), 4);
}

TEST(BalanceTest, SurvivesTheWrapOfTheCounters) {
  Scales scales(RuleOf(0.5));
  scales.successes_ = (uint64_t{1} << 44) - 1;
  scales.balance_.Restart(scales.successes_, scales.generation_);
  scales.Fail();
  scales.Fail();
  EXPECT_DOUBLE_EQ(scales.level(), 0.5);
  scales.Succeed();
  EXPECT_DOUBLE_EQ(scales.level(), 0.25);
}

// ----------------------------------------------------------------- Edges

TEST(BalanceTest, RatesAtTheEdgesAnswerSomething) {
  for (const double rate : {0.01, 0.99}) {
    for (const double normal : {std::numeric_limits<double>::denorm_min(),
                                std::nextafter(rate, 0.0)}) {
      Scales scales(RuleOf(rate, normal));
      const int64_t missing = scales.FailuresMissing();
      EXPECT_EQ(scales.FailuresToOutweigh(0), missing)
          << rate << ", " << normal;
      EXPECT_EQ(scales.level(), 1);
    }
  }
}

TEST(BalanceTest, MillionsOfFailuresDoNotOverflow) {
  Scales scales(RuleOf(0.01));
  for (int i = 0; i < 3'000'000; ++i) scales.Fail();
  EXPECT_EQ(scales.level(), 1);
  EXPECT_EQ(scales.FailuresMissing(), 1);
}

// ----------------------------------------------------------------- Chance

// How many of `runs` services that fail so often are refused in `calls`.
int RunsThatOutweigh(double failing, int runs, int calls) {
  int outweighed = 0;
  for (int run = 0; run < runs; ++run) {
    std::mt19937_64 random(run + 1);
    std::bernoulli_distribution fails(failing);
    Scales scales(RuleOf(0.5));
    for (int call = 0; call < calls; ++call) {
      if (!fails(random)) {
        scales.Succeed();
      } else if (scales.Fail()) {
        ++outweighed;
        break;
      }
    }
  }
  return outweighed;
}

TEST(BalanceTest, WhereFewerThanBreakEvenFailItOutweighsByChanceWhenItBegins) {
  EXPECT_LT(RunsThatOutweigh(0.2, 100, 3'000), 40);
  EXPECT_LT(RunsThatOutweigh(1.0 / 3, 100, 3'000), 40);
  EXPECT_LT(RunsThatOutweigh(0.45, 100, 3'000), 60);
}

TEST(BalanceTest, LongOutageOfAThirdHardlyEverOutweighsLater) {
  int later = 0;
  int runs = 0;
  for (int run = 0; run < 100; ++run) {
    std::mt19937_64 random(run + 1);
    std::bernoulli_distribution fails(1.0 / 3);
    Scales scales(RuleOf(0.5));
    bool outweighed = false;
    for (int call = 0; call < 3'000 && !outweighed; ++call) {
      // Chance decides the first 300.
      if (!fails(random)) {
        scales.Succeed();
      } else if (scales.Fail()) {
        outweighed = call >= 300;
        if (!outweighed) break;
        ++later;
      }
      if (call == 300) ++runs;
    }
  }
  EXPECT_GT(runs, 70);
  EXPECT_LT(later, runs / 5);
}

TEST(BalanceTest, WhereMoreThanBreakEvenFailsItAlwaysOutweighs) {
  EXPECT_EQ(RunsThatOutweigh(0.6, 100, 2'000), 100);
}

// ---------------------------------------------------------------- Threads

TEST(BalanceTest, FailuresOnManyThreadsAreAllWeighed) {
  const BalanceRule rule = RuleOf(0.5);
  FailureBalance balance;
  balance.Restart(0, 0);
  RunThreads(4, [&](int) {
    for (int i = 0; i < 1000; ++i) balance.AddFailure(rule, 0, 0);
  });
  EXPECT_EQ(PlaceAhead(balance.Read(), 0), 4000 * uint64_t{rule.failure});
}

}  // namespace
}  // namespace autobreaker
