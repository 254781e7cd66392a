#include "autobreaker/breaker/internal/durations.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using Buckets = std::vector<uint64_t>;

const std::vector<absl::Duration>& Bounds() {
  static const auto* const bounds = new std::vector<absl::Duration>(
      {absl::Milliseconds(10), absl::Milliseconds(100), absl::Seconds(1)});
  return *bounds;
}

uint64_t CallsIn(const BreakerSnapshot& snapshot) {
  uint64_t calls = 0;
  for (const DurationCounts& counts : snapshot.durations) {
    calls += std::accumulate(counts.buckets.begin(), counts.buckets.end(),
                             uint64_t{0});
  }
  return calls;
}

// ------------------------------------------------------ DurationHistogram

TEST(DurationHistogramTest, ABoundBelongsToTheBucketThatItEnds) {
  DurationHistogram histogram(&Bounds());
  for (const int ms : {0, 10, 11, 100, 101, 1000, 1001, 1'000'000}) {
    histogram.Add(State::kClosed, std::chrono::milliseconds(ms));
  }
  histogram.Add(State::kClosed, std::chrono::nanoseconds(10'000'001));
  EXPECT_EQ(histogram.Counts(State::kClosed).buckets, (Buckets{2, 3, 2, 2}));
}

TEST(DurationHistogramTest, StatesAreCountedApart) {
  DurationHistogram histogram(&Bounds());
  histogram.Add(State::kClosed, std::chrono::milliseconds(1));
  histogram.Add(State::kOpen, std::chrono::milliseconds(20));
  histogram.Add(State::kHalfOpen, std::chrono::seconds(2));
  EXPECT_EQ(histogram.Counts(State::kClosed).buckets, (Buckets{1, 0, 0, 0}));
  EXPECT_EQ(histogram.Counts(State::kOpen).buckets, (Buckets{0, 1, 0, 0}));
  EXPECT_EQ(histogram.Counts(State::kHalfOpen).buckets, (Buckets{0, 0, 0, 1}));
  EXPECT_DOUBLE_EQ(histogram.Counts(State::kOpen).sum_seconds, 0.02);
  EXPECT_DOUBLE_EQ(histogram.Counts(State::kHalfOpen).sum_seconds, 2);
}

TEST(DurationHistogramTest, AClockThatGoesBackTakesNothingFromTheSum) {
  DurationHistogram histogram(&Bounds());
  histogram.Add(State::kClosed, std::chrono::milliseconds(-1));
  EXPECT_EQ(histogram.Counts(State::kClosed).buckets, (Buckets{1, 0, 0, 0}));
  EXPECT_EQ(histogram.Counts(State::kClosed).sum_seconds, 0);
}

TEST(DurationHistogramTest, ShortCallsAddUpInTheSum) {
  DurationHistogram histogram(&Bounds());
  for (int i = 0; i < 1000; ++i) {
    histogram.Add(State::kClosed, std::chrono::nanoseconds(1499));
  }
  // To the nearest 100 ns each.
  EXPECT_DOUBLE_EQ(histogram.Counts(State::kClosed).sum_seconds, 0.0015);
}

// ------------------------------------------------------ In the breaker

// Counts how often either clock is read.
class CountingClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    exact.fetch_add(1);
    return fake.Now();
  }
  MonotonicTime CoarseNow() const override {
    coarse.fetch_add(1);
    return fake.CoarseNow();
  }
  absl::Time WallNow() const override { return fake.WallNow(); }

  FakeClock fake;
  mutable std::atomic<int> exact{0};
  mutable std::atomic<int> coarse{0};
};

class RecordedDurationsTest : public testing::Test {
 protected:
  explicit RecordedDurationsTest(
      std::vector<absl::Duration> buckets = Bounds()) {
    BreakerOptions options = ExactOptions();
    options.half_open.successes_to_close = 100;
    auto instruments = std::make_shared<Instruments>();
    instruments->clock = &clock_;
    instruments->duration_buckets = std::move(buckets);
    breaker_ = CircuitBreaker::Create({"test"}, options, std::move(instruments))
                   .value();
  }

  void Call(Outcome outcome, absl::Duration taken) {
    Permit permit = breaker_->TryAcquire();
    ASSERT_TRUE(permit);
    clock_.fake.Advance(taken);
    permit.Record(outcome);
  }
  void Trip() {
    for (int i = 0; i < 20; ++i) Call(Outcome::kFailure, absl::ZeroDuration());
    ASSERT_EQ(breaker_->Snapshot().state, State::kOpen);
  }
  DurationCounts AdmittedIn(State state) {
    return breaker_->Snapshot().durations[static_cast<int>(state)];
  }

  CountingClock clock_;
  std::shared_ptr<CircuitBreaker> breaker_;
};

TEST_F(RecordedDurationsTest, HaveSuccessesAndFailures) {
  Call(Outcome::kSuccess, absl::Milliseconds(5));
  Call(Outcome::kFailure, absl::Milliseconds(50));
  const DurationCounts counts = AdmittedIn(State::kClosed);
  EXPECT_EQ(counts.buckets, (Buckets{1, 1, 0, 0}));
  EXPECT_DOUBLE_EQ(counts.sum_seconds, 0.055);
}

TEST_F(RecordedDurationsTest, LeaveOutWhatSaysNothingOfTheServer) {
  Call(Outcome::kIgnored, absl::Milliseconds(5));
  Call(Outcome::kAbandoned, absl::Milliseconds(5));
  EXPECT_EQ(AdmittedIn(State::kClosed).buckets, (Buckets{0, 0, 0, 0}));
}

TEST_F(RecordedDurationsTest, ProbesBelongToHalfOpen) {
  Trip();
  clock_.fake.Advance(breaker_->Snapshot().open_remaining);
  Call(Outcome::kSuccess, absl::Milliseconds(50));
  EXPECT_EQ(AdmittedIn(State::kHalfOpen).buckets, (Buckets{0, 1, 0, 0}));
}

TEST_F(RecordedDurationsTest, CallsThatShadowModeLetsThroughBelongToOpen) {
  breaker_->SetMode(Mode::kShadow);
  Trip();
  Call(Outcome::kSuccess, absl::Milliseconds(50));
  EXPECT_EQ(AdmittedIn(State::kOpen).buckets, (Buckets{0, 1, 0, 0}));
}

TEST_F(RecordedDurationsTest, LateResultsBelongToTheStateThatAdmittedThem) {
  Permit late = breaker_->TryAcquire();
  Trip();
  clock_.fake.Advance(absl::Milliseconds(50));
  late.Record(Outcome::kSuccess);
  EXPECT_EQ(AdmittedIn(State::kClosed).buckets, (Buckets{20, 1, 0, 0}));
  EXPECT_EQ(AdmittedIn(State::kOpen).buckets, (Buckets{0, 0, 0, 0}));
}

TEST_F(RecordedDurationsTest, SurviveAnUpdateOfTheOptions) {
  Call(Outcome::kSuccess, absl::Milliseconds(5));
  BreakerOptions options = SlowCallOptions();
  ASSERT_TRUE(breaker_->UpdateOptions(options).ok());
  Call(Outcome::kSuccess, absl::Milliseconds(5));
  options.trip.slow_call_duration.reset();
  options.trip.slow_call_rate_threshold.reset();
  ASSERT_TRUE(breaker_->UpdateOptions(options).ok());
  Call(Outcome::kSuccess, absl::Milliseconds(5));
  EXPECT_EQ(AdmittedIn(State::kClosed).buckets, (Buckets{3, 0, 0, 0}));
}

TEST_F(RecordedDurationsTest, CostACallTwoExactReadsInsteadOfOneCoarse) {
  clock_.exact = 0;
  clock_.coarse = 0;
  Call(Outcome::kSuccess, absl::ZeroDuration());
  EXPECT_EQ(clock_.exact, 2);
  EXPECT_EQ(clock_.coarse, 0);
}

// Every call seen finished is in a bucket, whatever the threads are at.
TEST_F(RecordedDurationsTest, HaveEveryFinishedCallUnderThreads) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 20'000;
  std::atomic<int> running{kThreads};
  RunThreads(kThreads + 1, [this, &running](int thread) {
    if (thread < kThreads) {
      for (int i = 0; i < kRounds; ++i) {
        breaker_->TryAcquire().Record(Outcome::kSuccess);
      }
      running.fetch_sub(1);
      return;
    }
    while (running.load() > 0) {
      const BreakerSnapshot snapshot = breaker_->Snapshot();
      ASSERT_GE(CallsIn(snapshot), snapshot.successes + snapshot.failures);
    }
  });
  EXPECT_EQ(CallsIn(breaker_->Snapshot()), uint64_t{kThreads} * kRounds);
}

class UnrecordedDurationsTest : public RecordedDurationsTest {
 protected:
  UnrecordedDurationsTest() : RecordedDurationsTest({}) {}
};

TEST_F(UnrecordedDurationsTest, AreNotThere) {
  Call(Outcome::kSuccess, absl::Milliseconds(5));
  EXPECT_TRUE(AdmittedIn(State::kClosed).buckets.empty());
}

TEST_F(UnrecordedDurationsTest, CostNoExactReadOfTheClock) {
  clock_.exact = 0;
  clock_.coarse = 0;
  Call(Outcome::kSuccess, absl::ZeroDuration());
  EXPECT_EQ(clock_.exact, 0);
  EXPECT_EQ(clock_.coarse, 1);
}

}  // namespace
}  // namespace autobreaker
