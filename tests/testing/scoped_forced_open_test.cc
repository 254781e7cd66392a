#include "autobreaker/testing/scoped_forced_open.h"

#include "absl/time/time.h"
#include "autobreaker/testing/matchers.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

class ScopedForcedOpenTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  std::shared_ptr<CircuitBreaker> breaker_ = [this] {
    auto instruments = std::make_shared<Instruments>();
    instruments->clock = &clock_;
    return CircuitBreaker::Create({"shop"}, ExactOptions(), instruments)
        .value();
  }();
};

TEST_F(ScopedForcedOpenTest, RefusesCallsAsLongAsItLives) {
  const ScopedForcedOpen outage(breaker_);
  EXPECT_THAT(breaker_, IsOpen());
  clock_.Advance(absl::Hours(1000));
  EXPECT_FALSE(breaker_->TryAcquire());
}

TEST_F(ScopedForcedOpenTest, LeavesAClosedBreakerClosed) {
  { const ScopedForcedOpen outage(breaker_); }
  EXPECT_THAT(breaker_, IsClosed());
  EXPECT_EQ(breaker_->Snapshot().mode, Mode::kAutomatic);
}

TEST_F(ScopedForcedOpenTest, PutsTheModeBackAndTheTimeItLasts) {
  breaker_->SetMode(Mode::kShadow, absl::Minutes(5));
  { const ScopedForcedOpen outage(breaker_); }
  EXPECT_EQ(breaker_->Snapshot().mode, Mode::kShadow);
  EXPECT_EQ(breaker_->Snapshot().mode_remaining, absl::Minutes(5));
}

TEST_F(ScopedForcedOpenTest, MayBeNested) {
  const ScopedForcedOpen outer(breaker_);
  { const ScopedForcedOpen inner(breaker_); }
  EXPECT_THAT(breaker_, IsOpen());
}

}  // namespace
}  // namespace autobreaker
