// A StateMachine, the time and the calls that it is told of, and verbs that
// take it from state to state.
//
//   Driven driven;
//   driven.Trip();
//   driven.Commit(driven->DecideReset());
//   EXPECT_EQ(driven->state(), State::kClosed);
//
// A verb that cannot do its work fails the test.
#ifndef AUTOBREAKER_TESTS_BREAKER_INTERNAL_STATE_MACHINE_DRIVER_H_
#define AUTOBREAKER_TESTS_BREAKER_INTERNAL_STATE_MACHINE_DRIVER_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/half_open.h"
#include "autobreaker/breaker/internal/rules.h"
#include "autobreaker/breaker/internal/state_machine.h"
#include "autobreaker/breaker/internal/terms.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/types.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {

inline constexpr MonotonicTime kStart{std::chrono::hours(1)};
inline const absl::Time kWallStart = absl::FromUnixSeconds(1'700'000'000);
inline constexpr absl::Duration kInstant = absl::Nanoseconds(1);

// A machine, and around it the time and the calls that it is told of.
class Driven {
 public:
  explicit Driven(const BreakerOptions& options = ExactOptions(),
                  bool times_calls = false)
      : machine_(Rules::Of(options), times_calls, /*seed=*/1, kStart,
                 kWallStart) {}

  StateMachine* operator->() { return &machine_; }
  const StateMachine* operator->() const { return &machine_; }

  void Commit(StateMachine::Move move) {
    machine_.Commit(std::move(move), totals, now, wall_now);
  }
  // The same, and answers what is told of it.
  std::shared_ptr<const Transition> CommitAndTell(StateMachine::Move move) {
    std::shared_ptr<const Transition> told = move.transition;
    Commit(std::move(move));
    return told;
  }

  void Wait(absl::Duration by) {
    now += absl::ToChronoNanoseconds(by);
    wall_now += by;
  }
  void Fail(int count) {
    totals.judged.failures += count;
    totals.failures_in_a_row += count;
    totals.asked += count;
  }

  // A failure of now that seems to open the breaker.
  StateMachine::Suspicion Suspicion() const {
    StateMachine::Suspicion suspicion;
    suspicion.generation = machine_.generation();
    suspicion.failures_in_a_row = totals.failures_in_a_row;
    return suspicion;
  }
  StateMachine::Move DecideTrip() const {
    return machine_.DecideTrip(Suspicion(), totals.judged);
  }
  // Takes a probe and ends it. Say what follows with DecideRecovery().
  void EndProbe(bool failed, bool slow) {
    const std::optional<HalfOpen::Answer> answer =
        machine_.TakeProbe(totals.asked, now);
    ASSERT_TRUE(answer.has_value());
    ASSERT_TRUE(machine_.EndProbe(machine_.generation(), answer->probe, failed,
                                  slow, now));
    ++(failed ? totals.judged.failures : totals.judged.successes);
    totals.judged.slow += slow ? 1 : 0;
  }
  StateMachine::Move DecideRecovery(
      bool failed, bool slow,
      absl::Duration retry_after = absl::ZeroDuration()) const {
    return machine_.DecideRecovery(failed, slow, retry_after, totals.judged,
                                   now);
  }

  // From closed to open.
  void Trip() {
    Fail(20);
    Commit(DecideTrip());
    ASSERT_EQ(machine_.state(), State::kOpen);
  }
  // From open to half-open.
  void Try() {
    now = machine_.terms().admission.refuse_until;
    totals.asked += 1000;  // enough for any pace
    Commit(machine_.DecideHalfOpen(totals.asked, now));
    ASSERT_EQ(machine_.state(), State::kHalfOpen);
  }
  // From half-open to open.
  void Reopen() {
    EndProbe(/*failed=*/true, /*slow=*/false);
    Commit(DecideRecovery(/*failed=*/true, /*slow=*/false));
    ASSERT_EQ(machine_.state(), State::kOpen);
  }
  // From half-open to closed.
  void Recover() {
    for (int i = 0; i < 3; ++i) EndProbe(/*failed=*/false, /*slow=*/false);
    Commit(DecideRecovery(/*failed=*/false, /*slow=*/false));
    ASSERT_EQ(machine_.state(), State::kClosed);
  }
  void SetMode(Mode mode, std::optional<MonotonicTime> until = std::nullopt) {
    Commit(machine_.DecideMode({mode, until}));
    ASSERT_EQ(machine_.mode(), mode);
  }
  void Configure(Mode mode) {
    Commit(machine_.DecidePolicy(nullptr, mode));
    ASSERT_EQ(machine_.mode(), mode);
  }

  BreakerSnapshot Describe() const {
    BreakerSnapshot s;
    machine_.Describe(totals.judged, totals.asked, now, &s);
    return s;
  }
  absl::Duration Refuses() const {
    return absl::FromChrono(machine_.terms().admission.refuse_until - now);
  }

  MonotonicTime now = kStart;
  absl::Time wall_now = kWallStart;
  StateMachine::Totals totals;

 private:
  StateMachine machine_;
};

// All that can be seen of a machine, to be compared.
inline std::string Seen(const Driven& driven) {
  std::ostringstream seen;
  const Terms terms = driven->terms();
  std::array<uint64_t, sizeof(terms) / sizeof(uint64_t)> words;
  std::memcpy(words.data(), &terms, sizeof(terms));
  seen << "terms";
  for (const uint64_t word : words) seen << ' ' << word;
  const BreakerSnapshot s = driven.Describe();
  seen << "\nmode " << ToString(s.mode) << ' ' << s.mode_remaining << ' '
       << ToString(s.next_mode) << " state " << ToString(s.state) << ' '
       << s.last_transition_time << " window " << s.window.successes << ' '
       << s.window.failures << ' ' << s.window.slow << ' '
       << s.consecutive_failures << " outage " << s.reopenings << ' '
       << s.evidence << ' ' << s.open_remaining << " probes "
       << s.probes_in_flight << ' ' << s.probe_successes << " transitions "
       << s.transition_count;
  for (const auto& row : s.transitions) {
    for (const uint64_t count : row) seen << ' ' << count;
  }
  seen << " trips";
  for (const uint64_t count : s.trips) seen << ' ' << count;
  seen << " configured " << ToString(driven->configured_mode());
  return seen.str();
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_BREAKER_INTERNAL_STATE_MACHINE_DRIVER_H_
