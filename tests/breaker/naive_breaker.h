// What a circuit breaker does, written as plainly as possible, to compare the
// real one with. One thread, no cleverness: it keeps a list of the calls that
// finished and counts through it whenever it wants to know something.
//
// It shares with the real one the types of its answers, and the weights that
// evidence and balance are made of. Open times are without jitter.
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
    bool holds_place = false;
  };

  NaiveBreaker(const BreakerOptions& options, const FakeClock* clock)
      : clock_(clock), options_(options) {
    seen_.last_transition_time = clock_->WallNow();
    RestartWindow();
  }

  // Nothing if the call is refused, for which `refusal` says why.
  std::optional<Call> Ask(Refusal* refusal) {
    EndModeIfTime();
    if (state_ == State::kOpen && mode_ != Mode::kForcedOpen &&
        Now() >= look_at_) {
      LookHowManyAsked();
    }
    HalfOpenIfTime();
    const bool looks = state_ == State::kHalfOpen && Now() >= look_at_;
    if ((state_ == State::kClosed || looks) && !HasRoom()) {
      constexpr int kReason = static_cast<int>(RefusalReason::kTooManyCalls);
      if (mode_ == Mode::kShadow) {
        ++seen_.shadow_refused[kReason];
        return Admit(/*judged=*/false, /*probe=*/0);
      }
      ++seen_.refused[kReason];
      *refusal = {RefusalReason::kTooManyCalls, std::nullopt};
      return std::nullopt;
    }
    if (state_ == State::kClosed) return Admit(/*judged=*/true, /*probe=*/0);
    if (looks && MayProbe()) {
      probes_[++last_probe_] = Now() + Nanos(options_.half_open.lease);
      starts_[last_probe_] = Now();
      SetNextLook(Asked() + 1);
      return Admit(/*judged=*/true, last_probe_);
    }
    if (looks) SetNextLook(Asked() + 1);
    RefusalReason reason = RefusalReason::kOpen;
    if (state_ == State::kHalfOpen) {
      reason = looks && Ramps() && answers_ > 0 ? RefusalReason::kRamp
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
      refusal->retry_after =
          absl::Nanoseconds(std::max<int64_t>(0, told_end_ - Now()));
    }
    ++seen_.refused[static_cast<int>(refusal->reason)];
    return std::nullopt;
  }

  void Progress(Call* call) {
    if (call->probe == 0 || call->progressed || call->era != era_) return;
    if (IsSlow(*call)) return;
    const int64_t taken = ProbeTook(*call);
    probes_.erase(call->probe);
    look_at_ = Now();
    call->progressed = true;
    ++progressed_;
    JudgeProbe(call->probe, /*failed=*/false, /*slow=*/false, taken,
               absl::ZeroDuration());
  }

  void End(const Call& call, Outcome outcome, absl::Duration retry_after) {
    --seen_.in_flight;
    if (call.holds_place) --places_held_;
    // A probe whose lease or era is over has no place to give back.
    const bool has_place = HasPlace(call);
    const int64_t taken = call.probe != 0 ? ProbeTook(call) : 0;
    if (has_place) {
      probes_.erase(call.probe);
      look_at_ = Now();
    }
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
      look_at_ = Now();
      if (call.progressed) {
        --progressed_;
        --seen_.probe_successes;
      }
      JudgeProbe(call.probe, failed, slow, taken, retry_after, call.progressed);
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
    const EvidenceRule before = Rule();
    options_ = options;
    if (other_window) RestartWindow();
    Reweigh(before, Rule());
    if (state_ == State::kHalfOpen) look_at_ = Now();
    if (state_ == State::kOpen) BeginOpenTime();
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
      RestartEvidence();
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
      s.evidence = state_ == State::kClosed                ? Level()
                   : state_ == State::kHalfOpen && Ramps() ? 1 - Share()
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

  // Whether one more call may be under way. What shadow mode would have refused
  // would not be.
  bool HasRoom() const {
    if (!options_.max_calls_in_flight.has_value()) return true;
    const auto under_way = static_cast<int64_t>(seen_.in_flight);
    return (mode_ == Mode::kShadow ? places_held_ : under_way) <
           *options_.max_calls_in_flight;
  }

  std::optional<Call> Admit(bool judged, int64_t probe) {
    ++seen_.requests;
    ++seen_.in_flight;
    Call call;
    call.era = era_;
    call.judged = judged;
    call.probe = probe;
    call.holds_place = judged && options_.max_calls_in_flight.has_value();
    if (call.holds_place) ++places_held_;
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

  EvidenceRule Rule() const { return EvidenceRule::From(options_.trip); }

  // Evidence and balance, in the units of their rules.
  void RestartEvidence() {
    evidence_ = 0;
    balance_ = 0;
    troubles_ = 0;
    well_for_ = 0;
  }

  void Reweigh(const EvidenceRule& before, const EvidenceRule& after) {
    if (before == after) return;
    evidence_ = static_cast<int64_t>(ShareOf(evidence_, before) *
                                     static_cast<double>(after.threshold));
    const int64_t weight = before.balance.failure;
    balance_ = weight == 0 ? 0 : balance_ * after.balance.failure / weight;
  }

  static double ShareOf(int64_t evidence, const EvidenceRule& rule) {
    return rule.threshold == 0
               ? 0
               : std::min(1.0, static_cast<double>(evidence) /
                                   static_cast<double>(rule.threshold));
  }

  // The failures since the server was last well: since more successes in a row
  // than `gap`.
  int64_t Troubles() const {
    return well_for_ <= Rule().balance.gap ? troubles_ : 0;
  }

  // The balance, without what is left of before.
  int64_t Balance() const {
    return std::min(balance_, Troubles() * Rule().balance.failure);
  }

  // The balance at which so many failures outweigh.
  static double Outweighs(const EvidenceRule& rule, int64_t failures) {
    const double m = rule.balance.fewest;
    return rule.balance.failure *
           std::sqrt(m * std::max(static_cast<double>(failures - 1), m));
  }

  double Level() const {
    const EvidenceRule rule = Rule();
    if (rule.threshold == 0) return 0;
    return std::min(ShareOf(evidence_, rule),
                    std::min(1.0, static_cast<double>(Balance()) /
                                      Outweighs(rule, Troubles())));
  }

  // Whether that many failures more would do.
  bool WouldComplete(int64_t more) const {
    const EvidenceRule rule = Rule();
    return rule.threshold > 0 &&
           evidence_ + more * rule.failure >= rule.threshold &&
           static_cast<double>(Balance() + more * rule.balance.failure) >=
               Outweighs(rule, Troubles() + more);
  }

  // How far the evidence may rise in the interval of now. The real one keeps
  // times in units of 16 us and ceilings in 24 bits; here that is a rounding.
  double Ceiling(const EvidenceRule& rule) {
    const int64_t length = rule.tolerated_burst * 2 / 3;
    if (length < kTimeUnit) return 1;
    const auto began_before = [&](int64_t ago) {
      return !interval_start_.has_value() ||
             Now() / kTimeUnit - *interval_start_ >= ago / kTimeUnit;
    };
    if (began_before(length)) {
      const double level = ShareOf(evidence_, rule);
      double base = level;
      if (!began_before(2 * length)) {
        const double success = 256.0 / static_cast<double>(rule.threshold);
        base = std::max(base, std::min(level + success, ceiling_));
      }
      const double rise =
          std::max(0.25, static_cast<double>(rule.failure) / rule.threshold);
      constexpr double kMost = (1 << 24) - 1;
      interval_start_ = Now() / kTimeUnit;
      ceiling_ = std::ceil(std::min(base + rise, 1.0) * kMost) / kMost;
    }
    return ceiling_;
  }

  // Notes a result, and answers whether it opens the breaker.
  bool Weigh(bool failed) {
    if (!failed) {
      evidence_ = std::max<int64_t>(0, evidence_ - 256);
      balance_ = std::max<int64_t>(0, balance_ - 4096);
      ++well_for_;
      return false;
    }
    const EvidenceRule rule = Rule();
    if (rule.threshold == 0 || state_ != State::kClosed) return false;
    const auto most = static_cast<int64_t>(
        std::ceil(Ceiling(rule) * static_cast<double>(rule.threshold)));
    evidence_ =
        std::max(evidence_, std::min<int64_t>(evidence_ + rule.failure, most));
    balance_ = Balance() + rule.balance.failure;
    troubles_ = Troubles() + 1;
    well_for_ = 0;
    return evidence_ >= rule.threshold &&
           static_cast<double>(balance_) >= Outweighs(rule, troubles_);
  }

  // ------------------------------------------------------------------ Ramp

  double BreakEven() const {
    return options_.trip.evidence.value_or(EvidenceOptions())
        .break_even_failure_rate;
  }

  double Share() const {
    constexpr double kShares[] = {1.0 / 3, 0.5, 0.75, 1};
    return answers_ == 0 ? 0 : kShares[step_];
  }

  // Calls that went with the share of now, and have been under way for more
  // than twice as long as the slowest success.
  int64_t Overdue() const {
    int64_t overdue = 0;
    for (const auto& [probe, lease_end] : probes_) {
      if (probe >= first_of_step_ && lease_end > Now() &&
          Now() - starts_.at(probe) > 2 * slowest_) {
        ++overdue;
      }
    }
    return overdue;
  }
  double Balance(int64_t overdue) const {
    return ramp_ - static_cast<double>(overdue) * (1 - BreakEven());
  }

  void GoTo(int step) {
    step_ = step;
    ramp_ = 0;
    turns_ = 0;
    first_of_step_ = last_probe_ + 1;
    share_since_ = Now();
  }
  void UpOrDown(int64_t overdue) {
    const double balance = Balance(overdue);
    if (balance <= -1 && step_ > 0) {
      GoTo(step_ - 1);
    } else if (balance >= 1 && step_ < 3) {
      GoTo(step_ + 1);
    }
  }

  // Before a probe has succeeded: whether another goes beside `in_flight`.
  bool TurnHasCome(int64_t in_flight, uint64_t asked) const {
    return (Now() - share_since_) / in_flight >= paused_for_ &&
           (asked - asked_at_half_open_) / static_cast<uint64_t>(in_flight) >=
               paused_calls_;
  }

  // When the next call may go. (One that asks before need not be looked at.)
  void SetNextLook(uint64_t asked) {
    const int64_t in_flight = ProbesInFlight();
    const int64_t at_once = options_.half_open.max_calls;
    int64_t next = Now();
    if (Ramps() ? answers_ == 0 : in_flight >= at_once) {
      if (in_flight >= at_once) {
        next = std::numeric_limits<int64_t>::max();
      } else if (!TurnHasCome(in_flight, asked)) {
        const int64_t hour = int64_t{3600} * 1'000'000'000;
        next = std::max(share_since_ + in_flight * std::min(paused_for_, hour),
                        Now() + 1'000'000);
      }
    }
    for (const auto& probe : probes_) {
      if (probe.second > Now()) next = std::min(next, probe.second);
    }
    look_at_ = next;
  }

  // Half-open: whether the next call goes.
  bool MayProbe() {
    const int64_t at_once = options_.half_open.max_calls;
    const int64_t in_flight = ProbesInFlight();
    if (!Ramps()) return in_flight < at_once;
    if (in_flight == 0) return true;
    if (answers_ == 0) {
      return in_flight < at_once && TurnHasCome(in_flight, Asked());
    }
    if (in_flight < at_once) return true;
    if (in_flight >= answers_) return false;
    const int64_t overdue = Overdue();
    UpOrDown(overdue);
    if (Balance(overdue) <= -1) return false;
    turns_ += Share();
    if (turns_ < 1) return false;
    turns_ -= 1;
    return true;
  }

  // What a result on the ramp does to it; whether it opens the breaker.
  bool NoteOnRamp(int64_t probe, bool failed, int64_t taken, bool was_success) {
    if (was_success && --answers_ == 0) return true;
    if (answers_ == 0) {
      if (failed) return true;
      answers_ = 1;
      slowest_ = taken;
      GoTo(0);
      return false;
    }
    const int64_t overdue = Overdue();
    if (!failed) {
      ++answers_;
      slowest_ = std::max(slowest_, taken);
    }
    if (probe < first_of_step_) return false;
    const double b = BreakEven();
    const double enough = 1 + static_cast<double>(overdue) * (1 - b);
    if (was_success) ramp_ -= b;
    ramp_ = failed ? ramp_ - (1 - b) : std::min(ramp_ + b, enough);
    const bool reopens = step_ == 0 && Balance(overdue) <= -1;
    UpOrDown(overdue);
    return reopens;
  }

  void JudgeProbe(int64_t probe, bool failed, bool slow, int64_t taken,
                  absl::Duration retry_after, bool was_success = false) {
    bool reopen = failed || slow;
    bool close = false;
    if (Ramps()) {
      reopen = NoteOnRamp(probe, failed, taken, was_success);
      const CallCounts probes = Window();
      if (slow &&
          static_cast<double>(probes.slow) /
                  static_cast<double>(probes.finished() + progressed_) >=
              *options_.trip.slow_call_rate_threshold) {
        reopen = true;
      }
      if (!failed) ++seen_.probe_successes;
      close = !reopen && answers_ > 0 && step_ == 3 &&
              Balance(Overdue()) >= 1 && Now() - share_since_ >= paused_for_;
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
      Move(State::kClosed, TransitionReason::kProbesSucceeded);
    }
  }

  // ------------------------------------------------------------- Open times

  int64_t Shortest() const {
    const double longest =
        static_cast<double>(Nanos(options_.open.duration_max));
    const double time = static_cast<double>(Nanos(options_.open.duration)) *
                        std::pow(options_.open.duration_multiplier,
                                 static_cast<double>(seen_.reopenings));
    return std::llround(std::min(time, longest));
  }
  int64_t Longest() const { return Nanos(options_.open.duration_max); }
  uint64_t CallsToRefuse() const {
    if (!options_.open.pace_by_calls.has_value()) return 0;
    const double calls =
        std::max(1 / options_.open.pace_by_calls->probe_share,
                 2 * std::sqrt(static_cast<double>(calls_in_outage_)));
    return static_cast<uint64_t>(std::max(1.0, std::round(calls)));
  }

  void BeginOpenTime() {
    const int64_t asked_for =
        Nanos(std::min(asked_for_, options_.open.duration_max));
    look_at_ = opened_at_ + std::max(asked_for, Shortest());
    told_end_ = ExpectedEnd(asked_at_open_, opened_at_);
  }

  bool OpenTimeIsOver() const {
    return Now() >= look_at_ && (Asked() - asked_at_open_ >= CallsToRefuse() ||
                                 Now() - opened_at_ >= Longest());
  }

  // Calls look how many they are once in a millisecond.
  void LookHowManyAsked() {
    if (!OpenTimeIsOver()) {
      look_at_ = std::min(Now() + 1'000'000, opened_at_ + Longest());
    }
    told_end_ = ExpectedEnd(Asked(), Now());
  }

  // If calls go on to come as they did.
  int64_t ExpectedEnd(uint64_t asked, int64_t now) const {
    const uint64_t since = asked - asked_at_open_;
    if (since >= CallsToRefuse()) return look_at_;
    const int64_t last = std::max(look_at_, opened_at_ + Longest());
    const double rate =
        since == 0 ? calls_per_second_ : PerSecond(since, now - opened_at_);
    const double seconds = static_cast<double>(CallsToRefuse() - since) / rate;
    if (!(seconds < static_cast<double>(last - now) / 1e9)) return last;
    return std::max<int64_t>(look_at_, now + std::llround(seconds * 1e9));
  }

  static double PerSecond(uint64_t calls, int64_t time) {
    return static_cast<double>(calls) /
           (static_cast<double>(std::max<int64_t>(time, 1)) / 1e9);
  }

  uint64_t Asked() const {
    uint64_t asked = seen_.requests;
    for (const uint64_t refused : seen_.refused) asked += refused;
    // Nobody would have sent those.
    return asked -
           seen_.refused[static_cast<int>(RefusalReason::kTooManyCalls)];
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
    calls_per_second_ = PerSecond(recent, time);
    asked_at_open_ = Asked();
  }

  void HalfOpenIfTime() {
    if (state_ == State::kOpen && mode_ != Mode::kForcedOpen &&
        OpenTimeIsOver()) {
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
    if (state_ == State::kHalfOpen) transition.window.successes += progressed_;
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
      BeginOpenTime();
      transition.open_for = OpenRemaining();
      seen_.last_trip = transition;
    } else if (to == State::kClosed) {
      seen_.reopenings = 0;
    }
    if (state_ == State::kClosed) left_closed_ = transition;
    RestartEvidence();
    if (to == State::kHalfOpen) {
      paused_for_ = Shortest();
      paused_calls_ = CallsToRefuse();
      asked_at_half_open_ = Asked();
      share_since_ = Now();
      look_at_ = Now();
      ramp_ = 0;
      step_ = 0;
      first_of_step_ = 0;
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
      return absl::Nanoseconds(ExpectedEnd(Asked(), Now()) - Now());
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

  int64_t places_held_ = 0;  // under max_calls_in_flight

  std::deque<Finished> finished_;  // in this era
  int64_t window_start_ = 0;
  int64_t failures_in_row_ = 0;
  int64_t successes_in_row_ = 0;

  static constexpr int64_t kTimeUnit = 1 << 14;
  int64_t evidence_ = 0;
  int64_t balance_ = 0;
  int64_t troubles_ = 0;  // failures
  int64_t well_for_ = 0;  // successes since the last one
  std::optional<int64_t> interval_start_;
  double ceiling_ = 0;

  // Half-open. Until a probe has succeeded, others go as far apart as the
  // breaker was open for.
  int64_t paused_for_ = 0;
  uint64_t paused_calls_ = 0;
  uint64_t asked_at_half_open_ = 0;
  int64_t answers_ = 0;  // successes on the ramp
  int64_t slowest_ = 0;  // of them
  int step_ = 0;
  double ramp_ = 0;  // the balance
  int64_t first_of_step_ = 0;
  int64_t share_since_ = 0;
  double turns_ = 0;

  int64_t look_at_ = 0;   // calls that come before are refused
  int64_t told_end_ = 0;  // what refused calls are told
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
