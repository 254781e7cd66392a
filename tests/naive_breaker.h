// What a circuit breaker does, written as plainly as possible, to compare the
// real one with. One thread, no cleverness: it keeps a list of the calls that
// finished and counts through it whenever it wants to know something.
//
// It shares nothing with the real one but the types of its answers. Open times
// are without jitter.
#ifndef AUTOBREAKER_TESTS_NAIVE_BREAKER_H_
#define AUTOBREAKER_TESTS_NAIVE_BREAKER_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "absl/time/time.h"
#include "breaker/circuit_breaker.h"
#include "breaker/fake_clock.h"
#include "breaker/options.h"
#include "breaker/snapshot.h"
#include "breaker/types.h"

namespace autobreaker {

class NaiveBreaker {
 public:
  // An admitted call, to be handed back to End().
  struct Call {
    int64_t era = 0;
    bool judged = true;
    int64_t probe = 0;  // 0: none
    std::optional<int64_t> start;
  };

  NaiveBreaker(const BreakerOptions& options, const FakeClock* clock)
      : clock_(clock), options_(options) {
    seen_.last_transition_time = clock_->WallNow();
    RestartWindow();
  }

  // Nothing if the call is refused, for which `refusal` says why.
  std::optional<Call> Ask(Refusal* refusal) {
    HalfOpenIfTime();
    if (state_ == State::kClosed) return Admit(/*judged=*/true, /*probe=*/0);
    if (state_ == State::kHalfOpen &&
        ProbesInFlight() < options_.half_open_max_calls) {
      probes_[++last_probe_] = Now() + Nanos(options_.half_open_lease);
      return Admit(/*judged=*/true, last_probe_);
    }
    const bool half_open = state_ == State::kHalfOpen;
    if (mode_ == Mode::kShadow) {
      ++seen_.shadow_refused[half_open ? 1 : 0];
      return Admit(/*judged=*/false, /*probe=*/0);
    }
    *refusal = Refusal();
    if (half_open) {
      refusal->reason = RefusalReason::kHalfOpen;
    } else if (mode_ == Mode::kForcedOpen) {
      refusal->reason = RefusalReason::kForcedOpen;
    } else {
      refusal->reason = RefusalReason::kOpen;
      refusal->retry_after = absl::Nanoseconds(OpenUntil() - Now());
    }
    ++seen_.refused[static_cast<int>(refusal->reason)];
    return std::nullopt;
  }

  void End(const Call& call, Outcome outcome, absl::Duration retry_after) {
    --seen_.in_flight;
    // A probe whose lease or era is over has no place to give back.
    const bool has_place = call.probe != 0 && call.era == era_ &&
                           probes_.count(call.probe) > 0 &&
                           probes_[call.probe] > Now();
    if (has_place) probes_.erase(call.probe);
    if (outcome == Outcome::kIgnored) {
      ++seen_.ignored;
      return;
    }
    if (outcome == Outcome::kAbandoned) {
      ++seen_.abandoned;
      return;
    }
    const bool failed = outcome == Outcome::kFailure;
    const bool slow =
        call.start.has_value() && JudgesSlow() &&
        Now() - *call.start >= Nanos(*options_.slow_call_duration);
    ++(failed ? seen_.failures : seen_.successes);
    if (slow) ++seen_.slow_calls;
    if (!call.judged) return;
    if (call.era != era_ || (call.probe != 0 && !has_place)) {
      ++seen_.late_results;
      return;
    }
    finished_.push_back({StepOf(Now()), failed, slow});
    failures_in_row_ = failed ? failures_in_row_ + 1 : 0;
    successes_in_row_ = failed ? 0 : successes_in_row_ + 1;
    if (call.probe != 0) {
      JudgeProbe(failed, slow, retry_after);
    } else if ((failed || slow) && mode_ != Mode::kForcedClosed) {
      const auto reason = WhyTrip(Window(), failed ? failures_in_row_ : 0);
      if (reason.has_value()) Move(State::kOpen, *reason, retry_after);
    }
  }

  void Update(const BreakerOptions& options) {
    const bool other_window = options.window != options_.window ||
                              options.window_buckets != options_.window_buckets;
    options_ = options;
    if (other_window) RestartWindow();
  }

  void SetMode(Mode mode) {
    const Mode before = mode_;
    if (mode == before) return;
    mode_ = mode;
    if (mode == Mode::kForcedOpen) {
      if (state_ != State::kOpen) Move(State::kOpen, TransitionReason::kForced);
    } else if (mode == Mode::kForcedClosed) {
      if (state_ != State::kClosed) {
        Move(State::kClosed, TransitionReason::kForced);
      }
    } else if (before == Mode::kForcedOpen) {
      Move(State::kHalfOpen, TransitionReason::kForced);
    }
  }

  BreakerSnapshot Look() {
    HalfOpenIfTime();
    BreakerSnapshot s = seen_;
    s.options = options_;
    s.mode = mode_;
    s.state = state_;
    s.probes_in_flight = ProbesInFlight();
    s.consecutive_successes = successes_in_row_;
    s.window = Window();
    s.consecutive_failures = failures_in_row_;
    if (state_ != State::kClosed) {
      s.window = left_closed_->window;
      s.consecutive_failures = left_closed_->consecutive_failures;
    } else if (mode_ != Mode::kForcedClosed) {
      int64_t more = 1;
      CallCounts then = s.window;
      for (++then.failures; !WhyTrip(then, failures_in_row_ + more);
           ++then.failures) {
        ++more;
      }
      s.failures_until_trip = more;
      s.will_trip_next = more == 1;
    }
    s.failure_rate = RateOf(s.window);
    s.success_rate = 1 - s.failure_rate;
    if (state_ == State::kOpen) {
      s.open_remaining = mode_ == Mode::kForcedOpen
                             ? absl::InfiniteDuration()
                             : absl::Nanoseconds(OpenUntil() - Now());
    }
    return s;
  }

 private:
  struct Finished {
    int64_t step;
    bool failed;
    bool slow;
  };

  static int64_t Nanos(absl::Duration duration) {
    return absl::ToInt64Nanoseconds(duration);
  }
  static double RateOf(const CallCounts& counts) {
    return static_cast<double>(counts.failures) /
           static_cast<double>(counts.failures + counts.successes);
  }

  int64_t Now() const { return clock_->Now().time_since_epoch().count(); }
  bool JudgesSlow() const { return options_.slow_call_duration.has_value(); }

  std::optional<Call> Admit(bool judged, int64_t probe) {
    ++seen_.requests;
    ++seen_.in_flight;
    Call call;
    call.era = era_;
    call.judged = judged;
    call.probe = probe;
    if (JudgesSlow()) call.start = Now();
    return call;
  }

  int64_t StepOf(int64_t time) const {
    const int64_t buckets = options_.window_buckets;
    const int64_t step = (Nanos(options_.window) + buckets - 1) / buckets;
    return (time - window_start_) / step;
  }

  void RestartWindow() {
    finished_.clear();
    window_start_ = Now();
  }

  // A call leaves the window when `window_buckets` whole steps lie between the
  // step it finished in and now. Half-open forgets no call.
  CallCounts Window() {
    const int64_t now = StepOf(Now());
    while (state_ == State::kClosed && !finished_.empty() &&
           finished_.front().step < now - options_.window_buckets) {
      finished_.pop_front();
    }
    CallCounts counts;
    for (const Finished& call : finished_) {
      ++(call.failed ? counts.failures : counts.successes);
      if (call.slow) ++counts.slow;
    }
    return counts;
  }

  std::optional<TransitionReason> WhyTrip(const CallCounts& counts,
                                          int64_t failures_in_row) const {
    if (options_.consecutive_failures.has_value() &&
        failures_in_row >= *options_.consecutive_failures) {
      return TransitionReason::kConsecutiveFailures;
    }
    const auto calls = static_cast<int64_t>(counts.successes + counts.failures);
    if (calls < options_.minimum_calls) return std::nullopt;
    if (RateOf(counts) > *options_.failure_rate_threshold) {
      return TransitionReason::kFailureRate;
    }
    if (JudgesSlow() && static_cast<double>(counts.slow) / calls >=
                            *options_.slow_call_rate_threshold) {
      return TransitionReason::kSlowCallRate;
    }
    return std::nullopt;
  }

  int64_t ProbesInFlight() const {
    return std::count_if(
        probes_.begin(), probes_.end(),
        [this](const auto& probe) { return probe.second > Now(); });
  }

  void JudgeProbe(bool failed, bool slow, absl::Duration retry_after) {
    if (failed) {
      Move(State::kOpen, TransitionReason::kProbeFailed, retry_after);
    } else if (slow) {
      Move(State::kOpen, TransitionReason::kProbeSlow);
    } else if (++seen_.probe_successes >=
               *options_.half_open_successes_to_close) {
      Move(State::kClosed, TransitionReason::kProbesSucceeded);
    }
  }

  int64_t OpenUntil() const {
    double time = static_cast<double>(Nanos(options_.open_duration));
    for (int64_t i = 0; i < seen_.reopenings; ++i) {
      time = std::min(time * options_.open_duration_multiplier,
                      static_cast<double>(Nanos(options_.open_duration_max)));
    }
    const int64_t asked =
        Nanos(std::min(asked_for_, options_.open_duration_max));
    return opened_at_ + std::max<int64_t>(asked, std::llround(time));
  }

  void HalfOpenIfTime() {
    if (state_ == State::kOpen && mode_ != Mode::kForcedOpen &&
        Now() >= OpenUntil()) {
      Move(State::kHalfOpen, TransitionReason::kOpenTimeElapsed);
    }
  }

  void Move(State to, TransitionReason reason,
            absl::Duration asked_for = absl::ZeroDuration()) {
    Transition transition;
    transition.from = state_;
    transition.to = to;
    transition.reason = reason;
    transition.time = clock_->WallNow();
    transition.window = Window();
    transition.failure_rate = RateOf(transition.window);
    transition.consecutive_failures = failures_in_row_;
    ++seen_.transitions[static_cast<int>(state_)][static_cast<int>(to)];
    seen_.last_transition_time = transition.time;
    if (to == State::kOpen) {
      ++seen_.trips[static_cast<int>(reason)];
      if (state_ == State::kHalfOpen && reason != TransitionReason::kForced) {
        ++seen_.reopenings;
      }
      opened_at_ = Now();
      asked_for_ = asked_for;
      transition.open_for = mode_ == Mode::kForcedOpen
                                ? absl::InfiniteDuration()
                                : absl::Nanoseconds(OpenUntil() - Now());
      seen_.last_trip = transition;
    } else if (to == State::kClosed) {
      seen_.reopenings = 0;
    }
    if (state_ == State::kClosed) left_closed_ = transition;
    state_ = to;
    ++era_;
    RestartWindow();
    probes_.clear();
    seen_.probe_successes = 0;
    failures_in_row_ = 0;
    successes_in_row_ = 0;
  }

  const FakeClock* const clock_;
  BreakerOptions options_;
  Mode mode_ = Mode::kAutomatic;
  State state_ = State::kClosed;
  std::optional<Transition> left_closed_;  // the last one, if there was one
  int64_t era_ = 0;       // one lasts from a change of state to the next
  BreakerSnapshot seen_;  // what Look() need not work out

  std::deque<Finished> finished_;  // in this era
  int64_t window_start_ = 0;
  int64_t failures_in_row_ = 0;
  int64_t successes_in_row_ = 0;

  int64_t opened_at_ = 0;
  absl::Duration asked_for_;  // by the server, with the failure that opened it
  int64_t last_probe_ = 0;
  std::map<int64_t, int64_t> probes_;  // to the ends of their leases
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_NAIVE_BREAKER_H_
