#include "autobreaker/breaker/internal/call_gate.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/internal/rules.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::nanoseconds;
using ::std::chrono::seconds;

BreakerOptions EvidenceOnly(int64_t calls_per_false_opening) {
  BreakerOptions options;
  options.trip.evidence->calls_per_false_opening = calls_per_false_opening;
  options.trip.evidence->tolerated_burst = absl::ZeroDuration();
  return options;
}

// A gate of a closed breaker in generation 0, that would open at a failure rate
// above 5 % of at least 20 calls. Its window moves in a second.
class CallGateTest : public ::testing::Test {
 protected:
  CallGateTest() {
    terms_.window_moves_at = clock_.Now() + seconds(1);
    SetRules(ExactOptions());
    gate_.Publish(terms_);
  }

  void SetRules(const BreakerOptions& options) {
    const std::shared_ptr<const Rules> rules = Rules::Of(options);
    terms_.judgment.trip = rules->trip;
    terms_.judgment.evidence = rules->evidence;
  }
  void SetWord(uint64_t generation, State state = State::kClosed,
               Mode mode = Mode::kAutomatic) {
    terms_.admission.word = StateWord(generation, state, mode, /*timed=*/false,
                                      /*mode_ends=*/false);
  }

  void SetCap(int64_t most) {
    gate_.MakeCap();
    terms_.admission.word = StateWord(0, State::kClosed, Mode::kAutomatic,
                                      false, false, /*capped=*/true);
    terms_.max_calls_in_flight = most;
    gate_.Publish(terms_);
  }

  // Ends the generation and begins the next.
  void BeginGeneration(State state = State::kClosed) {
    terms_.judgment.window_base = gate_.EndGeneration();
    SetWord(gate_.word().generation() + 1, state);
    gate_.Publish(terms_);
  }

  std::optional<CallGate::Judgment> Fail(uint64_t generation = 0) {
    return gate_.CountAndJudge(generation, /*failed=*/true, /*slow=*/false,
                               clock_.Now());
  }
  std::optional<CallGate::Judgment> Succeed(uint64_t generation = 0,
                                            bool slow = false) {
    return gate_.CountAndJudge(generation, /*failed=*/false, slow,
                               clock_.Now());
  }

  BreakerSnapshot Describe() {
    BreakerSnapshot s;
    gate_.DescribeFinished(&s);
    gate_.DescribeAdmitted(&s);
    return s;
  }

  FakeClock clock_;
  CallGate gate_{&clock_};
  Terms terms_;
};

// -------------------------------------------------------------- Admission

TEST_F(CallGateTest, AdmitsAndCountsWhileThereIsNothingToLookUp) {
  SetWord(3);
  gate_.Publish(terms_);
  uint64_t generation = 0;
  EXPECT_TRUE(gate_.Admit(&generation));
  EXPECT_EQ(generation, 3);
  EXPECT_EQ(Describe().requests, 1);
}

TEST_F(CallGateTest, LeavesToTheCallerWhatIsNotPlain) {
  const StateWord kWords[] = {
      {1, State::kOpen, Mode::kAutomatic, false, false},
      {1, State::kHalfOpen, Mode::kAutomatic, false, false},
      {1, State::kClosed, Mode::kAutomatic, /*timed=*/true, false},
      {1, State::kClosed, Mode::kAutomatic, false, /*mode_ends=*/true},
      {1, State::kClosed, Mode::kAutomatic, false, false, /*capped=*/true},
  };
  for (const StateWord word : kWords) {
    terms_.admission.word = word;
    gate_.Publish(terms_);
    uint64_t generation = 0;
    EXPECT_FALSE(gate_.Admit(&generation)) << word.bits();
    EXPECT_EQ(gate_.word().bits(), word.bits());
  }
  EXPECT_EQ(Describe().requests, 0);
}

TEST_F(CallGateTest, AdmissionIsWhatWasPublished) {
  SetWord(4, State::kOpen, Mode::kShadow);
  terms_.admission.refuse_until = clock_.Now() + seconds(5);
  terms_.admission.mode_until = clock_.Now() + seconds(7);
  gate_.Publish(terms_);
  const AdmissionTerms seen = gate_.admission();
  EXPECT_EQ(seen.word.bits(), terms_.admission.word.bits());
  EXPECT_EQ(seen.refuse_until, terms_.admission.refuse_until);
  EXPECT_EQ(seen.mode_until, terms_.admission.mode_until);
}

TEST_F(CallGateTest, AskedAreThoseAdmittedAndThoseRefused) {
  const struct {
    CallGate::Counter counter;
    bool asked;
  } kRows[] = {
      {ShardedCounters::kAdmitted, true},
      {ShardedCounters::kRefusedOpen, true},
      {ShardedCounters::kRefusedHalfOpen, true},
      {ShardedCounters::kRefusedForcedOpen, true},
      {ShardedCounters::kIgnored, false},
      {ShardedCounters::kAbandoned, false},
      {ShardedCounters::kUnjudgedSuccess, false},
      {ShardedCounters::kUnjudgedFailure, false},
      {ShardedCounters::kUnjudgedSlow, false},
      {ShardedCounters::kLate, false},
      // Those are admitted too.
      {ShardedCounters::kShadowOpen, false},
      {ShardedCounters::kShadowHalfOpen, false},
  };
  uint64_t asked = 0;
  for (const auto& row : kRows) {
    gate_.Count(row.counter);
    asked += row.asked ? 1 : 0;
    EXPECT_EQ(gate_.asked(), asked) << row.counter;
  }
}

TEST_F(CallGateTest, CallsUnderWayWhenTheCapIsSetLeaveThatMuchLessRoom) {
  for (int i = 0; i < 3; ++i) gate_.Count(ShardedCounters::kAdmitted);
  SetCap(3);
  EXPECT_FALSE(gate_.HasPlace());
  EXPECT_FALSE(gate_.TakePlace());
  Succeed();
  EXPECT_TRUE(gate_.TakePlace());
  EXPECT_FALSE(gate_.TakePlace());
  gate_.CountUnjudged(/*failed=*/true, /*slow=*/false);
  gate_.Count(ShardedCounters::kIgnored);
  EXPECT_TRUE(gate_.TakePlace());
  EXPECT_TRUE(gate_.TakePlace());
  EXPECT_FALSE(gate_.HasPlace());
}

TEST_F(CallGateTest, ACallThatTakesAPlaceIsAskedForAndOneWithoutIsNot) {
  SetCap(1);
  EXPECT_TRUE(gate_.TakePlace());
  EXPECT_FALSE(gate_.TakePlace());
  gate_.CountNoPlace(/*shadow=*/false);
  EXPECT_EQ(gate_.asked(), 1);
}

// ---------------------------------------------------------------- Results

TEST_F(CallGateTest, CountsASuccess) {
  EXPECT_TRUE(gate_.CountSuccess(0));
  EXPECT_EQ(gate_.judged(), Counts(1, 0));
}

TEST_F(CallGateTest, CountsNoSuccessFromWhenTheWindowMoves) {
  clock_.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_FALSE(gate_.WindowMoves(clock_.Now()));
  EXPECT_TRUE(gate_.CountSuccess(0));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(gate_.WindowMoves(clock_.Now()));
  EXPECT_FALSE(gate_.CountSuccess(0));
  EXPECT_EQ(gate_.judged(), Counts(1, 0));
}

TEST_F(CallGateTest, CountsNoSuccessOfAGenerationThatIsOver) {
  gate_.EndGeneration();
  EXPECT_FALSE(gate_.CountSuccess(0));
  BeginGeneration();
  EXPECT_FALSE(gate_.CountSuccess(0));
  EXPECT_EQ(Describe().successes, 0);
}

TEST_F(CallGateTest, EndOfAGenerationAnswersTheTotals) {
  Succeed(0, /*slow=*/true);
  Fail();
  Fail();
  EXPECT_EQ(gate_.EndGeneration(), Counts(1, 2, 1));
}

TEST_F(CallGateTest, ResultIsLateFromTheEndOfItsGenerationOn) {
  gate_.EndGeneration();
  EXPECT_FALSE(Fail(0).has_value());
  EXPECT_EQ(Describe().late_results, 1);
  BeginGeneration();
  EXPECT_FALSE(Fail(0).has_value());
  EXPECT_EQ(Describe().late_results, 2);
}

TEST_F(CallGateTest, LateResultIsCountedAndNeverJudged) {
  BeginGeneration();
  gate_.CountAndJudge(0, /*failed=*/true, /*slow=*/true, clock_.Now());
  gate_.CountAndJudge(0, /*failed=*/false, /*slow=*/false, clock_.Now());
  EXPECT_EQ(gate_.judged(), Counts(0, 0));
  EXPECT_EQ(gate_.failures_in_a_row(gate_.judged()), 0);
  const BreakerSnapshot s = Describe();
  EXPECT_EQ(s.failures, 1);
  EXPECT_EQ(s.successes, 1);
  EXPECT_EQ(s.slow_calls, 1);
  EXPECT_EQ(s.late_results, 2);
}

TEST_F(CallGateTest, ResultIsLateHoweverManyGenerationsLater) {
  // The low bits of the generation, which the counters keep, are 0 again.
  SetWord((uint64_t{1} << 16) - 1);
  gate_.Publish(terms_);
  BeginGeneration();
  EXPECT_EQ(gate_.word().generation(), uint64_t{1} << 16);
  EXPECT_FALSE(Fail(0).has_value());
  EXPECT_FALSE(gate_.CountSuccess(0));
  EXPECT_TRUE(Fail(uint64_t{1} << 16).has_value());
}

TEST_F(CallGateTest, UnjudgedResultIsCountedAndNotLate) {
  gate_.CountUnjudged(/*failed=*/true, /*slow=*/true);
  gate_.CountUnjudged(/*failed=*/false, /*slow=*/false);
  EXPECT_EQ(gate_.judged(), Counts(0, 0));
  const BreakerSnapshot s = Describe();
  EXPECT_EQ(s.failures, 1);
  EXPECT_EQ(s.successes, 1);
  EXPECT_EQ(s.slow_calls, 1);
  EXPECT_EQ(s.late_results, 0);
}

TEST_F(CallGateTest, ProbeIsCountedAndPartOfTheRow) {
  BeginGeneration(State::kHalfOpen);
  gate_.CountProbe(1, /*failed=*/false, /*slow=*/true);
  gate_.CountProbe(1, /*failed=*/true, /*slow=*/false);
  gate_.CountProbe(1, /*failed=*/true, /*slow=*/false);
  EXPECT_EQ(gate_.judged(), Counts(1, 2, 1));
  EXPECT_EQ(gate_.failures_in_a_row(gate_.judged()), 2);
}

TEST_F(CallGateTest, CallIsSlowFromTheLimitOn) {
  EXPECT_FALSE(gate_.IsSlow(seconds(1000)));
  terms_.slow_call_duration = seconds(1);
  gate_.Publish(terms_);
  EXPECT_FALSE(gate_.IsSlow(seconds(1) - nanoseconds(1)));
  EXPECT_TRUE(gate_.IsSlow(seconds(1)));
}

// --------------------------------------------------------------- Judgment

TEST_F(CallGateTest, SuspiciousOnceTheRateOfTheWindowIsTooHigh) {
  for (int i = 0; i < 18; ++i) Succeed();
  EXPECT_FALSE(Fail()->suspicious);  // of 19
  EXPECT_TRUE(Fail()->suspicious);
}

TEST_F(CallGateTest, WhatLeftTheWindowIsNotJudged) {
  for (int i = 0; i < 19; ++i) Fail();
  terms_.judgment.window_base = Counts(0, 1);
  gate_.Publish(terms_);
  EXPECT_FALSE(Fail()->suspicious);  // 19 left
  EXPECT_TRUE(Fail()->suspicious);
}

TEST_F(CallGateTest, SuspiciousOnceTheRowIsLongEnough) {
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 2;
  SetRules(options);
  gate_.Publish(terms_);
  Fail();
  Succeed();
  EXPECT_FALSE(Fail()->suspicious);
  const CallGate::Judgment second = Fail().value();
  EXPECT_TRUE(second.suspicious);
  EXPECT_EQ(second.failures_in_a_row, 2);
  EXPECT_FALSE(second.evidence_is_complete);
}

TEST_F(CallGateTest, SuspiciousOnceTheEvidenceIsComplete) {
  SetRules(EvidenceOnly(100));
  BeginGeneration();
  const int64_t enough = *gate_.evidence().failures_until_complete;
  for (int64_t i = 1; i < enough; ++i) {
    const CallGate::Judgment judgment = Fail(1).value();
    EXPECT_FALSE(judgment.suspicious);
    EXPECT_FALSE(judgment.evidence_is_complete);
  }
  const CallGate::Judgment last = Fail(1).value();
  EXPECT_TRUE(last.suspicious);
  EXPECT_TRUE(last.evidence_is_complete);
  EXPECT_EQ(gate_.evidence().level, 1);
}

TEST_F(CallGateTest, SuspiciousOnceTooManyAreSlow) {
  SetRules(SlowCallOptions(0.5));
  gate_.Publish(terms_);
  for (int i = 0; i < 10; ++i) Succeed();
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(Succeed(0, /*slow=*/true)->suspicious);
  }
  EXPECT_TRUE(Succeed(0, /*slow=*/true)->suspicious);
  // A success that was not slow gives no reason.
  EXPECT_FALSE(Succeed()->suspicious);
}

TEST_F(CallGateTest, NothingIsSuspiciousWhileForcedClosed) {
  SetWord(0, State::kClosed, Mode::kForcedClosed);
  gate_.Publish(terms_);
  for (int i = 0; i < 100; ++i) {
    const CallGate::Judgment judgment = Fail().value();
    EXPECT_FALSE(judgment.suspicious);
    EXPECT_EQ(judgment.failures_in_a_row, i + 1);
  }
}

TEST_F(CallGateTest, RowBeginsAgainWithEachGeneration) {
  Fail();
  Fail();
  // Other terms of the same generation leave it.
  gate_.Publish(terms_);
  EXPECT_EQ(Fail()->failures_in_a_row, 3);
  BeginGeneration();
  EXPECT_EQ(gate_.failures_in_a_row(gate_.judged()), 0);
  EXPECT_EQ(Fail(1)->failures_in_a_row, 1);
}

// --------------------------------------------------------------- Evidence

TEST_F(CallGateTest, EvidenceBeginsAtNothingInEachGeneration) {
  SetRules(EvidenceOnly(1'000'000));
  BeginGeneration();
  Fail(1);
  EXPECT_GT(gate_.evidence().level, 0);
  BeginGeneration();
  EXPECT_EQ(gate_.evidence().level, 0);
}

TEST_F(CallGateTest, EvidenceStaysWhenTermsOfItsGenerationFollow) {
  SetRules(EvidenceOnly(1'000'000));
  BeginGeneration();
  for (int i = 0; i < 20; ++i) {
    if (i % 5 == 0) Fail(1);
    Succeed(1);
    const CallGate::Evidence before = gate_.evidence();
    gate_.Publish(terms_);
    EXPECT_EQ(gate_.evidence().level, before.level);
    EXPECT_EQ(gate_.evidence().failures_until_complete,
              before.failures_until_complete);
  }
}

TEST_F(CallGateTest, EvidenceKeepsItsShareWhenItIsWeighedOtherwise) {
  SetRules(EvidenceOnly(1'000'000));
  BeginGeneration();
  for (int i = 0; i < 10; ++i) Succeed(1);
  Fail(1);
  Fail(1);
  Succeed(1);
  const CallGate::Evidence before = gate_.evidence();
  EXPECT_GT(before.level, 0.1);
  EXPECT_LT(before.level, 0.9);
  SetRules(EvidenceOnly(1'000'000'000'000));
  gate_.Publish(terms_);
  EXPECT_NEAR(gate_.evidence().level, before.level, 0.001);
  EXPECT_GT(*gate_.evidence().failures_until_complete,
            *before.failures_until_complete);
}

TEST_F(CallGateTest, EvidenceThatIsWeighedOtherwiseIsOfTheSameGeneration) {
  SetRules(EvidenceOnly(1'000'000));
  BeginGeneration();
  SetRules(EvidenceOnly(1'000));
  gate_.Publish(terms_);
  Fail(1);
  EXPECT_GT(gate_.evidence().level, 0);
}

// ----------------------------------------------------------------- Totals

TEST_F(CallGateTest, DescribesEachCounterInItsPlace) {
  const struct {
    CallGate::Counter counter;
    int times;
  } kRows[] = {
      {ShardedCounters::kAdmitted, 100},
      {ShardedCounters::kRefusedOpen, 2},
      {ShardedCounters::kRefusedHalfOpen, 3},
      {ShardedCounters::kRefusedForcedOpen, 4},
      {ShardedCounters::kIgnored, 5},
      {ShardedCounters::kAbandoned, 6},
      {ShardedCounters::kShadowOpen, 7},
      {ShardedCounters::kShadowHalfOpen, 8},
  };
  for (const auto& row : kRows) {
    for (int i = 0; i < row.times; ++i) gate_.Count(row.counter);
  }
  for (int i = 0; i < 9; ++i) Succeed();
  const BreakerSnapshot s = Describe();
  EXPECT_EQ(s.requests, 100);
  EXPECT_EQ(Refusals(s, RefusalReason::kOpen), 2);
  EXPECT_EQ(Refusals(s, RefusalReason::kHalfOpen), 3);
  EXPECT_EQ(Refusals(s, RefusalReason::kForcedOpen), 4);
  EXPECT_EQ(Refusals(s, RefusalReason::kRamp), 0);
  EXPECT_EQ(s.ignored, 5);
  EXPECT_EQ(s.abandoned, 6);
  EXPECT_EQ(ShadowRefusals(s, RefusalReason::kOpen), 7);
  EXPECT_EQ(ShadowRefusals(s, RefusalReason::kHalfOpen), 8);
  EXPECT_EQ(s.in_flight, 100 - 5 - 6 - 9);
}

TEST_F(CallGateTest, DescribesTheRow) {
  Succeed();
  Succeed();
  EXPECT_EQ(Describe().consecutive_successes, 2);
  EXPECT_EQ(Describe().consecutive_failures, 0);
  Fail();
  EXPECT_EQ(Describe().consecutive_successes, 0);
  EXPECT_EQ(Describe().consecutive_failures, 1);
}

TEST_F(CallGateTest, DescriptionRestsOnTheJudgedTotals) {
  Succeed();
  Fail();
  gate_.CountUnjudged(/*failed=*/true, /*slow=*/false);
  BreakerSnapshot s;
  EXPECT_EQ(gate_.DescribeFinished(&s), Counts(1, 1));
}

// ---------------------------------------------------------------- Threads

TEST_F(CallGateTest, WhoSeesAWordSeesTheTermsThatGoWithIt) {
  constexpr int kReaders = 2;
  constexpr int kReads = 300'000;
  std::atomic<int> readers_left{kReaders};
  std::atomic<int> older{0};
  std::atomic<int> mixed{0};
  RunThreads(kReaders + 1, [&](int t) {
    if (t == kReaders) {
      for (int64_t n = 1; readers_left > 0; ++n) {
        SetWord(n, State::kOpen);
        terms_.admission.refuse_until = MonotonicTime(nanoseconds(n));
        terms_.window_moves_at = MonotonicTime(nanoseconds(n));
        gate_.Publish(terms_);
      }
      return;
    }
    for (int i = 0; i < kReads; ++i) {
      const auto generation = static_cast<int64_t>(gate_.word().generation());
      older += generation > 0 &&
               gate_.WindowMoves(MonotonicTime(nanoseconds(generation - 1)));
      const AdmissionTerms terms = gate_.admission();
      const auto its_own = static_cast<int64_t>(terms.word.generation());
      older += its_own < generation;
      mixed += its_own > 0 &&
               terms.refuse_until != MonotonicTime(nanoseconds(its_own));
    }
    --readers_left;
  });
  EXPECT_EQ(older.load(), 0);
  EXPECT_EQ(mixed.load(), 0);
}

TEST_F(CallGateTest, NoResultIsLostOrCountedTwiceWhileGenerationsPass) {
  constexpr int kCallers = 3;
  constexpr int kRounds = 20'000;
  constexpr int kAtOnce = 10;  // calls of a caller under way
  std::atomic<int> callers_left{kCallers};
  std::atomic<uint64_t> judged{0};
  std::atomic<uint64_t> late{0};
  std::atomic<uint64_t> slow_calls{0};
  std::atomic<int> wrong{0};
  RunThreads(kCallers + 1, [&](int t) {
    if (t == kCallers) {
      CallCounts last;
      for (int n = 0; callers_left > 0; ++n) {
        // Every third is open, and in every other one the window is to move.
        terms_.window_moves_at = clock_.Now() + seconds(n % 2);
        BeginGeneration(n % 3 == 2 ? State::kOpen : State::kClosed);
        const CallCounts totals = terms_.judgment.window_base;
        wrong += totals.finished() < last.finished();
        last = totals;
        std::this_thread::yield();
      }
      return;
    }
    for (int round = 0; round < kRounds; ++round) {
      std::vector<uint64_t> admitted_in;
      for (int i = 0; i < kAtOnce; ++i) {
        uint64_t generation;
        if (gate_.Admit(&generation)) {
          admitted_in.push_back(generation);
        } else {
          gate_.Count(ShardedCounters::kRefusedOpen);
        }
      }
      // In every other round generations pass meanwhile, even where all threads
      // share one CPU.
      if (round % 2 == 0) std::this_thread::yield();
      for (size_t i = 0; i < admitted_in.size(); ++i) {
        const bool failed = i % 5 == 0;
        const bool slow = i % 3 == 0;
        slow_calls += slow ? 1 : 0;
        if ((!failed && !slow && gate_.CountSuccess(admitted_in[i])) ||
            gate_.CountAndJudge(admitted_in[i], failed, slow, clock_.Now())
                .has_value()) {
          ++judged;
        } else {
          ++late;
        }
      }
    }
    --callers_left;
  });
  const BreakerSnapshot s = Describe();
  EXPECT_EQ(gate_.judged().finished(), judged.load());
  EXPECT_EQ(s.late_results, late.load());
  EXPECT_EQ(s.slow_calls, slow_calls.load());
  EXPECT_EQ(s.successes + s.failures, s.requests);
  EXPECT_EQ(s.in_flight, 0);
  EXPECT_EQ(gate_.asked(), kCallers * kRounds * kAtOnce);
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace autobreaker
