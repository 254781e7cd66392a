#include "autobreaker/breaker/internal/outage.h"

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

// Opens until ten calls have been asked for, or more of them as the outage goes
// on; for 100 ms at least and 60 s at most.
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
  void BecomeHalfOpen() {
    outage_.BecomeHalfOpen(*rules_, opening_.asked, now_);
  }
  // So many calls come, evenly, within `time` from now on. Answers at which of
  // them the open time was over; 0 if at none. `looked`: how often a call had
  // to ask.
  uint64_t Call(uint64_t calls, absl::Duration time, int* looked = nullptr) {
    const MonotonicTime begin = now_;
    for (uint64_t call = 1; call <= calls; ++call) {
      now_ = begin + absl::ToChronoNanoseconds(time * call / calls);
      if (now_ >= outage_.refuse_until()) {
        if (looked != nullptr) ++*looked;
        outage_.NoteAsked(opening_.asked, now_);
        if (outage_.IsOver(opening_.asked, now_)) return call;
      }
      ++opening_.asked;
    }
    return 0;
  }
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
  absl::Duration Expects() const {
    return absl::FromChrono(outage_.expected_end() - now_);
  }

  std::shared_ptr<const Rules> rules_ = Rules::Of(ExactOptions());
  // Of the next opening.
  Outage::Opening opening_;
  MonotonicTime now_ = kStart;
  Outage outage_;
};

TEST_F(OutageTest, OpensForTheDuration) {
  OpenFirst();
  EXPECT_EQ(Refuses(), absl::Seconds(5));
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

// -------------------------------------------------------------- By calls

class PacedOutageTest : public OutageTest {
 protected:
  PacedOutageTest() {
    SetOptions(PacedOptions());
    opening_.asked = 1'000'000;  // long before
  }
  bool IsOver(uint64_t more) const {
    return outage_.IsOver(opening_.asked + more, now_);
  }
};

TEST_F(PacedOutageTest, IsOverOnceSoManyCallsWereAskedFor) {
  OpenFirst();
  Wait(absl::Milliseconds(100));
  EXPECT_FALSE(IsOver(9));
  EXPECT_TRUE(IsOver(10));
}

TEST_F(PacedOutageTest, IsNotOverBeforeTheShortestTimeHoweverManyCall) {
  OpenFirst();
  Wait(absl::Milliseconds(100) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(1'000'000'000));
  Wait(absl::Nanoseconds(1));
  EXPECT_TRUE(IsOver(1'000'000'000));
}

TEST_F(PacedOutageTest, IsOverAfterTheLongestTimeHoweverFewCall) {
  OpenFirst();
  Wait(absl::Seconds(60) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(0));
  Wait(absl::Nanoseconds(1));
  EXPECT_TRUE(IsOver(0));
}

TEST_F(PacedOutageTest, IsOverByTimeAloneWithoutPacing) {
  SetOptions(ExactOptions());
  OpenFirst();
  Wait(absl::Seconds(5) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(1'000'000'000));
  Wait(absl::Nanoseconds(1));
  EXPECT_TRUE(IsOver(0));
}

TEST_F(PacedOutageTest, JitterShortensTimesAndCalls) {
  BreakerOptions options = PacedOptions();
  options.open.duration_jitter = 0.2;
  SetOptions(options);
  opening_.random = 0.5;
  OpenFirst();
  Wait(absl::Milliseconds(90) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(9));
  Wait(absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(8));
  EXPECT_TRUE(IsOver(9));
  Wait(absl::Seconds(54) - absl::Milliseconds(90));
  EXPECT_TRUE(IsOver(0));
}

TEST_F(PacedOutageTest, CallsCannotEndTheTimeTheServerAskedFor) {
  opening_.at_least = absl::Seconds(7);
  OpenFirst();
  Wait(absl::Seconds(7) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(1'000'000));
  Wait(absl::Nanoseconds(1));
  EXPECT_TRUE(IsOver(1'000'000));
}

TEST_F(PacedOutageTest, LaterOpenTimeIsTwiceTheRootOfTheCallsOfTheOutage) {
  OpenFirst();
  for (const uint64_t more : {100, 2'400, 7'500}) {
    Wait(absl::Seconds(1));
    opening_.asked += more;
    OpenAgain();
    const auto calls = static_cast<uint64_t>(
        2 * std::sqrt(static_cast<double>(opening_.asked - 1'000'000)));
    Wait(absl::Seconds(1));
    EXPECT_FALSE(IsOver(calls - 1)) << calls;
    EXPECT_TRUE(IsOver(calls)) << calls;
  }
}

TEST_F(PacedOutageTest, CallsBeforeTheOutageDoNotCount) {
  opening_.asked = 1'000'000'000;
  OpenFirst();
  OpenAgain();
  Wait(absl::Milliseconds(100));
  EXPECT_TRUE(IsOver(10));
}

// --------------------------------------------------------------- The look

TEST_F(PacedOutageTest, NobodyLooksBeforeTheShortestTime) {
  OpenFirst();
  EXPECT_EQ(Refuses(), absl::Milliseconds(100));
  outage_.NoteAsked(opening_.asked, now_);
  EXPECT_EQ(Refuses(), absl::Milliseconds(100));
}

TEST_F(PacedOutageTest, CallsLookAtMostOnceAMillisecond) {
  BreakerOptions options = PacedOptions();
  options.open.pace_by_calls->probe_share = 1e-9;
  SetOptions(options);
  OpenFirst();
  Wait(absl::Milliseconds(100));
  int looked = 0;
  Call(100'000, absl::Seconds(1), &looked);
  EXPECT_LE(looked, 1001);
  EXPECT_GE(looked, 990);
}

TEST_F(PacedOutageTest, EachRareCallLooks) {
  OpenFirst();
  Wait(absl::Milliseconds(100));
  int looked = 0;
  Call(8, absl::Seconds(8), &looked);
  EXPECT_EQ(looked, 8);
}

TEST_F(PacedOutageTest, LookIsNeverPutOffBeyondTheLongestTime) {
  OpenFirst();
  Wait(absl::Seconds(60) - absl::Microseconds(300));
  outage_.NoteAsked(opening_.asked, now_);
  EXPECT_EQ(Refuses(), absl::Microseconds(300));
}

TEST_F(PacedOutageTest, CallThatFindsItOverPutsNothingOff) {
  OpenFirst();
  Wait(absl::Milliseconds(150));
  outage_.NoteAsked(opening_.asked + 10, now_);
  EXPECT_EQ(Refuses(), absl::Milliseconds(-50));
}

// ---------------------------------------------------------- Expected end

TEST_F(PacedOutageTest, ExpectsCallsAtTheRateOfTheWindow) {
  const struct {
    uint64_t finished;
    absl::Duration window_time;
    absl::Duration expects;
  } kRows[] = {
      // Ten calls at the rate of the window.
      {20, absl::Seconds(10), absl::Seconds(5)},
      {100, absl::Seconds(10), absl::Seconds(1)},
      {100, absl::Seconds(20), absl::Seconds(2)},
      // Never shorter than the shortest, and never longer than the longest.
      {1'000'000, absl::Seconds(10), absl::Milliseconds(100)},
      {1, absl::Seconds(10), absl::Seconds(60)},
      {0, absl::Seconds(10), absl::Seconds(60)},
      {20, absl::ZeroDuration(), absl::Milliseconds(100)},
  };
  for (const auto& row : kRows) {
    OpenFirst(Counts(row.finished / 2, row.finished - row.finished / 2),
              row.window_time);
    EXPECT_EQ(Expects(), row.expects)
        << row.finished << " in " << row.window_time;
  }
}

TEST_F(PacedOutageTest, ExpectsCallsAsTheyCameSinceItOpened) {
  OpenFirst();
  Wait(absl::Seconds(2));
  outage_.NoteAsked(opening_.asked + 4, now_);  // two a second
  EXPECT_EQ(Expects(), absl::Seconds(3));
}

TEST_F(PacedOutageTest, ExpectsLaterCallsAsTheyCameSinceTheLastOpening) {
  OpenFirst();
  Wait(absl::Seconds(1));
  opening_.asked += 12;
  OpenAgain();
  Wait(absl::Seconds(2));
  opening_.asked += 8;  // four a second
  OpenAgain();
  EXPECT_EQ(Expects(), absl::Milliseconds(2500));
}

TEST_F(PacedOutageTest, ExpectsTheShortestTimeOnceThereWereEnoughCalls) {
  OpenFirst();
  Wait(absl::Milliseconds(30));
  outage_.NoteAsked(opening_.asked + 10, now_);
  EXPECT_EQ(Expects(), absl::Milliseconds(70));
}

TEST_F(PacedOutageTest, NeverExpectsAnEndBeforeItMayBe) {
  OpenFirst();
  for (int ms = 0; ms < 60'000; ms += 7) {
    Wait(absl::Milliseconds(7));
    outage_.NoteAsked(opening_.asked + ms / 7'000, now_);
    ASSERT_GE(outage_.expected_end(), outage_.refuse_until()) << ms;
    ASSERT_EQ(outage_.expected_end(),
              outage_.ExpectedEnd(opening_.asked + ms / 7'000, now_));
  }
}

// ------------------------------------------------------------- Field reports

// The rate of calls and what was before decide nothing: the k-th probe goes
// out after k * k to (k + 3) * (k + 3) calls, since the first three open times
// are ten calls each.
TEST_F(PacedOutageTest, ProbeOfNumberKGoesOutAfterAboutKTimesKCalls) {
  const struct {
    absl::Duration apart;
    absl::Duration window_time;  // of 20 calls before
  } kRows[] = {
      {absl::Milliseconds(100), absl::Seconds(2)},
      {absl::Milliseconds(100), absl::Hours(1)},
      {absl::Milliseconds(20), absl::Nanoseconds(1)},
      {absl::Seconds(1), absl::Seconds(20)},
  };
  for (const auto& row : kRows) {
    opening_.asked += 12'345;
    OpenFirst(Counts(0, 20), row.window_time);
    const uint64_t start = opening_.asked;
    for (int k = 1; k <= 20; ++k) {
      ASSERT_NE(Call(1'000, row.apart * 1'000), 0);
      ++opening_.asked;  // the probe
      const auto refused = static_cast<double>(opening_.asked - start);
      EXPECT_GE(refused, k * k) << k;
      EXPECT_LE(refused, (k + 3) * (k + 3)) << k;
      BecomeHalfOpen();
      OpenAgain();
    }
  }
}

// Idle time never makes an open time longer, nor do more calls go by. It is
// put in at each place where a client may fall silent.
TEST_F(PacedOutageTest, SilenceNeverMakesAnOpenTimeLonger) {
  enum class Silence { kNone, kBefore, kWhileOpen, kHalfOpen, kReopening };
  std::vector<uint64_t> refused_without;
  for (const Silence silence :
       {Silence::kNone, Silence::kBefore, Silence::kWhileOpen,
        Silence::kHalfOpen, Silence::kReopening}) {
    SetOptions(PacedOptions());
    OpenFirst(Counts(0, 20),
              silence == Silence::kBefore ? absl::Hours(1) : absl::Seconds(1));
    std::vector<uint64_t> refused;
    for (int k = 0; k < 10; ++k) {
      uint64_t first = 0;
      if (silence == Silence::kWhileOpen) {
        first = Call(3, absl::Milliseconds(60));
        ASSERT_EQ(first, 0);
        first = 3;
        Wait(absl::Seconds(15));
      }
      refused.push_back(first + Call(1'000, absl::Seconds(20)));
      ++opening_.asked;  // the probe
      if (silence == Silence::kHalfOpen) Wait(absl::Seconds(15));
      BecomeHalfOpen();
      if (silence == Silence::kReopening) Wait(absl::Seconds(15));
      OpenAgain();
    }
    if (silence == Silence::kNone) refused_without = refused;
    EXPECT_EQ(refused, refused_without) << static_cast<int>(silence);
  }
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

TEST_F(OutageTest, OtherRulesKeepReopeningsCallsAndJitter) {
  OpenFirst();
  WaitAndBecomeHalfOpen();
  opening_ = {/*asked=*/2500, /*at_least=*/absl::ZeroDuration(),
              /*random=*/0.5};
  OpenAgain();  // 500 calls a second

  BreakerOptions reopened = ExactOptions();
  reopened.open.duration_multiplier = 3;
  ReplaceRules(reopened);
  EXPECT_EQ(Refuses(), absl::Seconds(15));

  BreakerOptions jittered = ExactOptions();
  jittered.open.duration_jitter = 0.2;
  ReplaceRules(jittered);
  EXPECT_EQ(Refuses(), absl::Seconds(9));

  ReplaceRules(PacedOptions());
  EXPECT_EQ(Expects(), absl::Milliseconds(200));  // for 2 sqrt(2500) calls
}

TEST_F(OutageTest, OtherRulesWhileHalfOpenLetTheNextCallAsk) {
  BreakerOptions options = ExactOptions();
  options.half_open.max_calls = 1;
  SetOptions(options);
  OpenFirst();
  WaitAndBecomeHalfOpen();
  outage_.half_open()->TakeProbe(*rules_, opening_.asked, now_);
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
    const uint64_t probe =
        half_open->TakeProbe(*rules_, opening_.asked, now_).probe;
    half_open->TakeProbe(*rules_, opening_.asked, now_);
    half_open->EndProbe(*rules_, probe, /*failed=*/false, /*slow=*/false, now_);
    EXPECT_EQ(half_open->in_flight(now_), 1);
    EXPECT_EQ(half_open->successes(), 1);
    OpenAgain();
  }
}

TEST_F(OutageTest, RampCountsCallsFromWhenHalfOpenBegan) {
  BreakerOptions options = PacedOptions();
  options.trip.evidence = EvidenceOptions();
  options.half_open.successes_to_close.reset();
  SetOptions(options);
  opening_.asked = 1'000'000;
  OpenFirst();
  opening_.asked += 500;
  Wait(absl::Seconds(1));
  BecomeHalfOpen();
  const auto take = [&](uint64_t more) {
    return outage_.half_open()
        ->TakeProbe(*rules_, opening_.asked + more, now_)
        .probe;
  };
  EXPECT_NE(take(0), ProbeLeases::kNoProbe);
  Wait(absl::Seconds(1));
  EXPECT_EQ(take(9), ProbeLeases::kNoProbe);
  EXPECT_NE(take(10), ProbeLeases::kNoProbe);
}

TEST_F(OutageTest, RampIsPacedByTheOpenTimeAndNotByHowLongItLasted) {
  BreakerOptions options = ExactOptions();
  options.trip.evidence = EvidenceOptions();
  options.half_open.successes_to_close.reset();
  SetOptions(options);
  OpenFirst();
  Wait(absl::Hours(1));  // nobody calls
  BecomeHalfOpen();
  EXPECT_NE(outage_.half_open()->TakeProbe(*rules_, opening_.asked, now_).probe,
            ProbeLeases::kNoProbe);
  EXPECT_EQ(Refuses(), absl::Seconds(5));
}

}  // namespace
}  // namespace autobreaker
