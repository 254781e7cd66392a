// on_transition: when, in which order and with what it is called.
#include <atomic>
#include <cmath>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

std::string Text(const Transition& t) {
  return absl::StrCat(ToString(t.from), " to ", ToString(t.to), ": ",
                      ToString(t.reason));
}

class CallbacksTest : public ::testing::Test {
 protected:
  CallbacksTest()
      : breaker_(ExactOptions(), [this](const Transition& transition) {
          {
            const std::lock_guard<std::mutex> lock(mu_);
            seen_.push_back(transition);
          }
          if (then_) then_(transition);
        }) {}

  // What was told of all transitions before, and perhaps of those that a
  // callback made meanwhile.
  std::vector<Transition> Seen() {
    breaker_->FlushTransitions();
    const std::lock_guard<std::mutex> lock(mu_);
    return seen_;
  }

  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (const Transition& t : Seen()) texts.push_back(Text(t));
    return texts;
  }

  std::mutex mu_;
  std::vector<Transition> seen_;
  std::function<void(const Transition&)> then_;
  TestBreaker breaker_;
};

TEST_F(CallbacksTest, EveryTransitionIsToldInOrder) {
  breaker_.TripAndWaitForProbes();
  breaker_.Fail();
  breaker_.WaitForProbes();
  breaker_.Recover();
  breaker_->SetMode(Mode::kForcedOpen);
  breaker_->SetMode(Mode::kForcedClosed);
  const std::vector<std::string> expected = {
      "closed to open: failure_rate",
      "open to half_open: open_time_elapsed",
      "half_open to open: probe_failed",
      "open to half_open: open_time_elapsed",
      "half_open to closed: probes_succeeded",
      "closed to open: forced",
      "open to closed: forced",
  };
  EXPECT_EQ(Texts(), expected);
}

TEST_F(CallbacksTest, NothingIsToldWithoutATransition) {
  breaker_.Succeed(100);
  breaker_.Fail(3);
  breaker_->SetMode(Mode::kShadow);
  ASSERT_TRUE(breaker_->UpdateOptions(RateOptions()).ok());
  EXPECT_TRUE(Seen().empty());
}

TEST_F(CallbacksTest, TellsTheCountsFromBefore) {
  breaker_.Succeed(15);
  breaker_.Fail(5);
  ASSERT_EQ(Seen().size(), 1);
  EXPECT_EQ(seen_[0].window, Counts(15, 5));
  EXPECT_EQ(seen_[0].failure_rate, 0.25);
  EXPECT_EQ(seen_[0].consecutive_failures, 5);
}

TEST_F(CallbacksTest, TellsKeyTimeAndOpenTime) {
  breaker_.Trip();
  ASSERT_EQ(Seen().size(), 1);
  EXPECT_TRUE((seen_[0].key == BreakerKey{"test", "", ""}));
  EXPECT_EQ(seen_[0].time, breaker_.clock().WallNow());
  EXPECT_EQ(seen_[0].open_for, absl::Seconds(5));
}

TEST_F(CallbacksTest, TellsTheProbesOfHalfOpen) {
  breaker_.TripAndWaitForProbes();
  breaker_.Succeed(2);
  breaker_.Fail();
  EXPECT_EQ(Seen().back().window, Counts(2, 1));
}

TEST_F(CallbacksTest, EmptyWindowHasNoRate) {
  breaker_->SetMode(Mode::kForcedOpen);
  ASSERT_EQ(Seen().size(), 1);
  EXPECT_TRUE(std::isnan(seen_[0].failure_rate));
}

TEST_F(CallbacksTest, SnapshotFromInsideSeesTheNewState) {
  State state = State::kClosed;
  then_ = [&](const Transition&) { state = breaker_.state(); };
  breaker_.Fail(20);
  breaker_->FlushTransitions();
  EXPECT_EQ(state, State::kOpen);
}

TEST_F(CallbacksTest, HoldsUpNoCall) {
  std::promise<void> go_on;
  then_ = [hangs = go_on.get_future().share()](const Transition&) {
    hangs.wait();
  };
  breaker_.TripAndWaitForProbes();  // it returns, or this test never ends
  breaker_.Recover();
  go_on.set_value();
  EXPECT_EQ(Seen().size(), 3);
}

TEST_F(CallbacksTest, IsNotCalledInTheThreadOfTheCall) {
  std::thread::id thread;
  then_ = [&](const Transition&) { thread = std::this_thread::get_id(); };
  breaker_.Trip();
  breaker_->FlushTransitions();
  EXPECT_NE(thread, std::thread::id());
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST_F(CallbacksTest, MayUseEveryMethodOfTheBreaker) {
  then_ = [&](const Transition&) {
    breaker_->TryAcquire().Record(Outcome::kFailure);
    breaker_->UpdateOptions(breaker_->options()).IgnoreError();
    breaker_->Snapshot();
    breaker_->SetMode(breaker_->Snapshot().mode);
  };
  breaker_.TripAndWaitForProbes();
  breaker_->TryAcquire();
  breaker_->FlushTransitions();  // the first, which may take the probe
  EXPECT_GE(Seen().size(), 2);
}

TEST_F(CallbacksTest, TransitionFromInsideIsToldAfterwards) {
  int depth = 0;
  int deepest = 0;
  then_ = [&](const Transition& t) {
    deepest = std::max(deepest, ++depth);
    if (t.reason == TransitionReason::kFailureRate) {
      breaker_->SetMode(Mode::kForcedClosed);
    }
    --depth;
  };
  breaker_.Fail(20);
  breaker_->FlushTransitions();  // the first, which makes the second
  const std::vector<std::string> expected = {"closed to open: failure_rate",
                                             "open to closed: forced"};
  EXPECT_EQ(Texts(), expected);
  EXPECT_EQ(deepest, 1);
}

TEST_F(CallbacksTest, TransitionsFromInsideAreToldInOrder) {
  then_ = [&](const Transition& t) {
    if (t.reason != TransitionReason::kFailureRate) return;
    breaker_->SetMode(Mode::kForcedClosed);
    breaker_->SetMode(Mode::kForcedOpen);
    breaker_->SetMode(Mode::kAutomatic);
  };
  breaker_.Fail(20);
  breaker_->FlushTransitions();  // the first, which makes the others
  const std::vector<std::string> expected = {
      "closed to open: failure_rate", "open to closed: forced",
      "closed to open: forced", "open to half_open: forced"};
  EXPECT_EQ(Texts(), expected);
}

TEST_F(CallbacksTest, ExceptionsAreCountedAndDropped) {
  then_ = [](const Transition&) { throw std::runtime_error("no"); };
  breaker_.TripAndWaitForProbes();
  breaker_.Acquire();
  breaker_->FlushTransitions();
  EXPECT_EQ(breaker_.Snapshot().callback_exceptions, 2);
}

TEST_F(CallbacksTest, ThingsThatAreNoExceptionsAreDroppedToo) {
  then_ = [](const Transition&) { throw 7; };
  breaker_.Trip();
  breaker_->FlushTransitions();
  EXPECT_EQ(breaker_.Snapshot().callback_exceptions, 1);
}

TEST_F(CallbacksTest, ExceptionLosesNoLaterTransition) {
  then_ = [](const Transition&) { throw std::runtime_error("no"); };
  breaker_.TripAndWaitForProbes();
  breaker_.Recover();
  EXPECT_EQ(Seen().size(), 3);
}

// Every thread is free to use the breaker while one is in the callback.
TEST(CallbackThreadsTest, OtherThreadsGoOnDuringACallback) {
  std::atomic<bool> inside{false};
  std::atomic<bool> others_done{false};
  TestBreaker breaker(ExactOptions(), [&](const Transition&) {
    inside = true;
    while (!others_done) std::this_thread::yield();
  });
  RunThreads(2, [&](int t) {
    if (t == 0) {
      for (int i = 0; i < 20; ++i) {
        breaker->TryAcquire().Record(Outcome::kFailure);
      }
      return;
    }
    while (!inside) std::this_thread::yield();
    EXPECT_EQ(breaker->Snapshot().state, State::kOpen);
    EXPECT_FALSE(breaker->TryAcquire());
    breaker->SetMode(Mode::kForcedClosed);
    breaker->TryAcquire().Record(Outcome::kSuccess);
    others_done = true;
  });
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(CallbackThreadsTest, IsCalledOneAtATimeAndInOrder) {
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  std::atomic<int> gaps{0};
  std::atomic<int> told{0};
  State last = State::kClosed;  // a race on it would show under tsan
  BreakerOptions options = ExactOptions();
  options.trip.consecutive_failures = 1;
  TestBreaker breaker(options, [&](const Transition& t) {
    if (inside.fetch_add(1) != 0) ++overlaps;
    if (t.from != last) ++gaps;
    last = t.to;
    ++told;
    --inside;
  });
  RunThreads(4, [&](int t) {
    for (int i = 0; i < 500; ++i) {
      breaker->TryAcquire().Record(Outcome::kFailure);
      breaker->SetMode((i + t) % 2 ? Mode::kForcedClosed : Mode::kAutomatic);
    }
  });
  breaker->FlushTransitions();
  uint64_t transitions = 0;
  for (const auto& row : breaker.Snapshot().transitions) {
    for (const uint64_t count : row) transitions += count;
  }
  EXPECT_EQ(overlaps.load(), 0);
  EXPECT_EQ(gaps.load(), 0);
  EXPECT_EQ(told.load(), transitions);
  EXPECT_GT(transitions, 100);
}

// Uses what it is given while that is destroyed, and makes a change of state
// that it is told of meanwhile.
class LateCallback {
 public:
  void Use(CircuitBreaker* breaker, const Transition& transition) {
    if (transition.reason != TransitionReason::kForced) {
      in_.set_value();
      go_.get_future().wait();
      breaker->SetMode(Mode::kForcedClosed);
    }
    for (int i = 0; i < 10'000; ++i) {
      breaker->UpdateOptions(breaker->options()).IgnoreError();
    }
    ++told_;
  }
  void GoOnWhenItIsThere() {
    in_.get_future().wait();
    go_.set_value();
  }
  int told() const { return told_; }

 private:
  std::promise<void> in_;
  std::promise<void> go_;
  std::atomic<int> told_{0};
};

BreakerOptions OneFailureOpens() {
  BreakerOptions options;
  options.trip.consecutive_failures = 1;
  return options;
}

TEST(LateCallbackTest, MayUseABreakerThatIsDestroyed) {
  LateCallback late;
  CircuitBreaker* breaker = nullptr;
  auto instruments = std::make_shared<Instruments>();
  instruments->on_transition = [&](const Transition& transition) {
    late.Use(breaker, transition);
  };
  auto owner =
      CircuitBreaker::Create({"n", "s", "m"}, OneFailureOpens(), instruments)
          .value();
  breaker = owner.get();
  breaker->TryAcquire().Record(Outcome::kFailure);
  late.GoOnWhenItIsThere();
  owner.reset();
  EXPECT_EQ(late.told(), 2);
}

TEST(LateCallbackTest, MayUseARegistryThatIsDestroyed) {
  LateCallback late;
  BreakerRegistry* registry = nullptr;
  RegistryOptions options;
  options.defaults = OneFailureOpens();
  options.instruments.on_transition = [&](const Transition& transition) {
    late.Use(registry->Breakers().front().get(), transition);
  };
  auto owner = BreakerRegistry::Create(options).value();
  registry = owner.get();
  registry->GetOrCreate({"n", "s", "m"})
      ->TryAcquire()
      .Record(Outcome::kFailure);
  late.GoOnWhenItIsThere();
  owner.reset();
  EXPECT_EQ(late.told(), 2);
}

TEST(RemovingCallbackTest, MayTakeAwayTheLastOwner) {
  const BreakerKey key = {"n", "s", "m"};
  std::shared_ptr<BreakerRegistry> registry;
  RegistryOptions options;
  options.defaults.trip.consecutive_failures = 1;
  options.instruments.on_transition = [&](const Transition&) {
    registry->Remove(key);
  };
  registry = BreakerRegistry::Create(options).value();
  registry->GetOrCreate(key)->TryAcquire().Record(Outcome::kFailure);
  registry->FlushTransitions();
  EXPECT_TRUE(registry->Breakers().empty());
}

}  // namespace
}  // namespace autobreaker
