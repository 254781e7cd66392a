// What a circuit breaker does, written as plainly as possible, to compare the
// real one with. One thread, no cleverness: it keeps a list of the calls that
// finished and counts through it whenever it wants to know something.
//
// It shares with the real one the types of its answers, and the weights that
// evidence is made of. Open times are without jitter.
#ifndef AUTOBREAKER_TESTS_BREAKER_NAIVE_BREAKER_H_
#define AUTOBREAKER_TESTS_BREAKER_NAIVE_BREAKER_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/internal/evidence.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/types.h"
#include "autobreaker/testing/fake_clock.h"

namespace autobreaker {

class NaiveBreaker {
 public:
  // An admitted call, to be handed back to End().
  struct Call {
    int64_t era = 0;
    bool judged = true;
    int64_t probe = 0;  // 0: none
    std::optional<int64_t> start;
    bool progressed = false;
  };

  NaiveBreaker(const BreakerOptions& options, const FakeClock* clock)
      : clock_(clock), options_(options) {
    seen_.last_transition_time = clock_->WallNow();
    RestartWindow();
  }

  // Nothing if the call is refused, for which `refusal` says why.
  std::optional<Call> Ask(Refusal* refusal) {
    EndModeIfTime();
    HalfOpenIfTime();
    if (state_ == State::kClosed) return Admit(/*judged=*/true, /*probe=*/0);
    if (state_ == State::kHalfOpen && MayProbe()) {
      probes_[++last_probe_] = Now() + Nanos(options_.half_open.lease);
      starts_[last_probe_] = Now();
      return Admit(/*judged=*/true, last_probe_);
    }
    RefusalReason reason = RefusalReason::kOpen;
    if (state_ == State::kHalfOpen) {
      reason = Ramps() && answers_ > 0 ? RefusalReason::kRamp
                                       : RefusalReason::kHalfOpen;
    }
    if (mode_ == Mode::kShadow) {
      ++seen_.shadow_refused[static_cast<int>(reason)];
      return Admit(/*judged=*/false, /*probe=*/0);
    }
    *refusal = Refusal();
    if (reason != RefusalReason::kOpen) {
      refusal->reason = reason;
    } else if (mode_ == Mode::kForcedOpen) {
      refusal->reason = RefusalReason::kForcedOpen;
      if (mode_until_.has_value()) {
        refusal->retry_after = absl::Nanoseconds(*mode_until_ - Now());
      }
    } else {
      refusal->reason = RefusalReason::kOpen;
      refusal->retry_after = absl::Nanoseconds(OpenUntil() - Now());
    }
    ++seen_.refused[static_cast<int>(refusal->reason)];
    return std::nullopt;
  }

  void Progress(Call* call) {
    if (call->probe == 0 || call->progressed || call->era != era_) return;
    if (IsSlow(*call)) return;
    const int64_t taken = ProbeTook(*call);
    probes_.erase(call->probe);
    call->progressed = true;
    ++progressed_;
    JudgeProbe(/*failed=*/false, /*slow=*/false, taken, absl::ZeroDuration());
  }

  void End(const Call& call, Outcome outcome, absl::Duration retry_after) {
    --seen_.in_flight;
    // A probe whose lease or era is over has no place to give back.
    const bool has_place = HasPlace(call);
    const int64_t taken = call.probe != 0 ? ProbeTook(call) : 0;
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
    const bool slow = IsSlow(call);
    ++(failed ? seen_.failures : seen_.successes);
    if (slow) ++seen_.slow_calls;
    if (!call.judged) return;
    // It has been judged.
    if (call.progressed && !failed) return;
    const bool outlived = call.probe != 0 && !has_place && !call.progressed;
    if (call.era != era_ || (outlived && failed)) {
      ++seen_.late_results;
      return;
    }
    finished_.push_back({StepOf(Now()), failed, slow});
    failures_in_row_ = failed ? failures_in_row_ + 1 : 0;
    successes_in_row_ = failed ? 0 : successes_in_row_ + 1;
    const bool complete = Weigh(failed);
    if (call.probe != 0) {
      JudgeProbe(failed, slow, taken, retry_after);
    } else if ((failed || slow) && mode_ != Mode::kForcedClosed) {
      auto reason = WhyTrip(Window(), failed ? failures_in_row_ : 0);
      if (complete && reason != TransitionReason::kConsecutiveFailures) {
        reason = TransitionReason::kEvidence;
      }
      if (reason.has_value()) Move(State::kOpen, *reason, retry_after);
    }
  }

  void Update(const BreakerOptions& options) {
    const bool other_window =
        options.trip.window != options_.trip.window ||
        options.trip.window_buckets != options_.trip.window_buckets;
    const double level = Level();
    const bool other_evidence = options.trip.evidence != options_.trip.evidence;
    options_ = options;
    if (other_window) RestartWindow();
    if (other_evidence) RestartEvidence(level);
  }

  void SetMode(Mode mode, absl::Duration how_long) {
    mode_until_.reset();
    if (how_long != absl::InfiniteDuration() && mode != Mode::kAutomatic) {
      mode_until_ = Now() + Nanos(how_long);
    }
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

  bool Reset() {
    EndModeIfTime();
    if (mode_ == Mode::kForcedOpen) return false;
    if (state_ != State::kClosed) {
      Move(State::kClosed, TransitionReason::kForced);
    } else {
      RestartEvidence(0);
      StartEra();
    }
    return true;
  }

  // Shows what the next call would meet, but changes nothing.
  BreakerSnapshot Look() const {
    NaiveBreaker next = *this;
    next.EndModeIfTime();
    next.HalfOpenIfTime();
    BreakerSnapshot s = next.Describe();
    s.transition_count = seen_.transition_count;
    s.transitions = seen_.transitions;
    s.trips = seen_.trips;
    s.last_trip = seen_.last_trip;
    s.last_transition_time = seen_.last_transition_time;
    return s;
  }

 private:
  BreakerSnapshot Describe() {
    BreakerSnapshot s = seen_;
    s.options = options_;
    s.mode = mode_;
    if (mode_until_.has_value()) {
      s.mode_remaining = absl::Nanoseconds(*mode_until_ - Now());
    }
    s.state = state_;
    s.probes_in_flight = ProbesInFlight();
    s.consecutive_successes = successes_in_row_;
    s.window = Window();
    s.consecutive_failures = failures_in_row_;
    s.evidence = std::numeric_limits<double>::quiet_NaN();
    if (options_.trip.evidence.has_value()) {
      s.evidence = state_ == State::kClosed ? Level()
                   : state_ == State::kHalfOpen && Ramps()
                       ? std::max(0.0, ramp_)
                       : 1;
    }
    if (state_ != State::kClosed) {
      s.window = left_closed_->window;
      s.consecutive_failures = left_closed_->consecutive_failures;
    } else if (mode_ != Mode::kForcedClosed) {
      int64_t more = 1;
      CallCounts then = s.window;
      for (++then.failures;
           !WhyTrip(then, failures_in_row_ + more) && !WouldComplete(more);
           ++then.failures) {
        ++more;
      }
      s.failures_until_trip = more;
      s.will_trip_next = more == 1;
    }
    s.failure_rate = RateOf(s.window);
    s.success_rate = 1 - s.failure_rate;
    if (state_ == State::kOpen) {
      s.open_remaining = OpenRemaining();
    }
    return s;
  }

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
  bool JudgesSlow() const {
    return options_.trip.slow_call_duration.has_value();
  }

  bool IsSlow(const Call& call) const {
    return call.start.has_value() && JudgesSlow() &&
           Now() - *call.start >= Nanos(*options_.trip.slow_call_duration);
  }

  bool HasPlace(const Call& call) const {
    const auto place = probes_.find(call.probe);
    return call.era == era_ && place != probes_.end() && place->second > Now();
  }

  // Of one that has outlived its lease, only that is known.
  int64_t ProbeTook(const Call& call) const {
    return HasPlace(call) ? Now() - starts_.at(call.probe)
                          : Nanos(options_.half_open.lease);
  }

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
    const int64_t buckets = options_.trip.window_buckets;
    const int64_t step = (Nanos(options_.trip.window) + buckets - 1) / buckets;
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
           finished_.front().step < now - options_.trip.window_buckets) {
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
    if (options_.trip.consecutive_failures.has_value() &&
        failures_in_row >= *options_.trip.consecutive_failures) {
      return TransitionReason::kConsecutiveFailures;
    }
    const auto calls = static_cast<int64_t>(counts.successes + counts.failures);
    if (calls < options_.trip.minimum_calls) return std::nullopt;
    if (options_.trip.failure_rate_threshold.has_value() &&
        RateOf(counts) > *options_.trip.failure_rate_threshold) {
      return TransitionReason::kFailureRate;
    }
    if (JudgesSlow() && static_cast<double>(counts.slow) / calls >=
                            *options_.trip.slow_call_rate_threshold) {
      return TransitionReason::kSlowCallRate;
    }
    return std::nullopt;
  }

  int64_t ProbesInFlight() const {
    return std::count_if(
        probes_.begin(), probes_.end(),
        [this](const auto& probe) { return probe.second > Now(); });
  }

  bool Ramps() const { return options_.Ramps(); }

  // The evidence of each test, in units of EvidenceRule.
  void RestartEvidence(double level) {
    const EvidenceRule rule = EvidenceRule::From(options_.trip);
    for (int i = 0; i < EvidenceRule::kTests; ++i) {
      evidence_[i] = static_cast<int64_t>(
          level * static_cast<double>(rule.tests[i].threshold));
    }
  }

  double Level() const {
    const EvidenceRule rule = EvidenceRule::From(options_.trip);
    double level = 0;
    for (int i = 0; i < EvidenceRule::kTests; ++i) {
      if (rule.tests[i].threshold == 0) return 0;
      level = std::max(level, static_cast<double>(evidence_[i]) /
                                  static_cast<double>(rule.tests[i].threshold));
    }
    return std::min(level, 1.0);
  }

  // Whether that many failures more would do.
  bool WouldComplete(int64_t more) const {
    const EvidenceRule rule = EvidenceRule::From(options_.trip);
    for (int i = 0; i < EvidenceRule::kTests; ++i) {
      const auto threshold = static_cast<int64_t>(rule.tests[i].threshold);
      if (threshold > 0 &&
          evidence_[i] + more * static_cast<int64_t>(rule.tests[i].failure) >=
              threshold) {
        return true;
      }
    }
    return false;
  }

  // Notes a result, and whether the evidence is complete with it.
  bool Weigh(bool failed) {
    const EvidenceRule rule = EvidenceRule::From(options_.trip);
    if (rule.tests[0].threshold == 0) return false;
    if (!failed) {
      for (int64_t& evidence : evidence_) {
        evidence = std::max<int64_t>(0, evidence - 256);
      }
      return false;
    }
    if (state_ != State::kClosed) return false;
    double ceiling = 1;
    if (rule.tolerated_burst > 0) {
      const auto burst = static_cast<double>(rule.tolerated_burst);
      double at_once = 1.0 / 3;
      for (const EvidenceRule::Test& test : rule.tests) {
        at_once = std::max(at_once, static_cast<double>(test.failure) /
                                        static_cast<double>(test.threshold));
      }
      ceiling_start_ = std::max<int64_t>(
          ceiling_start_,
          Now() - std::llround(burst * ((Level() + at_once) / (1.0 / 3))));
      ceiling = std::min(
          1.0, static_cast<double>(Now() - ceiling_start_) * (1.0 / 3) / burst);
    }
    bool complete = false;
    for (int i = 0; i < EvidenceRule::kTests; ++i) {
      const auto threshold = static_cast<int64_t>(rule.tests[i].threshold);
      const auto most = static_cast<int64_t>(
          std::ceil(ceiling * static_cast<double>(threshold)));
      const int64_t raised = std::min<int64_t>(
          evidence_[i] + static_cast<int64_t>(rule.tests[i].failure), most);
      evidence_[i] = std::max(evidence_[i], raised);
      if (evidence_[i] >= threshold) complete = true;
    }
    return complete;
  }

  // Calls that have been under way for more than twice as long as the slowest
  // success count as failures.
  double RampShare() const {
    const EvidenceRule::Test test = EvidenceRule::From(options_.trip).tests[0];
    int64_t overdue = 0;
    for (const auto& probe : probes_) {
      const int64_t start = starts_.at(probe.first);
      if (probe.second > Now() && Now() - start > 2 * slowest_) ++overdue;
    }
    const double level = ramp_ + static_cast<double>(overdue) *
                                     (static_cast<double>(test.failure) /
                                      static_cast<double>(test.threshold));
    return std::min(1.0, std::max(0.0, (1 - level) / 0.5));
  }

  // Half-open: whether the next call goes.
  bool MayProbe() {
    const int64_t at_once = options_.half_open.max_calls;
    const int64_t in_flight = ProbesInFlight();
    if (!Ramps()) return in_flight < at_once;
    if (in_flight == 0) return true;
    if (answers_ == 0) {
      return in_flight < at_once &&
             Now() >= half_open_since_ + in_flight * open_for_;
    }
    if (in_flight < at_once) return true;
    if (in_flight >= answers_) return false;
    turns_ += RampShare();
    if (turns_ < 1) return false;
    turns_ -= 1;
    return true;
  }

  void JudgeProbe(bool failed, bool slow, int64_t taken,
                  absl::Duration retry_after) {
    bool reopen = failed || slow;
    bool close = false;
    if (Ramps()) {
      const EvidenceRule::Test test =
          EvidenceRule::From(options_.trip).tests[0];
      const double failure = static_cast<double>(test.failure) /
                             static_cast<double>(test.threshold);
      if (failed) {
        ramp_ += failure;
        reopen = ramp_ >= 1;
      } else {
        if (answers_++ == 0) ramp_ -= failure;
        ramp_ -= 256.0 / static_cast<double>(test.threshold);
        slowest_ = std::max(slowest_, taken);
        const CallCounts probes = Window();
        reopen = slow &&
                 static_cast<double>(probes.slow) /
                         static_cast<double>(probes.finished() + progressed_) >=
                     *options_.trip.slow_call_rate_threshold;
        close = !reopen && RampShare() >= 1;
      }
      if (!failed && !reopen) ++seen_.probe_successes;
    } else {
      if (!reopen) ++seen_.probe_successes;
      close = !reopen &&
              seen_.probe_successes >= *options_.half_open.successes_to_close;
    }
    if (reopen) {
      Move(State::kOpen,
           failed ? TransitionReason::kProbeFailed
                  : TransitionReason::kProbeSlow,
           failed ? retry_after : absl::ZeroDuration());
    } else if (close) {
      const double level = Ramps() ? std::max(0.0, ramp_) : 0;
      Move(State::kClosed, TransitionReason::kProbesSucceeded);
      RestartEvidence(level);
    }
  }

  int64_t OpenUntil() const {
    const double longest =
        static_cast<double>(Nanos(options_.open.duration_max));
    double time = static_cast<double>(Nanos(options_.open.duration));
    for (int64_t i = 0; i < seen_.reopenings; ++i) {
      time = std::min(time * options_.open.duration_multiplier, longest);
    }
    if (options_.open.pace_by_calls.has_value()) {
      const double calls =
          std::max(1 / options_.open.pace_by_calls->probe_share,
                   2 * std::sqrt(static_cast<double>(calls_in_outage_)));
      time = std::min(longest, std::max(time, calls / calls_per_second_ * 1e9));
    }
    const int64_t asked =
        Nanos(std::min(asked_for_, options_.open.duration_max));
    return opened_at_ + std::max<int64_t>(asked, std::llround(time));
  }

  uint64_t Asked() const {
    uint64_t asked = seen_.requests;
    for (const uint64_t refused : seen_.refused) asked += refused;
    return asked;
  }

  void NoteDemand() {
    uint64_t recent = Window().finished();
    int64_t time = Now() - window_start_;
    if (state_ == State::kClosed) {
      const int64_t buckets = options_.trip.window_buckets;
      const int64_t gone = StepOf(Now()) - buckets;
      if (gone > 0) {
        time -= gone * ((Nanos(options_.trip.window) + buckets - 1) / buckets);
      }
      asked_at_trip_ = Asked();
    } else {
      recent = Asked() - asked_at_open_;
      time = Now() - opened_at_;
    }
    calls_in_outage_ = Asked() - asked_at_trip_;
    calls_per_second_ = static_cast<double>(recent) /
                        (static_cast<double>(std::max<int64_t>(time, 1)) / 1e9);
    asked_at_open_ = Asked();
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
    transition.number = ++seen_.transition_count;
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
      NoteDemand();
      opened_at_ = Now();
      asked_for_ = asked_for;
      transition.open_for = OpenRemaining();
      seen_.last_trip = transition;
    } else if (to == State::kClosed) {
      seen_.reopenings = 0;
    }
    if (state_ == State::kClosed) left_closed_ = transition;
    RestartEvidence(0);
    if (to == State::kHalfOpen) {
      half_open_since_ = Now();
      open_for_ = std::min<int64_t>(std::max<int64_t>(Now() - opened_at_, 1),
                                    int64_t{3600} * 1'000'000'000);
      ramp_ = 1;
      answers_ = 0;
      slowest_ = 0;
      turns_ = 0;
    }
    state_ = to;
    StartEra();
  }

  void StartEra() {
    ++era_;
    RestartWindow();
    probes_.clear();
    starts_.clear();
    progressed_ = 0;
    seen_.probe_successes = 0;
    failures_in_row_ = 0;
    successes_in_row_ = 0;
  }

  void EndModeIfTime() {
    if (mode_until_.has_value() && Now() >= *mode_until_) {
      SetMode(Mode::kAutomatic, absl::InfiniteDuration());
    }
  }

  absl::Duration OpenRemaining() const {
    if (mode_ != Mode::kForcedOpen) {
      return absl::Nanoseconds(OpenUntil() - Now());
    }
    return mode_until_.has_value() ? absl::Nanoseconds(*mode_until_ - Now())
                                   : absl::InfiniteDuration();
  }

  const FakeClock* const clock_;
  BreakerOptions options_;
  Mode mode_ = Mode::kAutomatic;
  std::optional<int64_t> mode_until_;
  State state_ = State::kClosed;
  std::optional<Transition> left_closed_;  // the last one, if there was one
  int64_t era_ = 0;       // one lasts from a change of state to the next
  BreakerSnapshot seen_;  // what Look() need not work out

  std::deque<Finished> finished_;  // in this era
  int64_t window_start_ = 0;
  int64_t failures_in_row_ = 0;
  int64_t successes_in_row_ = 0;

  int64_t evidence_[EvidenceRule::kTests] = {};
  int64_t ceiling_start_ = std::numeric_limits<int64_t>::min() / 2;
  int64_t half_open_since_ = 0;
  int64_t open_for_ = 0;  // before that
  double ramp_ = 1;
  int64_t answers_ = 0;  // successes on the ramp
  double turns_ = 0;
  int64_t slowest_ = 0;  // of them
  uint64_t asked_at_trip_ = 0;
  uint64_t asked_at_open_ = 0;
  uint64_t calls_in_outage_ = 0;
  double calls_per_second_ = 0;

  int64_t opened_at_ = 0;
  absl::Duration asked_for_;  // by the server, with the failure that opened it
  int64_t last_probe_ = 0;
  uint64_t progressed_ = 0;            // probes of this era
  std::map<int64_t, int64_t> probes_;  // to the ends of their leases
  std::map<int64_t, int64_t> starts_;  // when every probe began
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_BREAKER_NAIVE_BREAKER_H_
