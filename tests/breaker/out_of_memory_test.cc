// A breaker survives any allocation that fails: what could not be done is not
// done by half, and is done the next time.
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <utility>

#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/support/allocation_count.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

struct Breaker {
  Breaker() {
    auto instruments = std::make_shared<Instruments>();
    instruments->clock = &clock;
    instruments->on_transition = [this](const Transition&) { ++transitions; };
    // Too long for any string to keep in itself.
    breaker = CircuitBreaker::Create({"a name that needs memory of its own",
                                      "a service that needs some as well", ""},
                                     ExactOptions(), std::move(instruments))
                  .value();
  }

  void Finish(Outcome outcome, int count) {
    for (int i = 0; i < count; ++i) breaker->TryAcquire().Record(outcome);
  }

  FakeClock clock;
  int transitions = 0;
  std::shared_ptr<CircuitBreaker> breaker;
};

// Does `act` to a breaker made by `prepare`, with each of its allocations
// failing in turn, then without that, and expects `expected` in the end.
void TryEachFailure(const std::function<void(Breaker&)>& prepare,
                    const std::function<void(Breaker&)>& act,
                    const std::function<void(Breaker&)>& expected) {
  int64_t failing = 0;
  for (bool failed = true; failed; ++failing) {
    SCOPED_TRACE(failing);
    Breaker b;
    prepare(b);
    FailAllocationOfThisThread(failing);
    try {
      act(b);
    } catch (const std::bad_alloc&) {
    }
    failed = AllocationFailed();
    FailNoAllocationOfThisThread();
    EXPECT_TRUE(Adds(b.breaker->Snapshot()));
    act(b);
    expected(b);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(failing, 1) << "nothing was allocated";
}

TEST(OutOfMemory, AFailureTripsThatCould) {
  TryEachFailure([](Breaker& b) { b.Finish(Outcome::kFailure, 19); },
                 [](Breaker& b) {
                   if (b.breaker->Snapshot().state == State::kClosed) {
                     b.Finish(Outcome::kFailure, 1);
                   }
                 },
                 [](Breaker& b) {
                   const BreakerSnapshot s = b.breaker->Snapshot();
                   EXPECT_EQ(s.state, State::kOpen);
                   EXPECT_EQ(Trips(s, TransitionReason::kFailureRate), 1);
                   EXPECT_EQ(s.late_results, 0);
                 });
}

TEST(OutOfMemory, AForcedOpeningHappensAsAWhole) {
  TryEachFailure([](Breaker&) {},
                 [](Breaker& b) { b.breaker->SetMode(Mode::kForcedOpen); },
                 [](Breaker& b) {
                   const BreakerSnapshot s = b.breaker->Snapshot();
                   EXPECT_EQ(s.mode, Mode::kForcedOpen);
                   EXPECT_EQ(s.state, State::kOpen);
                   b.breaker->FlushTransitions();
                   EXPECT_EQ(b.transitions, 1);
                 });
}

TEST(OutOfMemory, AnOpenBreakerStillBecomesHalfOpen) {
  TryEachFailure(
      [](Breaker& b) {
        b.Finish(Outcome::kFailure, 20);
        b.clock.Advance(absl::Seconds(5));
      },
      [](Breaker& b) { b.breaker->TryAcquire(); },
      [](Breaker& b) {
        EXPECT_EQ(b.breaker->Snapshot().state, State::kHalfOpen);
        b.breaker->FlushTransitions();
        EXPECT_EQ(b.transitions, 2);
      });
}

TEST(OutOfMemory, ACapIsSetAsAWhole) {
  TryEachFailure([](Breaker&) {},
                 [](Breaker& b) {
                   BreakerOptions options = ExactOptions();
                   options.max_calls_in_flight = 1;
                   EXPECT_TRUE(b.breaker->UpdateOptions(options).ok());
                 },
                 [](Breaker& b) {
                   const Permit call = b.breaker->TryAcquire();
                   EXPECT_TRUE(call);
                   EXPECT_FALSE(b.breaker->TryAcquire());
                 });
}

// Called inside of an application's call, which is no place to throw.
TEST(OutOfMemory, ASuccessIsCountedAndThrowsNothing) {
  TryEachFailure(
      [](Breaker& b) {
        b.Finish(Outcome::kSuccess, 1);
        b.clock.Advance(absl::Seconds(1));
      },
      [](Breaker& b) { EXPECT_NO_THROW(b.Finish(Outcome::kSuccess, 1)); },
      [](Breaker& b) { EXPECT_EQ(b.breaker->Snapshot().successes, 3); });
}

}  // namespace
}  // namespace autobreaker
