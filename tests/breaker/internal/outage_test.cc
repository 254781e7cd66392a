#include "autobreaker/breaker/internal/outage.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

constexpr MonotonicTime kStart{std::chrono::hours(1)};
// The largest below 1.
constexpr double kNearlyOne = 1 - 1e-16;

// Opens for ten calls, or more of them as the outage goes on: 100 ms to 60 s.
BreakerOptions PacedOptions() {
  BreakerOptions options = ExactOptions();
  options.open.duration = absl::Milliseconds(100);
  options.open.duration_multiplier = 1;
  options.open.pace_by_calls = CallPacing{0.1};
  return options;
}

// By default, opens for 5 s, 10 s and so on up to 60 s, exactly.
class OutageTest : public ::testing::Test {
 protected:
  void SetOptions(const BreakerOptions& options) {
    rules_ = Rules::Of(options);
  }
  void Wait(absl::Duration by) { now_ += absl::ToChronoNanoseconds(by); }

  void OpenFirst(const CallCounts& window = Counts(0, 20),
                 absl::Duration window_time = absl::Seconds(10)) {
    outage_ = Outage();
    outage_.OpenFirst(*rules_, {window, 20},
                      absl::ToChronoNanoseconds(window_time), opening_, now_);
  }
  void OpenAgain(bool probes_failed = true) {
    outage_.OpenAgain(*rules_, probes_failed, opening_, now_);
  }
  void BecomeHalfOpen() { outage_.BecomeHalfOpen(*rules_, asked_, now_); }
  void WaitAndBecomeHalfOpen() {
    now_ = outage_.refuse_until();
    BecomeHalfOpen();
  }
  void ReplaceRules(const BreakerOptions& options) {
    SetOptions(options);
    outage_.SetRules(*rules_, now_);
  }

  // From now on.
  absl::Duration Refuses() const {
    return absl::FromChrono(outage_.refuse_until() - now_);
  }

  std::shared_ptr<const Rules> rules_ = Rules::Of(ExactOptions());
  // Of the next opening.
  Outage::Opening opening_;
  MonotonicTime now_ = kStart;
  uint64_t asked_ = 0;
  Outage outage_;
};

TEST_F(OutageTest, OpensForTheDuration) {
  OpenFirst();
  EXPECT_EQ(Refuses(), absl::Seconds(5));
}

TEST_F(OutageTest, PacedOpenTimeIsOverWhenTheCallsCame) {
  SetOptions(PacedOptions());
  opening_.asked = 1'000'000;
  OpenFirst();
  EXPECT_EQ(Refuses(), absl::Milliseconds(100));
  Wait(absl::Milliseconds(100) - absl::Nanoseconds(1));
  EXPECT_FALSE(outage_.IsOver(1'000'010, now_));
  Wait(absl::Nanoseconds(1));
  EXPECT_FALSE(outage_.IsOver(1'000'009, now_));
  EXPECT_TRUE(outage_.IsOver(1'000'010, now_));
}

// V4, V5. Whatever calls came before, and however long nobody calls.
TEST_F(OutageTest, SilenceLengthensNoOpenTime) {
  SetOptions(PacedOptions());
  for (const absl::Duration window_time :
       {absl::Milliseconds(1), absl::Seconds(15), absl::Hours(1)}) {
    for (const absl::Duration silence :
         {absl::ZeroDuration(), absl::Seconds(15)}) {
      opening_.asked = 1'000'000;
      OpenFirst(Counts(0, 4), window_time);
      Wait(absl::Milliseconds(100) + silence);
      EXPECT_FALSE(outage_.IsOver(1'000'009, now_));
      EXPECT_TRUE(outage_.IsOver(1'000'010, now_));
      // And so when it opens again.
      opening_.asked = 1'000'011;
      OpenAgain();
      Wait(absl::Milliseconds(100) + silence);
      EXPECT_FALSE(outage_.IsOver(1'000'020, now_));
      EXPECT_TRUE(outage_.IsOver(1'000'021, now_));
    }
  }
}

TEST_F(OutageTest, PacedOpenTimeIsOverAtTheLongestWhoeverCalls) {
  SetOptions(PacedOptions());
  OpenFirst();
  Wait(absl::Seconds(60) - absl::Nanoseconds(1));
  EXPECT_FALSE(outage_.IsOver(0, now_));
  Wait(absl::Nanoseconds(1));
  EXPECT_TRUE(outage_.IsOver(0, now_));
}

TEST_F(OutageTest, LaterOpeningsTakeTwiceTheRootOfTheCallsInTheOutage) {
  SetOptions(PacedOptions());
  opening_.asked = 1'000'000;
  OpenFirst();
  for (const uint64_t since : {10, 100, 900, 10'000}) {
    opening_.asked = 1'000'000 + since;
    OpenAgain();
    Wait(absl::Seconds(1));
    const uint64_t calls = std::max<uint64_t>(
        10, std::llround(2 * std::sqrt(static_cast<double>(since))));
    EXPECT_FALSE(outage_.IsOver(opening_.asked + calls - 1, now_)) << since;
    EXPECT_TRUE(outage_.IsOver(opening_.asked + calls, now_)) << since;
  }
}

TEST_F(OutageTest, CallsLookOnceAMillisecondHowManyTheyAre) {
  SetOptions(PacedOptions());
  OpenFirst();
  Wait(absl::Milliseconds(150));
  outage_.NoteAsked(/*asked=*/5, now_);
  EXPECT_EQ(Refuses(), absl::Milliseconds(1));
  EXPECT_FALSE(outage_.IsOver(/*asked=*/100, now_));
  Wait(absl::Milliseconds(1));
  EXPECT_TRUE(outage_.IsOver(/*asked=*/100, now_));
}

TEST_F(OutageTest, NoLookGoesBeyondTheLongest) {
  SetOptions(PacedOptions());
  OpenFirst();
  Wait(absl::Seconds(60) - absl::Microseconds(10));
  outage_.NoteAsked(/*asked=*/5, now_);
  EXPECT_EQ(Refuses(), absl::Microseconds(10));
}

TEST_F(OutageTest, ExpectsCallsToComeAsTheyCame) {
  const struct {
    uint64_t window;
    absl::Duration window_time;
    absl::Duration after;  // it opened
    uint64_t asked;        // since then
    absl::Duration remaining;
  } kRows[] = {
      // Ten calls at the rate of the window.
      {20, absl::Seconds(10), absl::ZeroDuration(), 0, absl::Seconds(5)},
      {100, absl::Seconds(10), absl::ZeroDuration(), 0, absl::Seconds(1)},
      // Never before the shortest, nor after the longest time.
      {100, absl::Seconds(1), absl::ZeroDuration(), 0, absl::Milliseconds(100)},
      {1, absl::Seconds(60), absl::ZeroDuration(), 0, absl::Seconds(60)},
      {0, absl::Seconds(10), absl::ZeroDuration(), 0, absl::Seconds(60)},
      // Once some came, at their rate.
      {20, absl::Seconds(10), absl::Seconds(1), 5, absl::Seconds(1)},
      {20, absl::Seconds(10), absl::Seconds(4), 8, absl::Seconds(1)},
      {20, absl::Seconds(10), absl::Seconds(50), 1, absl::Seconds(10)},
  };
  SetOptions(PacedOptions());
  for (const auto& row : kRows) {
    OpenFirst(Counts(0, row.window), row.window_time);
    Wait(row.after);
    EXPECT_EQ(absl::FromChrono(outage_.ExpectedEnd(row.asked, now_) - now_),
              row.remaining)
        << row.window << " in " << row.window_time << ", then " << row.asked
        << " in " << row.after;
  }
}

TEST_F(OutageTest, TellsRefusedCallsWhatTheLastLookExpected) {
  SetOptions(PacedOptions());
  OpenFirst(Counts(0, 20), absl::Seconds(10));
  EXPECT_EQ(outage_.expected_end(), now_ + std::chrono::seconds(5));
  Wait(absl::Seconds(1));
  outage_.NoteAsked(/*asked=*/5, now_);
  EXPECT_EQ(outage_.expected_end(), now_ + std::chrono::seconds(1));
}

TEST_F(OutageTest, StaysOpenAtLeastAsLongAsTheServerAsked) {
  const struct {
    absl::Duration at_least;
    absl::Duration refuses;
  } kRows[] = {
      {absl::ZeroDuration(), absl::Seconds(5)},
      {absl::Seconds(4), absl::Seconds(5)},
      {absl::Seconds(7), absl::Seconds(7)},
      {absl::Seconds(60), absl::Seconds(60)},
      // Not longer than the longest.
      {absl::Seconds(61), absl::Seconds(60)},
      {absl::InfiniteDuration(), absl::Seconds(60)},
  };
  for (const auto& row : kRows) {
    opening_.at_least = row.at_least;
    OpenFirst();
    EXPECT_EQ(Refuses(), row.refuses) << row.at_least;
  }
}

TEST_F(OutageTest, ServersTimeHoldsForOneOpening) {
  opening_.at_least = absl::Seconds(30);
  OpenFirst();
  opening_.at_least = absl::ZeroDuration();
  OpenAgain();
  EXPECT_EQ(Refuses(), absl::Seconds(10));
}

TEST_F(OutageTest, JitterShortensByUpToItsShare) {
  const struct {
    double jitter;
    double random;
    absl::Duration refuses;
  } kRows[] = {
      {0, kNearlyOne, absl::Seconds(5)},
      {0.2, 0, absl::Seconds(5)},
      {0.2, 0.5, absl::Milliseconds(4500)},
      {0.2, kNearlyOne, absl::Seconds(4)},
      {1, 0, absl::Seconds(5)},
      // Open all the same.
      {1, kNearlyOne, absl::Nanoseconds(1)},
  };
  for (const auto& row : kRows) {
    BreakerOptions options = ExactOptions();
    options.open.duration_jitter = row.jitter;
    SetOptions(options);
    opening_.random = row.random;
    OpenFirst();
    EXPECT_EQ(Refuses(), row.refuses) << row.jitter << ", " << row.random;
  }
}

TEST_F(OutageTest, JitterLeavesTheServersTime) {
  BreakerOptions options = ExactOptions();
  options.open.duration_jitter = 1;
  SetOptions(options);
  opening_.random = 0.5;
  opening_.at_least = absl::Seconds(4);
  OpenFirst();
  EXPECT_EQ(Refuses(), absl::Seconds(4));
}

TEST_F(OutageTest, EachFailureOfProbesMultipliesUpToTheLongest) {
  OpenFirst();
  std::vector<absl::Duration> refuses;
  for (int i = 0; i < 5; ++i) {
    WaitAndBecomeHalfOpen();
    OpenAgain();
    refuses.push_back(Refuses());
  }
  EXPECT_EQ(refuses,
            std::vector<absl::Duration>({absl::Seconds(10), absl::Seconds(20),
                                         absl::Seconds(40), absl::Seconds(60),
                                         absl::Seconds(60)}));
}

TEST_F(OutageTest, OnlyFailuresOfProbesAreReopenings) {
  OpenFirst();
  EXPECT_EQ(outage_.reopenings(), 0);
  WaitAndBecomeHalfOpen();
  OpenAgain(/*probes_failed=*/false);
  EXPECT_EQ(outage_.reopenings(), 0);
  EXPECT_EQ(Refuses(), absl::Seconds(5));
  WaitAndBecomeHalfOpen();
  OpenAgain(/*probes_failed=*/true);
  EXPECT_EQ(outage_.reopenings(), 1);
  EXPECT_EQ(Refuses(), absl::Seconds(10));
}

TEST_F(OutageTest, CauseStaysThatOfTheFirstOpening) {
  OpenFirst(Counts(3, 17, 2));
  WaitAndBecomeHalfOpen();
  OpenAgain();
  EXPECT_EQ(outage_.cause().window, Counts(3, 17, 2));
  EXPECT_EQ(outage_.cause().consecutive_failures, 20);
}

// ------------------------------------------------------------ Other rules

TEST_F(OutageTest, OtherDurationCountsFromTheOpening) {
  const struct {
    absl::Duration duration;
    absl::Duration refuses;  // 3 s after it opened
  } kRows[] = {
      {absl::Seconds(5), absl::Seconds(2)},
      {absl::Seconds(20), absl::Seconds(17)},
      {absl::Seconds(1), absl::Seconds(-2)},
  };
  for (const auto& row : kRows) {
    SetOptions(ExactOptions());
    OpenFirst();
    Wait(absl::Seconds(3));
    BreakerOptions options = ExactOptions();
    options.open.duration = row.duration;
    ReplaceRules(options);
    EXPECT_EQ(Refuses(), row.refuses) << row.duration;
  }
}

TEST_F(OutageTest, OtherRulesKeepTheServersTime) {
  opening_.at_least = absl::Seconds(7);
  OpenFirst();
  BreakerOptions options = ExactOptions();
  options.open.duration = absl::Seconds(1);
  ReplaceRules(options);
  EXPECT_EQ(Refuses(), absl::Seconds(7));
}

TEST_F(OutageTest, OtherRulesKeepReopeningsDemandAndJitter) {
  OpenFirst();
  WaitAndBecomeHalfOpen();
  opening_ = {/*asked=*/50, /*at_least=*/absl::ZeroDuration(), /*random=*/0.5};
  OpenAgain();  // 50 calls in 5 s

  BreakerOptions reopened = ExactOptions();
  reopened.open.duration_multiplier = 3;
  ReplaceRules(reopened);
  EXPECT_EQ(Refuses(), absl::Seconds(15));

  BreakerOptions jittered = ExactOptions();
  jittered.open.duration_jitter = 0.2;
  ReplaceRules(jittered);
  EXPECT_EQ(Refuses(), absl::Seconds(9));

  BreakerOptions paced = PacedOptions();
  paced.open.pace_by_calls = CallPacing{0.01};
  ReplaceRules(paced);
  // A hundred calls at ten a second.
  EXPECT_EQ(outage_.expected_end(), now_ + std::chrono::seconds(10));
}

TEST_F(OutageTest, OtherRulesWhileHalfOpenLetTheNextCallAsk) {
  BreakerOptions options = ExactOptions();
  options.half_open.max_calls = 1;
  SetOptions(options);
  OpenFirst();
  WaitAndBecomeHalfOpen();
  outage_.half_open()->TakeProbe(*rules_, asked_, now_);
  EXPECT_GT(Refuses(), absl::ZeroDuration());
  Wait(absl::Seconds(1));
  ReplaceRules(ExactOptions());
  EXPECT_EQ(Refuses(), absl::ZeroDuration());
}

// -------------------------------------------------------------- Half-open

TEST_F(OutageTest, HasNoHalfOpenWhileOpen) {
  OpenFirst();
  EXPECT_EQ(outage_.half_open(), nullptr);
  WaitAndBecomeHalfOpen();
  EXPECT_NE(outage_.half_open(), nullptr);
  OpenAgain();
  EXPECT_EQ(outage_.half_open(), nullptr);
}

TEST_F(OutageTest, HalfOpenLetsTheNextCallAsk) {
  OpenFirst();
  Wait(absl::Seconds(1));
  BecomeHalfOpen();
  EXPECT_EQ(Refuses(), absl::ZeroDuration());
}

TEST_F(OutageTest, EachHalfOpenBeginsWithNoProbesAndNoSuccesses) {
  OpenFirst();
  for (int i = 0; i < 3; ++i) {
    WaitAndBecomeHalfOpen();
    HalfOpen* const half_open = outage_.half_open();
    EXPECT_EQ(half_open->in_flight(now_), 0);
    EXPECT_EQ(half_open->successes(), 0);
    const uint64_t probe = half_open->TakeProbe(*rules_, asked_, now_).probe;
    half_open->TakeProbe(*rules_, asked_, now_);
    half_open->EndProbe(*rules_, probe, /*failed=*/false, /*slow=*/false, now_);
    EXPECT_EQ(half_open->in_flight(now_), 1);
    EXPECT_EQ(half_open->successes(), 1);
    OpenAgain();
  }
}

TEST_F(OutageTest, RampIsPacedByTheOpenTimeBefore) {
  BreakerOptions options = ExactOptions();
  options.trip.evidence = EvidenceOptions();
  options.half_open.successes_to_close.reset();
  SetOptions(options);
  OpenFirst();
  WaitAndBecomeHalfOpen();
  OpenAgain();
  Wait(absl::Seconds(30));
  BecomeHalfOpen();
  EXPECT_NE(outage_.half_open()->TakeProbe(*rules_, asked_, now_).probe,
            ProbeLeases::kNoProbe);
  EXPECT_EQ(Refuses(), absl::Seconds(10));
}

}  // namespace
}  // namespace autobreaker
