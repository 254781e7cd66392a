// A breaker on a clock that the test moves, and verbs to drive it.
//
//   TestBreaker breaker;
//   breaker.Fail(20);
//   EXPECT_EQ(breaker.state(), State::kOpen);
//   breaker.clock().Advance(absl::Seconds(5));
//
// A verb that cannot do its work fails the test.
#ifndef AUTOBREAKER_TESTS_BREAKER_BREAKER_TEST_UTIL_H_
#define AUTOBREAKER_TESTS_BREAKER_BREAKER_TEST_UTIL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/permit.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/types.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gtest/gtest.h"

namespace autobreaker {

// For gtest's messages.
inline void PrintTo(State state, std::ostream* os) { *os << ToString(state); }
inline void PrintTo(Mode mode, std::ostream* os) { *os << ToString(mode); }
inline void PrintTo(RefusalReason reason, std::ostream* os) {
  *os << ToString(reason);
}
inline void PrintTo(TransitionReason reason, std::ostream* os) {
  *os << ToString(reason);
}
inline void PrintTo(const CallCounts& counts, std::ostream* os) {
  *os << "{successes " << counts.successes << ", failures " << counts.failures
      << ", slow " << counts.slow << "}";
}

inline CallCounts Counts(uint64_t successes, uint64_t failures,
                         uint64_t slow = 0) {
  CallCounts counts;
  counts.successes = successes;
  counts.failures = failures;
  counts.slow = slow;
  return counts;
}

// As RateOptions() without jitter, so that open times are exact.
inline BreakerOptions ExactOptions() {
  BreakerOptions options = RateOptions();
  options.open.duration_jitter = 0;
  return options;
}

// As ExactOptions(), and calls of a second or longer are slow.
inline BreakerOptions SlowCallOptions(double rate_threshold = 0.5) {
  BreakerOptions options = ExactOptions();
  options.trip.slow_call_duration = absl::Seconds(1);
  options.trip.slow_call_rate_threshold = rate_threshold;
  return options;
}

// Half-open lasts: no number of successes that a test reaches closes it.
inline BreakerOptions EndlessProbingOptions(int64_t at_once) {
  BreakerOptions options = ExactOptions();
  options.half_open.max_calls = at_once;
  options.half_open.successes_to_close = 1'000'000;
  options.half_open.lease = absl::Hours(24);
  return options;
}

class TestBreaker {
 public:
  using Callback = std::function<void(const Transition&)>;

  explicit TestBreaker(const BreakerOptions& options = ExactOptions(),
                       Callback on_transition = nullptr) {
    auto instruments = std::make_shared<Instruments>();
    instruments->clock = &clock_;
    instruments->seed = 1;
    instruments->on_transition = std::move(on_transition);
    breaker_ = CircuitBreaker::Create(BreakerKey{"test", "", ""}, options,
                                      std::move(instruments))
                   .value();
  }

  FakeClock& clock() { return clock_; }
  CircuitBreaker* operator->() { return breaker_.get(); }

  Permit Acquire() {
    Permit permit = breaker_->TryAcquire();
    EXPECT_TRUE(permit) << "refused";
    return permit;
  }

  std::vector<Permit> Acquire(int count) {
    std::vector<Permit> permits;
    for (int i = 0; i < count; ++i) permits.push_back(Acquire());
    return permits;
  }

  // Asks once and answers why it was refused.
  Refusal Refused() {
    Refusal refusal;
    EXPECT_FALSE(breaker_->TryAcquire(&refusal)) << "admitted";
    return refusal;
  }

  void Finish(Outcome outcome, int count = 1) {
    for (int i = 0; i < count; ++i) Acquire().Record(outcome);
  }
  void Succeed(int count = 1) { Finish(Outcome::kSuccess, count); }
  void Fail(int count = 1) { Finish(Outcome::kFailure, count); }

  // A call that takes that long.
  void Finish(Outcome outcome, absl::Duration taken) {
    Permit permit = Acquire();
    clock_.Advance(taken);
    permit.Record(outcome);
  }

  BreakerSnapshot Snapshot() { return breaker_->Snapshot(); }
  State state() { return breaker_->Snapshot().state; }

  // From closed to open.
  void Trip() {
    ASSERT_EQ(state(), State::kClosed);
    for (int i = 0; i < 10'000 && state() == State::kClosed; ++i) Fail();
    ASSERT_EQ(state(), State::kOpen);
  }

  // From open to half-open. The clock stops where the open time ends, so the
  // next call is the first probe.
  void WaitForProbes() {
    clock_.Advance(Snapshot().open_remaining);
    ASSERT_EQ(state(), State::kHalfOpen);
  }

  // From half-open to closed.
  void Recover() {
    ASSERT_EQ(state(), State::kHalfOpen);
    Succeed(
        static_cast<int>(*breaker_->options().half_open.successes_to_close));
    ASSERT_EQ(state(), State::kClosed);
  }

  void TripAndWaitForProbes() {
    Trip();
    WaitForProbes();
  }

 private:
  FakeClock clock_;
  std::shared_ptr<CircuitBreaker> breaker_;
};

inline uint64_t Refusals(const BreakerSnapshot& s, RefusalReason reason) {
  return s.refused[static_cast<int>(reason)];
}
inline uint64_t ShadowRefusals(const BreakerSnapshot& s, RefusalReason reason) {
  return s.shadow_refused[static_cast<int>(reason)];
}
inline uint64_t Trips(const BreakerSnapshot& s, TransitionReason reason) {
  return s.trips[static_cast<int>(reason)];
}
inline uint64_t Transitions(const BreakerSnapshot& s, State from, State to) {
  return s.transitions[static_cast<int>(from)][static_cast<int>(to)];
}
inline uint64_t AllRefusals(const BreakerSnapshot& s) {
  uint64_t sum = 0;
  for (const uint64_t refused : s.refused) sum += refused;
  return sum;
}

// Everything in a snapshot that may only grow.
inline std::vector<uint64_t> Totals(const BreakerSnapshot& s) {
  std::vector<uint64_t> totals = {
      s.requests,     s.successes,           s.failures,
      s.ignored,      s.abandoned,           s.slow_calls,
      s.late_results, s.callback_exceptions, s.lost_transitions};
  totals.insert(totals.end(), s.refused.begin(), s.refused.end());
  totals.insert(totals.end(), s.shadow_refused.begin(), s.shadow_refused.end());
  totals.insert(totals.end(), s.trips.begin(), s.trips.end());
  for (const auto& row : s.transitions) {
    totals.insert(totals.end(), row.begin(), row.end());
  }
  return totals;
}

// Whether each admitted call has exactly one fate.
inline bool Adds(const BreakerSnapshot& s) {
  return s.requests ==
         s.successes + s.failures + s.ignored + s.abandoned + s.in_flight;
}

// Runs `body(0)` to `body(count - 1)` at once and waits for all of them.
template <typename Body>
void RunThreads(int count, Body body) {
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_BREAKER_BREAKER_TEST_UTIL_H_
