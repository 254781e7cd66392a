#include "autobreaker/testing/matchers.h"

#include <sstream>
#include <string>

#include "absl/time/time.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::ExplainMatchResult;
using ::testing::Not;
using ::testing::StringMatchResultListener;

template <typename Matcher, typename Value>
std::string Explain(const Matcher& matcher, const Value& value) {
  StringMatchResultListener listener;
  ExplainMatchResult(matcher, value, &listener);
  return listener.str();
}

TEST(MatchersTest, AStateIsThatOfWhateverHasOne) {
  const auto breaker = CircuitBreaker::Create({"shop"}, {}).value();
  EXPECT_THAT(State::kOpen, IsOpen());
  EXPECT_THAT(State::kHalfOpen, IsHalfOpen());
  EXPECT_THAT(breaker, IsClosed());
  EXPECT_THAT(breaker.get(), IsClosed());
  EXPECT_THAT(breaker->Snapshot(), IsClosed());
  breaker->SetMode(Mode::kForcedOpen);
  EXPECT_THAT(breaker, IsOpen());
  EXPECT_THAT(breaker, Not(IsClosed()));
  EXPECT_THAT(breaker, Not(IsHalfOpen()));
  EXPECT_EQ(Explain(IsClosed(), breaker), "which is open");
}

TEST(MatchersTest, ARefusalIsNoOtherStatus) {
  const grpc::Status refused = MakeRefusalStatus({"shop"}, Refusal());
  EXPECT_THAT(refused, IsRefusal());
  EXPECT_THAT(grpc::Status::OK, Not(IsRefusal()));
  const grpc::Status broken(grpc::StatusCode::UNAVAILABLE, "no route");
  EXPECT_THAT(broken, Not(IsRefusal()));
  EXPECT_EQ(Explain(IsRefusal(), broken), "which is status 14: no route");
  EXPECT_EQ(Explain(IsRefusal(), refused), "which is one: open");
}

TEST(MatchersTest, ATransitionHasBothItsStates) {
  Transition transition;
  transition.from = State::kClosed;
  transition.to = State::kOpen;
  transition.reason = TransitionReason::kFailureRate;
  EXPECT_THAT(transition, IsTransition(State::kClosed, State::kOpen));
  EXPECT_THAT(transition, Not(IsTransition(State::kHalfOpen, State::kOpen)));
  EXPECT_THAT(transition, Not(IsTransition(State::kClosed, State::kHalfOpen)));
  EXPECT_EQ(Explain(IsTransition(State::kOpen, State::kOpen), transition),
            "which is from closed to open: failure_rate");
}

class EventuallyClosesTest : public ::testing::Test {
 protected:
  EventuallyClosesTest() {
    auto instruments = std::make_shared<Instruments>();
    instruments->clock = &clock_;
    breaker_ =
        CircuitBreaker::Create({"shop"}, BreakerOptions(), instruments).value();
    for (int i = 0; i < 100; ++i) Call(Outcome::kFailure);
  }
  void Call(Outcome outcome) {
    breaker_->TryAcquire().Record(outcome);
    clock_.Advance(absl::Milliseconds(100));
  }

  FakeClock clock_;
  std::shared_ptr<CircuitBreaker> breaker_;
};

TEST_F(EventuallyClosesTest, MakesCallsUntilItDoes) {
  ASSERT_THAT(breaker_, Not(IsClosed()));
  EXPECT_THAT(breaker_,
              EventuallyCloses(&clock_, [this] { Call(Outcome::kSuccess); }));
}

TEST_F(EventuallyClosesTest, GivesUpOnOneThatDoesNot) {
  const auto matcher =
      EventuallyCloses(&clock_, [this] { Call(Outcome::kFailure); });
  EXPECT_THAT(breaker_, Not(matcher));
  EXPECT_THAT(Explain(matcher, breaker_), ::testing::HasSubstr("1000 calls"));
}

TEST_F(EventuallyClosesTest, MakesNoCallIfItIsClosed) {
  breaker_->Reset();
  int calls = 0;
  EXPECT_THAT(breaker_, EventuallyCloses(&clock_, [&] { ++calls; }));
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace autobreaker
