// The breaker against a plain model of it, under random operations.
#include <cmath>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/breaker/naive_breaker.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

bool Same(double a, double b) { return a == b || (a != a && b != b); }

bool Same(const Transition& a, const Transition& b) {
  return a.number == b.number && a.from == b.from && a.to == b.to &&
         a.reason == b.reason && a.time == b.time && a.window == b.window &&
         Same(a.failure_rate, b.failure_rate) &&
         a.consecutive_failures == b.consecutive_failures &&
         a.open_for == b.open_for;
}

// The names and values of the fields that differ; empty if none does.
std::string Difference(const BreakerSnapshot& real,
                       const BreakerSnapshot& model) {
  std::string text;
  const auto check = [&text](const char* field, const auto& a, const auto& b) {
    if (a == b) return;
    absl::StrAppend(&text, field, ": ", ::testing::PrintToString(a), ", not ",
                    ::testing::PrintToString(b), "\n");
  };
  check("mode", real.mode, model.mode);
  check("mode_remaining", real.mode_remaining, model.mode_remaining);
  check("state", real.state, model.state);
  check("requests", real.requests, model.requests);
  check("successes", real.successes, model.successes);
  check("failures", real.failures, model.failures);
  check("ignored", real.ignored, model.ignored);
  check("abandoned", real.abandoned, model.abandoned);
  check("in_flight", real.in_flight, model.in_flight);
  check("slow_calls", real.slow_calls, model.slow_calls);
  check("late_results", real.late_results, model.late_results);
  check("refused", real.refused, model.refused);
  check("shadow_refused", real.shadow_refused, model.shadow_refused);
  check("transition_count", real.transition_count, model.transition_count);
  check("transitions", real.transitions, model.transitions);
  check("trips", real.trips, model.trips);
  check("window", real.window, model.window);
  check("consecutive_failures", real.consecutive_failures,
        model.consecutive_failures);
  check("consecutive_successes", real.consecutive_successes,
        model.consecutive_successes);
  check("failures_until_trip", real.failures_until_trip.value_or(-1),
        model.failures_until_trip.value_or(-1));
  check("will_trip_next", real.will_trip_next, model.will_trip_next);
  check("probes_in_flight", real.probes_in_flight, model.probes_in_flight);
  check("probe_successes", real.probe_successes, model.probe_successes);
  if (!Same(real.evidence, model.evidence)) {
    absl::StrAppend(&text, "evidence: ", real.evidence, ", not ",
                    model.evidence, "\n");
  }
  check("open_remaining", real.open_remaining, model.open_remaining);
  check("reopenings", real.reopenings, model.reopenings);
  check("last_transition_time", real.last_transition_time,
        model.last_transition_time);
  if (real.options != model.options) text += "options\n";
  if (!Same(real.failure_rate, model.failure_rate)) text += "failure_rate\n";
  if (!Same(real.success_rate, model.success_rate)) text += "success_rate\n";
  if (real.last_trip.has_value() != model.last_trip.has_value() ||
      (real.last_trip.has_value() &&
       !Same(*real.last_trip, *model.last_trip))) {
    text += "last_trip\n";
  }
  return text;
}

class ModelTest : public ::testing::TestWithParam<int> {
 protected:
  ModelTest()
      : random_(GetParam()),
        options_(RandomOptions()),
        breaker_(options_),
        model_(options_, &breaker_.clock()) {}

  struct Held {
    Permit real;
    NaiveBreaker::Call model;
  };

  int64_t Pick(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % (most - least + 1));
  }
  bool OneIn(int64_t n) { return Pick(1, n) == 1; }

  BreakerOptions RandomOptions() {
    BreakerOptions o = ExactOptions();
    if (OneIn(2)) {
      o.trip.evidence = EvidenceOptions();
      o.trip.evidence->normal_failure_rate = Pick(1, 20) / 100.0;
      o.trip.evidence->break_even_failure_rate = Pick(25, 99) / 100.0;
      o.trip.evidence->calls_per_false_opening = Pick(1, 1000);
      o.trip.evidence->tolerated_burst = OneIn(10)
                                             ? absl::Microseconds(Pick(0, 40))
                                             : absl::Milliseconds(Pick(0, 300));
    }
    o.trip.failure_rate_threshold.reset();
    if (!o.trip.evidence.has_value() || OneIn(2)) {
      o.trip.failure_rate_threshold = Pick(1, 60) / 100.0;
    }
    if (OneIn(2)) {
      o.open.pace_by_calls = CallPacing();
      o.open.pace_by_calls->probe_share = Pick(1, 100) / 100.0;
    }
    o.trip.minimum_calls = Pick(1, 30);
    o.trip.window = absl::Milliseconds(Pick(1, 10) * 1000 + Pick(0, 3));
    o.trip.window_buckets = static_cast<int>(OneIn(5) ? 1 : Pick(1, 60));
    if (OneIn(3)) o.trip.consecutive_failures = Pick(1, 10);
    if (OneIn(3)) {
      o.trip.slow_call_duration = absl::Milliseconds(Pick(1, 1500));
      o.trip.slow_call_rate_threshold = Pick(1, 100) / 100.0;
    }
    o.open.duration = absl::Milliseconds(Pick(1, 4000));
    o.open.duration_multiplier = Pick(2, 6) / 2.0;
    o.open.duration_max = o.open.duration + absl::Seconds(Pick(0, 10));
    o.half_open.max_calls = Pick(1, 4);
    o.half_open.successes_to_close.reset();
    if (!o.trip.evidence.has_value() || OneIn(2)) {
      o.half_open.successes_to_close = Pick(1, 6);
    }
    o.half_open.lease = absl::Milliseconds(Pick(1, 5000));
    if (OneIn(3)) o.max_calls_in_flight = Pick(1, OneIn(2) ? 4 : 40);
    return o;
  }

  void Log(std::string operation) {
    log_.push_back(std::move(operation));
    if (log_.size() > 25) log_.pop_front();
  }

  void Ask() {
    Log("ask");
    Refusal refusal;
    Refusal expected;
    Permit permit = breaker_->TryAcquire(&refusal);
    const std::optional<NaiveBreaker::Call> call = model_.Ask(&expected);
    if (static_cast<bool>(permit) != call.has_value()) {
      error_ = permit ? "admitted, not refused" : "refused, not admitted";
    } else if (permit) {
      held_.push_back({std::move(permit), *call});
    } else if (refusal.reason != expected.reason ||
               refusal.retry_after != expected.retry_after) {
      error_ = "another refusal";
    }
  }

  void Settle(size_t which, Outcome outcome) {
    const absl::Duration retry_after =
        OneIn(5) ? absl::Milliseconds(Pick(-10, 15'000)) : absl::ZeroDuration();
    Log(absl::StrCat("settle call ", which, " of ", held_.size(), ": ",
                     std::string(ToString(outcome)), ", retry after ",
                     absl::FormatDuration(retry_after)));
    std::swap(held_[which], held_.back());
    Held held = std::move(held_.back());
    held_.pop_back();
    if (outcome == Outcome::kAbandoned && OneIn(2)) {
      held.real = Permit();
    } else {
      held.real.Record(outcome, retry_after);
    }
    model_.End(held.model, outcome, retry_after);
  }

  void Progress(size_t which) {
    Log(absl::StrCat("progress of call ", which, " of ", held_.size()));
    held_[which].real.Progressed();
    model_.Progress(&held_[which].model);
  }

  Outcome RandomOutcome() {
    if (OneIn(12)) return OneIn(2) ? Outcome::kIgnored : Outcome::kAbandoned;
    return Pick(0, 99) < failure_percent_ ? Outcome::kFailure
                                          : Outcome::kSuccess;
  }

  void Advance() {
    absl::Duration by = absl::Microseconds(Pick(0, 200'000));
    if (OneIn(10)) by = absl::Milliseconds(Pick(0, 5'000));
    if (OneIn(200)) by = absl::Seconds(Pick(0, 100));
    // Exactly to where something happens, if something is to.
    const absl::Duration remaining = time_left_;
    if (OneIn(10) && remaining != absl::InfiniteDuration()) by = remaining;
    Log("advance " + absl::FormatDuration(by));
    breaker_.clock().Advance(by);
  }

  void Update() {
    const BreakerOptions other = RandomOptions();
    // All of them, or a few.
    if (OneIn(2)) {
      options_ = other;
    } else if (OneIn(2)) {
      options_.open.duration = other.open.duration;
      options_.open.duration_max = other.open.duration_max;
      options_.max_calls_in_flight = other.max_calls_in_flight;
    } else {
      options_.trip.minimum_calls = other.trip.minimum_calls;
      options_.half_open.max_calls = other.half_open.max_calls;
    }
    Log("update");
    if (!breaker_->UpdateOptions(options_).ok()) error_ = "options refused";
    model_.Update(options_);
  }

  void SetMode() {
    const Mode mode =
        OneIn(2) ? Mode::kAutomatic : static_cast<Mode>(Pick(0, 3));
    const absl::Duration how_long =
        OneIn(2) ? absl::InfiniteDuration() : absl::Milliseconds(Pick(1, 9000));
    Log(absl::StrCat("mode ", std::string(ToString(mode)), " for ",
                     absl::FormatDuration(how_long)));
    breaker_->SetMode(mode, how_long);
    model_.SetMode(mode, how_long);
  }

  void Reset() {
    Log("reset");
    if (breaker_->Reset() != model_.Reset()) error_ = "reset";
  }

  void Compare() {
    Log("snapshot");
    const BreakerSnapshot model = model_.Look();
    time_left_ = OneIn(2) ? model.mode_remaining : model.open_remaining;
    error_ += Difference(breaker_.Snapshot(), model);
  }

  void Step() {
    // Health comes and goes.
    if (OneIn(100)) failure_percent_ = OneIn(2) ? Pick(0, 5) : Pick(0, 100);
    const int64_t what = Pick(0, 99);
    if (what < 32) {
      Ask();
    } else if (what < 35) {
      if (!held_.empty()) Progress(Pick(0, held_.size() - 1));
    } else if (what < 60) {
      if (!held_.empty()) Settle(held_.size() - 1, RandomOutcome());
    } else if (what < 72 || held_.size() > 50) {
      if (!held_.empty()) Settle(Pick(0, held_.size() - 1), RandomOutcome());
    } else if (what < 97) {
      Advance();
    } else if (what < 98) {
      Update();
    } else if (OneIn(4)) {
      SetMode();
    } else if (OneIn(10)) {
      Reset();
    }
  }

  // Looks after every step, or only now and then: a look brings the state
  // forward, and calls must be able to do that by themselves.
  void Run(int steps, int64_t look_one_in) {
    for (int step = 0; step < steps; ++step) {
      Step();
      if (error_.empty() && OneIn(look_one_in)) Compare();
      if (!error_.empty()) {
        std::string text;
        for (const std::string& operation : log_) text += operation + "\n";
        FAIL() << "seed " << GetParam() << ", step " << step << "\n"
               << error_ << "after\n"
               << text;
      }
    }
    Compare();
    EXPECT_EQ(error_, "");
  }

  std::mt19937_64 random_;
  BreakerOptions options_;
  TestBreaker breaker_;
  NaiveBreaker model_;
  std::vector<Held> held_;
  int64_t failure_percent_ = 10;
  absl::Duration time_left_;  // of open, or of the mode
  std::deque<std::string> log_;
  std::string error_;
};

TEST_P(ModelTest, AgreesAfterEveryOperation) { Run(100'000, 1); }

TEST_P(ModelTest, AgreesWithoutLooking) { Run(100'000, 20); }

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range(1, 9));

// The random operations above are worth little if they never get anywhere.
class ModelCoverageTest : public ModelTest {};

TEST_P(ModelCoverageTest, EveryKindOfTransitionHappens) {
  Run(200'000, 20);
  const BreakerSnapshot s = breaker_.Snapshot();
  EXPECT_GT(Transitions(s, State::kClosed, State::kOpen), 50);
  EXPECT_GT(Transitions(s, State::kOpen, State::kHalfOpen), 50);
  EXPECT_GT(Transitions(s, State::kOpen, State::kClosed), 5);
  EXPECT_GT(Transitions(s, State::kHalfOpen, State::kOpen), 50);
  EXPECT_GT(Transitions(s, State::kHalfOpen, State::kClosed), 20);
  for (const uint64_t trips : s.trips) EXPECT_GT(trips, 5);
  for (const uint64_t refused : s.refused) EXPECT_GT(refused, 50);
  EXPECT_GT(s.late_results, 100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelCoverageTest, ::testing::Values(1));

}  // namespace
}  // namespace autobreaker
