// What tests expect of breakers and of calls through them, as matchers of
// gMock.
//
//   EXPECT_THAT(stub->Place(&context, order, &reply), IsRefusal());
//   EXPECT_THAT(breaker, IsOpen());
//   EXPECT_THAT(breaker, EventuallyCloses(&clock, [&] { client.Place(order);
//   }));
//
// What has a state is a State, a BreakerSnapshot, or a pointer of any kind to a
// CircuitBreaker.
#ifndef AUTOBREAKER_TESTING_MATCHERS_H_
#define AUTOBREAKER_TESTING_MATCHERS_H_

#include <grpcpp/support/status.h>

#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/registered_breaker.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/types.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/testing/fake_clock.h"
#include "gmock/gmock.h"

namespace autobreaker {
namespace testing_internal {

inline State StateOf(State state) { return state; }
inline State StateOf(const BreakerSnapshot& snapshot) { return snapshot.state; }
template <typename Pointer>
State StateOf(const Pointer& breaker) {
  return breaker->Snapshot().state;
}

inline bool HasState(State state, State wanted,
                     ::testing::MatchResultListener* listener) {
  *listener << "which is " << ToString(state);
  return state == wanted;
}

}  // namespace testing_internal

// For gMock's messages.
inline void PrintTo(const CircuitBreaker& breaker, std::ostream* os) {
  *os << "the breaker of " << ToString(breaker.key());
}
// The same.
inline void PrintTo(const RegisteredBreaker& breaker, std::ostream* os) {
  PrintTo(static_cast<const CircuitBreaker&>(breaker), os);
}

// Of a State, a BreakerSnapshot, or a pointer to a breaker.
MATCHER(IsClosed, negation ? "is not closed" : "is closed") {
  return testing_internal::HasState(testing_internal::StateOf(arg),
                                    State::kClosed, result_listener);
}
// The same.
MATCHER(IsOpen, negation ? "is not open" : "is open") {
  return testing_internal::HasState(testing_internal::StateOf(arg),
                                    State::kOpen, result_listener);
}
// The same.
MATCHER(IsHalfOpen, negation ? "is not half-open" : "is half-open") {
  return testing_internal::HasState(testing_internal::StateOf(arg),
                                    State::kHalfOpen, result_listener);
}

// Of a grpc::Status: a breaker of this process refused the call, which never
// left.
MATCHER(IsRefusal, negation ? "is no refusal" : "is a refusal") {
  const std::optional<RefusalInfo> refusal = ParseRefusal(arg);
  if (refusal.has_value()) {
    *result_listener << "which is one: " << ToString(refusal->reason);
  } else {
    *result_listener << "which is status " << arg.error_code() << ": "
                     << arg.error_message();
  }
  return refusal.has_value();
}

// Of a Transition: a change from one state to another.
MATCHER_P2(IsTransition, from, to,
           absl::StrCat(negation ? "is no transition from "
                                 : "is a transition from ",
                        ToString(State(from)), " to ", ToString(State(to)))) {
  *result_listener << "which is from " << ToString(arg.from) << " to "
                   << ToString(arg.to) << ": " << ToString(arg.reason);
  return arg.from == from && arg.to == to;
}

// Of a breaker on `clock`: it closes while `call` is made once a second of that
// clock, 1,000 times at the most. Takes no real time but that of the calls.
MATCHER_P2(EventuallyCloses, clock, call,
           negation ? "never closes" : "closes eventually") {
  int calls = 0;
  while (testing_internal::StateOf(arg) != State::kClosed && calls < 1000) {
    clock->Advance(absl::Seconds(1));
    call();
    ++calls;
  }
  *result_listener << "which is " << ToString(testing_internal::StateOf(arg))
                   << " after " << calls << " calls";
  return testing_internal::StateOf(arg) == State::kClosed;
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTING_MATCHERS_H_
