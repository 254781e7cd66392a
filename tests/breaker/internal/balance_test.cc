// Whether failures outweigh successes.
#include "autobreaker/breaker/internal/balance.h"

#include <cmath>
#include <cstdint>
#include <random>

#include "autobreaker/breaker/options.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

EvidenceOptions BreakEven(double rate) {
  EvidenceOptions options;
  options.break_even_failure_rate = rate;
  return options;
}

// A balance and the total of successes it is about.
class Scales {
 public:
  explicit Scales(const EvidenceOptions& options = EvidenceOptions())
      : rule_(BalanceRule::From(options)) {
    balance_.Restart(successes_, generation_);
  }

  void Succeed(int count = 1) { successes_ += count; }
  bool Fail() { return balance_.AddFailure(rule_, successes_, generation_); }
  bool Fail(int count) {
    bool outweigh = false;
    for (int i = 0; i < count; ++i) outweigh = Fail();
    return outweigh;
  }
  double level() const {
    return balance_.Level(rule_, balance_.Read(), successes_);
  }
  int64_t missing() const {
    return balance_.FailuresUntilOutweighed(rule_, balance_.Read(), successes_);
  }

  // Whether failures outweigh within so many calls, of which this share fails.
  bool Outweighs(double share, int calls, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::bernoulli_distribution fails(share);
    for (int call = 0; call < calls; ++call) {
      if (!fails(random)) {
        Succeed();
      } else if (Fail()) {
        return true;
      }
    }
    return false;
  }

  BalanceRule rule_;
  FailureBalance balance_;
  uint64_t successes_ = 1000;
  uint64_t generation_ = 300;  // of which one word keeps the low bits only
};

TEST(BalanceTest, FourFailuresInARowOutweighAtOneHalf) {
  Scales scales;
  EXPECT_FALSE(scales.Fail(3));
  EXPECT_TRUE(scales.Fail());
}

TEST(BalanceTest, TenFailuresBesideFourSuccessesOutweighAtOneHalf) {
  Scales scales;
  for (int i = 0; i < 4; ++i) {
    scales.Fail();
    scales.Succeed();
  }
  EXPECT_FALSE(scales.Fail(5));
  EXPECT_TRUE(scales.Fail());
}

TEST(BalanceTest, SuccessAndFailureCancelOutAtTheBreakEvenRate) {
  for (const double rate : {0.01, 0.2, 0.5, 0.8, 0.99}) {
    const BalanceRule rule = BalanceRule::From(BreakEven(rate));
    EXPECT_NEAR(rule.failure * rate, BalanceRule::kOneSuccess * (1 - rate), 0.6)
        << rate;
  }
}

TEST(BalanceTest, FewestFailuresGrowWithTheBreakEvenRate) {
  const auto in_a_row = [](double rate) {
    Scales scales(BreakEven(rate));
    int failures = 1;
    while (!scales.Fail()) ++failures;
    return failures;
  };
  EXPECT_EQ(in_a_row(0.1), 3);
  EXPECT_EQ(in_a_row(0.5), 4);
  EXPECT_EQ(in_a_row(0.75), 8);
}

TEST(BalanceTest, NeverFallsBelowNothing) {
  Scales scales;
  scales.Succeed(1'000'000);
  EXPECT_FALSE(scales.Fail(3));
  EXPECT_TRUE(scales.Fail());
}

// By chance, right after the server was well. Each costs some ten calls.
TEST(BalanceTest, FewerThanBreakEvenHardlyEverOutweigh) {
  for (const double share : {0.1, 0.2, 0.33, 0.4, 0.45}) {
    int times = 0;
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      times += Scales().Outweighs(share, 10'000, seed) ? 1 : 0;
    }
    EXPECT_LT(times, 60) << share;
  }
}

TEST(BalanceTest, LongPartialOutageOutweighsNoMoreOften) {
  Scales scales;
  std::mt19937_64 random(1);
  std::bernoulli_distribution fails(1.0 / 3);
  int times = 0;
  for (int call = 0; call < 1'000'000; ++call) {
    if (!fails(random)) {
      scales.Succeed();
    } else if (scales.Fail()) {
      ++times;
      scales.balance_.Restart(scales.successes_, scales.generation_);
    }
  }
  EXPECT_LT(times, 1'000'000 / 2'000);
}

TEST(BalanceTest, MoreThanBreakEvenOutweigh) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    EXPECT_TRUE(Scales().Outweighs(0.6, 2'000, seed)) << seed;
    EXPECT_TRUE(Scales().Outweighs(0.85, 100, seed)) << seed;
    EXPECT_TRUE(Scales(BreakEven(0.2)).Outweighs(0.3, 2'000, seed)) << seed;
  }
}

TEST(BalanceTest, LongRowOfSuccessesForgetsTheFailuresBefore) {
  Scales scales;
  for (int i = 0; i < 200; ++i) {
    scales.Fail();
    scales.Succeed();
  }
  ASSERT_EQ(scales.rule_.gap, 16);
  scales.Succeed(15);  // and one before
  EXPECT_GT(scales.missing(), 20);
  scales.Succeed();
  EXPECT_EQ(scales.missing(), 4);
}

TEST(BalanceTest, LevelIsTheShareOfWhatOutweighs) {
  Scales scales;
  EXPECT_EQ(scales.level(), 0);
  for (int failures = 1; failures <= 4; ++failures) {
    scales.Fail();
    EXPECT_DOUBLE_EQ(scales.level(), failures / 4.0);
  }
  scales.Fail();
  EXPECT_EQ(scales.level(), 1);
  scales.Succeed(3);
  EXPECT_DOUBLE_EQ(scales.level(), 0.5);
}

TEST(BalanceTest, TellsHowManyFailuresAreMissing) {
  Scales scales;
  for (int i = 0; i < 50; ++i) {
    scales.Fail();
    scales.Succeed(i % 3);
  }
  for (int64_t missing = scales.missing(); missing > 1; --missing) {
    EXPECT_EQ(scales.missing(), missing);
    EXPECT_FALSE(scales.Fail());
  }
  EXPECT_TRUE(scales.Fail());
  EXPECT_EQ(scales.missing(), 1);
}

TEST(BalanceTest, OtherWeightsKeepTheBalanceInFailures) {
  Scales scales;
  scales.Fail(3);
  const BalanceRule other = BalanceRule::From(BreakEven(0.75));
  scales.balance_.Reweigh(scales.rule_, other, scales.successes_,
                          scales.generation_);
  scales.rule_ = other;
  EXPECT_NEAR(scales.level(), 3 * other.failure / other.Outweighs(3), 1e-9);
}

TEST(BalanceTest, FailureOfAnotherGenerationChangesNothing) {
  Scales scales;
  for (const uint64_t generation : {299, 301}) {
    EXPECT_FALSE(scales.balance_.AddFailure(scales.rule_, scales.successes_,
                                            generation));
  }
  EXPECT_EQ(scales.level(), 0);
}

TEST(BalanceTest, RestartForgets) {
  Scales scales;
  scales.Fail(100);
  scales.balance_.Restart(scales.successes_, scales.generation_);
  EXPECT_EQ(scales.level(), 0);
  EXPECT_EQ(scales.missing(), 4);
}

TEST(BalanceTest, SurvivesTheWrapOfTheCounters) {
  Scales scales;
  scales.successes_ = (uint64_t{1} << 48) - 1;
  scales.balance_.Restart(scales.successes_, scales.generation_);
  scales.Fail(2);
  EXPECT_DOUBLE_EQ(scales.level(), 0.5);
  scales.successes_ = 0;  // one more
  EXPECT_DOUBLE_EQ(scales.level(), 0.25);
}

TEST(BalanceTest, FailuresOnManyThreadsAllCount) {
  const BalanceRule rule = BalanceRule::From(BreakEven(0.99));
  FailureBalance balance;
  balance.Restart(0, 0);
  RunThreads(4, [&](int) {
    for (int i = 0; i < 25; ++i) balance.AddFailure(rule, 0, 0);
  });
  EXPECT_DOUBLE_EQ(balance.Level(rule, balance.Read(), 0),
                   100 * rule.failure / rule.Outweighs(100));
}

}  // namespace
}  // namespace autobreaker
