// Options that change under a breaker at work.
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;

class UpdateOptionsTest : public ::testing::Test {
 protected:
  // Puts `options_` in force.
  void Update() { ASSERT_TRUE(breaker_->UpdateOptions(options_).ok()); }

  BreakerOptions options_ = ExactOptions();
  TestBreaker breaker_;
};

TEST_F(UpdateOptionsTest, PutsAllInForce) {
  options_ = SlowCallOptions();
  options_.trip.minimum_calls = 7;
  options_.half_open.max_calls = 9;
  Update();
  EXPECT_TRUE(breaker_->options() == options_);
  EXPECT_TRUE(breaker_.Snapshot().options == options_);
}

TEST_F(UpdateOptionsTest, InvalidOptionsChangeNothing) {
  breaker_.Fail(5);
  BreakerOptions invalid = RateOptions();
  invalid.trip.minimum_calls = 0;
  invalid.trip.window = absl::Seconds(1);
  const absl::Status status = breaker_->UpdateOptions(invalid);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("trip.minimum_calls is 0"));
  EXPECT_TRUE(breaker_->options() == ExactOptions());
  EXPECT_EQ(breaker_.Snapshot().window, Counts(0, 5));
}

TEST_F(UpdateOptionsTest, FunctionChangesSomeOfThoseInForce) {
  const absl::Status status =
      breaker_->UpdateOptions([](BreakerOptions* options) {
        options->trip.minimum_calls = 7;
        return absl::OkStatus();
      });
  ASSERT_TRUE(status.ok()) << status;
  options_.trip.minimum_calls = 7;
  EXPECT_TRUE(breaker_->options() == options_);
}

TEST_F(UpdateOptionsTest, ErrorOfTheFunctionChangesNothing) {
  const absl::Status status =
      breaker_->UpdateOptions([](BreakerOptions* options) {
        options->trip.minimum_calls = 7;
        return absl::NotFoundError("no such field");
      });
  EXPECT_EQ(status, absl::NotFoundError("no such field"));
  EXPECT_TRUE(breaker_->options() == ExactOptions());
}

TEST_F(UpdateOptionsTest, OptionsOfTheFunctionThatAreInvalidChangeNothing) {
  const absl::Status status =
      breaker_->UpdateOptions([](BreakerOptions* options) {
        options->trip.minimum_calls = 0;
        return absl::OkStatus();
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(breaker_->options() == ExactOptions());
}

TEST_F(UpdateOptionsTest, FunctionsOfTwoThreadsLoseNoChange) {
  constexpr int kRounds = 2000;
  const int64_t first = breaker_->options().trip.minimum_calls;
  const int64_t first_probes = breaker_->options().half_open.max_calls;
  std::thread other([this] {
    for (int i = 0; i < kRounds; ++i) {
      breaker_
          ->UpdateOptions([](BreakerOptions* options) {
            ++options->trip.minimum_calls;
            return absl::OkStatus();
          })
          .IgnoreError();
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    breaker_
        ->UpdateOptions([](BreakerOptions* options) {
          ++options->half_open.max_calls;
          return absl::OkStatus();
        })
        .IgnoreError();
  }
  other.join();
  EXPECT_EQ(breaker_->options().trip.minimum_calls, first + kRounds);
  EXPECT_EQ(breaker_->options().half_open.max_calls, first_probes + kRounds);
}

TEST_F(UpdateOptionsTest, KeepsStateAndCounts) {
  breaker_.Succeed(3);
  breaker_.Trip();
  const BreakerSnapshot before = breaker_.Snapshot();
  options_.trip.minimum_calls = 5;
  Update();
  const BreakerSnapshot after = breaker_.Snapshot();
  EXPECT_EQ(after.state, State::kOpen);
  EXPECT_EQ(after.successes, before.successes);
  EXPECT_EQ(after.failures, before.failures);
  EXPECT_EQ(after.transitions, before.transitions);
  EXPECT_EQ(after.window, before.window);
}

TEST_F(UpdateOptionsTest, KeepsTheWindowIfItsShapeIsTheSame) {
  breaker_.Fail(10);
  options_.trip.minimum_calls = 30;
  Update();
  EXPECT_EQ(breaker_.Snapshot().window, Counts(0, 10));
}

TEST_F(UpdateOptionsTest, OtherLengthRestartsTheWindow) {
  breaker_.Fail(10);
  options_.trip.window = absl::Seconds(20);
  Update();
  EXPECT_EQ(breaker_.Snapshot().window, Counts(0, 0));
}

TEST_F(UpdateOptionsTest, OtherBucketsRestartTheWindow) {
  breaker_.Fail(10);
  options_.trip.window_buckets = 5;
  Update();
  EXPECT_EQ(breaker_.Snapshot().window, Counts(0, 0));
}

TEST_F(UpdateOptionsTest, NewLengthApplies) {
  options_.trip.window = absl::Seconds(20);
  Update();
  breaker_.Fail(10);
  breaker_.clock().Advance(absl::Seconds(20));
  EXPECT_EQ(breaker_.Snapshot().window, Counts(0, 10));
  breaker_.clock().Advance(absl::Seconds(2));
  EXPECT_EQ(breaker_.Snapshot().window, Counts(0, 0));
}

TEST_F(UpdateOptionsTest, RestartOfTheWindowKeepsTheRowOfFailures) {
  breaker_.Fail(10);
  options_.trip.window = absl::Seconds(20);
  options_.trip.consecutive_failures = 11;
  Update();
  EXPECT_EQ(breaker_.Snapshot().consecutive_failures, 10);
  breaker_.Fail();
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(UpdateOptionsTest, DoesNotTripByItself) {
  breaker_.Fail(19);
  options_.trip.minimum_calls = 5;
  Update();
  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_TRUE(breaker_.Snapshot().will_trip_next);
  breaker_.Succeed();
  EXPECT_EQ(breaker_.state(), State::kClosed);
  breaker_.Fail();
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(UpdateOptionsTest, HigherThresholdAppliesToTheNextFailure) {
  breaker_.Succeed(10);
  breaker_.Fail(9);
  options_.trip.failure_rate_threshold = 0.5;
  Update();
  breaker_.Fail();
  EXPECT_EQ(breaker_.state(), State::kClosed);
  breaker_.Fail();
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

// ---------------------------------------------------------------- Open times

TEST_F(UpdateOptionsTest, LongerOpenDurationProlongsAnOpenBreaker) {
  breaker_.Trip();
  breaker_.clock().Advance(absl::Seconds(2));
  options_.open.duration = absl::Seconds(30);
  Update();
  EXPECT_EQ(breaker_.Snapshot().open_remaining, absl::Seconds(28));
  EXPECT_EQ(breaker_.Refused().retry_after, absl::Seconds(28));
}

TEST_F(UpdateOptionsTest, ShorterOpenDurationShortensAnOpenBreaker) {
  breaker_.Trip();
  options_.open.duration = absl::Seconds(1);
  Update();
  EXPECT_EQ(breaker_.Snapshot().open_remaining, absl::Seconds(1));
}

TEST_F(UpdateOptionsTest, OpenDurationThatIsOverHalfOpens) {
  breaker_.Trip();
  breaker_.clock().Advance(absl::Seconds(4));
  options_.open.duration = absl::Seconds(3);
  Update();
  EXPECT_TRUE(breaker_.Acquire());
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
}

TEST_F(UpdateOptionsTest, MultiplierAndMaximumRetimeAReopenedBreaker) {
  breaker_.TripAndWaitForProbes();
  breaker_.Fail();
  options_.open.duration_multiplier = 4;
  Update();
  EXPECT_EQ(breaker_.Snapshot().open_remaining, absl::Seconds(20));
  options_.open.duration_max = absl::Seconds(15);
  Update();
  EXPECT_EQ(breaker_.Snapshot().open_remaining, absl::Seconds(15));
}

TEST_F(UpdateOptionsTest, OtherOptionsDoNotRetimeAnOpenBreaker) {
  options_.open.duration_jitter = 0.5;
  Update();
  breaker_.Trip();
  const absl::Duration remaining = breaker_.Snapshot().open_remaining;
  for (int64_t minimum_calls = 1; minimum_calls < 10; ++minimum_calls) {
    options_.trip.minimum_calls = minimum_calls;
    options_.trip.window = absl::Seconds(minimum_calls);
    Update();
    EXPECT_EQ(breaker_.Snapshot().open_remaining, remaining);
  }
}

TEST_F(UpdateOptionsTest, RetimingDrawsNoOtherJitter) {
  options_.open.duration_jitter = 0.5;
  Update();
  breaker_.Trip();
  const absl::Duration first = breaker_.Snapshot().open_remaining;
  options_.open.duration = absl::Seconds(10);
  Update();
  const absl::Duration second = breaker_.Snapshot().open_remaining;
  EXPECT_LE(absl::AbsDuration(second - 2 * first), absl::Nanoseconds(2));
}

// ----------------------------------------------------------------- Half-open

TEST_F(UpdateOptionsTest, MoreProbesAreAdmittedAtOnce) {
  breaker_.TripAndWaitForProbes();
  const std::vector<Permit> probes = breaker_.Acquire(3);
  breaker_.Refused();
  options_.half_open.max_calls = 5;
  Update();
  const std::vector<Permit> more = breaker_.Acquire(2);
  breaker_.Refused();
}

TEST_F(UpdateOptionsTest, FewerProbesApplyOnceTheOthersAreSettled) {
  breaker_.TripAndWaitForProbes();
  std::vector<Permit> probes = breaker_.Acquire(3);
  options_.half_open.max_calls = 1;
  Update();
  for (Permit& probe : probes) {
    breaker_.Refused();
    probe.Record(Outcome::kIgnored);
  }
  const Permit probe = breaker_.Acquire();
  breaker_.Refused();
}

TEST_F(UpdateOptionsTest, FewerProbesApplyOnceTheirLeasesEnd) {
  breaker_.TripAndWaitForProbes();
  std::vector<Permit> probes;
  for (int i = 0; i < 3; ++i) {
    probes.push_back(breaker_.Acquire());
    breaker_.clock().Advance(absl::Seconds(10));
  }
  options_.half_open.max_calls = 1;
  Update();
  breaker_.clock().Advance(absl::Seconds(49));
  breaker_.Refused();  // two leases are left
  breaker_.clock().Advance(absl::Seconds(1));
  EXPECT_TRUE(breaker_.Acquire());
}

TEST_F(UpdateOptionsTest, FewerSuccessesCloseWithTheNext) {
  breaker_.TripAndWaitForProbes();
  breaker_.Succeed(2);
  options_.half_open.successes_to_close = 1;
  Update();
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  breaker_.Succeed();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(UpdateOptionsTest, NewLeaseAppliesToNewProbes) {
  options_.half_open.max_calls = 1;
  Update();
  breaker_.TripAndWaitForProbes();
  const Permit probe = breaker_.Acquire();
  options_.half_open.lease = absl::Seconds(1);
  Update();
  breaker_.clock().Advance(absl::Seconds(59));
  breaker_.Refused();
  breaker_.clock().Advance(absl::Seconds(1));
  const Permit next = breaker_.Acquire();
  breaker_.clock().Advance(absl::Seconds(1));
  EXPECT_TRUE(breaker_.Acquire());
}

// ---------------------------------------------------------------- Slow calls

TEST_F(UpdateOptionsTest, CallsAreTimedFromNowOn) {
  Permit untimed = breaker_.Acquire();
  options_ = SlowCallOptions();
  Update();
  breaker_.clock().Advance(absl::Seconds(1));
  untimed.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker_.Snapshot().slow_calls, 0);
  breaker_.Finish(Outcome::kSuccess, absl::Seconds(1));
  EXPECT_EQ(breaker_.Snapshot().slow_calls, 1);
}

TEST_F(UpdateOptionsTest, CallsAreNoLongerSlow) {
  options_ = SlowCallOptions();
  Update();
  Permit timed = breaker_.Acquire();
  options_ = ExactOptions();
  Update();
  breaker_.clock().Advance(absl::Seconds(1));
  timed.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker_.Snapshot().slow_calls, 0);
}

TEST_F(UpdateOptionsTest, SlowDurationInForceAtTheEndApplies) {
  options_ = SlowCallOptions();
  Update();
  Permit timed = breaker_.Acquire();
  options_.trip.slow_call_duration = absl::Seconds(3);
  Update();
  breaker_.clock().Advance(absl::Seconds(2));
  timed.Record(Outcome::kSuccess);
  EXPECT_EQ(breaker_.Snapshot().slow_calls, 0);
}

TEST_F(UpdateOptionsTest, CallsUnderWayAreNotLate) {
  Permit permit = breaker_.Acquire();
  options_.trip.window = absl::Seconds(20);
  Update();
  permit.Record(Outcome::kFailure);
  EXPECT_EQ(breaker_.Snapshot().late_results, 0);
  EXPECT_EQ(breaker_.Snapshot().window, Counts(0, 1));
}

}  // namespace
}  // namespace autobreaker
