// Each event in each state and mode of the state machine: where it leads, and
// what holds wherever it does. Facts of one case are in state_machine_test.cc.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "autobreaker/breaker/internal/state_machine.h"
#include "autobreaker/tests/breaker/internal/state_machine_driver.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::std::chrono::hours;
using ::std::chrono::seconds;

constexpr State kClosed = State::kClosed;
constexpr State kOpen = State::kOpen;
constexpr State kHalfOpen = State::kHalfOpen;
constexpr Mode kAutomatic = Mode::kAutomatic;
constexpr Mode kForcedOpen = Mode::kForcedOpen;
constexpr Mode kForcedClosed = Mode::kForcedClosed;
constexpr Mode kShadow = Mode::kShadow;

// Every mode but the configured one ends then.
constexpr MonotonicTime kModeEnd = kStart + hours(1);

enum class Event {
  kTooManyFailures,
  kCallAfterTheOpenTime,
  kCallBeforeItsEnd,
  kProbeFails,
  kProbeIsSlow,
  kProbeSucceeds,
  kLastProbeSucceeds,
  kForceOpen,
  kForceClosed,
  kSetShadow,
  kSetAutomatic,
  kModeEnds,
  kReset,
  kSameRules,
};
constexpr Event kEvents[] = {
    Event::kTooManyFailures,
    Event::kCallAfterTheOpenTime,
    Event::kCallBeforeItsEnd,
    Event::kProbeFails,
    Event::kProbeIsSlow,
    Event::kProbeSucceeds,
    Event::kLastProbeSucceeds,
    Event::kForceOpen,
    Event::kForceClosed,
    Event::kSetShadow,
    Event::kSetAutomatic,
    Event::kModeEnds,
    Event::kReset,
    Event::kSameRules,
};

bool IsOfAProbe(Event event) {
  return event >= Event::kProbeFails && event <= Event::kLastProbeSucceeds;
}

// Where a machine can be.
struct Place {
  State state;
  Mode mode;
};
constexpr Place kPlaces[] = {
    {kClosed, kAutomatic}, {kOpen, kAutomatic},      {kHalfOpen, kAutomatic},
    {kClosed, kShadow},    {kOpen, kShadow},         {kHalfOpen, kShadow},
    {kOpen, kForcedOpen},  {kClosed, kForcedClosed},
};

// What an event does there. In all other places it does nothing, but that
// kReset has closed forget.
constexpr struct {
  Event event;
  Place from;
  Place to;
  std::optional<TransitionReason> reason;  // if the state changes
} kMoves[] = {
    {Event::kTooManyFailures,
     {kClosed, kAutomatic},
     {kOpen, kAutomatic},
     TransitionReason::kFailureRate},
    {Event::kTooManyFailures,
     {kClosed, kShadow},
     {kOpen, kShadow},
     TransitionReason::kFailureRate},

    {Event::kCallAfterTheOpenTime,
     {kOpen, kAutomatic},
     {kHalfOpen, kAutomatic},
     TransitionReason::kOpenTimeElapsed},
    {Event::kCallAfterTheOpenTime,
     {kOpen, kShadow},
     {kHalfOpen, kShadow},
     TransitionReason::kOpenTimeElapsed},

    {Event::kProbeFails,
     {kHalfOpen, kAutomatic},
     {kOpen, kAutomatic},
     TransitionReason::kProbeFailed},
    {Event::kProbeFails,
     {kHalfOpen, kShadow},
     {kOpen, kShadow},
     TransitionReason::kProbeFailed},
    {Event::kProbeIsSlow,
     {kHalfOpen, kAutomatic},
     {kOpen, kAutomatic},
     TransitionReason::kProbeSlow},
    {Event::kProbeIsSlow,
     {kHalfOpen, kShadow},
     {kOpen, kShadow},
     TransitionReason::kProbeSlow},
    {Event::kLastProbeSucceeds,
     {kHalfOpen, kAutomatic},
     {kClosed, kAutomatic},
     TransitionReason::kProbesSucceeded},
    {Event::kLastProbeSucceeds,
     {kHalfOpen, kShadow},
     {kClosed, kShadow},
     TransitionReason::kProbesSucceeded},

    {Event::kForceOpen,
     {kClosed, kAutomatic},
     {kOpen, kForcedOpen},
     TransitionReason::kForced},
    {Event::kForceOpen, {kOpen, kAutomatic}, {kOpen, kForcedOpen}, {}},
    {Event::kForceOpen,
     {kHalfOpen, kAutomatic},
     {kOpen, kForcedOpen},
     TransitionReason::kForced},
    {Event::kForceOpen,
     {kClosed, kShadow},
     {kOpen, kForcedOpen},
     TransitionReason::kForced},
    {Event::kForceOpen, {kOpen, kShadow}, {kOpen, kForcedOpen}, {}},
    {Event::kForceOpen,
     {kHalfOpen, kShadow},
     {kOpen, kForcedOpen},
     TransitionReason::kForced},
    {Event::kForceOpen,
     {kClosed, kForcedClosed},
     {kOpen, kForcedOpen},
     TransitionReason::kForced},

    {Event::kForceClosed, {kClosed, kAutomatic}, {kClosed, kForcedClosed}, {}},
    {Event::kForceClosed,
     {kOpen, kAutomatic},
     {kClosed, kForcedClosed},
     TransitionReason::kForced},
    {Event::kForceClosed,
     {kHalfOpen, kAutomatic},
     {kClosed, kForcedClosed},
     TransitionReason::kForced},
    {Event::kForceClosed, {kClosed, kShadow}, {kClosed, kForcedClosed}, {}},
    {Event::kForceClosed,
     {kOpen, kShadow},
     {kClosed, kForcedClosed},
     TransitionReason::kForced},
    {Event::kForceClosed,
     {kHalfOpen, kShadow},
     {kClosed, kForcedClosed},
     TransitionReason::kForced},
    {Event::kForceClosed,
     {kOpen, kForcedOpen},
     {kClosed, kForcedClosed},
     TransitionReason::kForced},

    {Event::kSetShadow, {kClosed, kAutomatic}, {kClosed, kShadow}, {}},
    {Event::kSetShadow, {kOpen, kAutomatic}, {kOpen, kShadow}, {}},
    {Event::kSetShadow, {kHalfOpen, kAutomatic}, {kHalfOpen, kShadow}, {}},
    {Event::kSetShadow,
     {kOpen, kForcedOpen},
     {kHalfOpen, kShadow},
     TransitionReason::kForced},
    {Event::kSetShadow, {kClosed, kForcedClosed}, {kClosed, kShadow}, {}},

    {Event::kSetAutomatic, {kClosed, kShadow}, {kClosed, kAutomatic}, {}},
    {Event::kSetAutomatic, {kOpen, kShadow}, {kOpen, kAutomatic}, {}},
    {Event::kSetAutomatic, {kHalfOpen, kShadow}, {kHalfOpen, kAutomatic}, {}},
    {Event::kSetAutomatic,
     {kOpen, kForcedOpen},
     {kHalfOpen, kAutomatic},
     TransitionReason::kForced},
    {Event::kSetAutomatic, {kClosed, kForcedClosed}, {kClosed, kAutomatic}, {}},

    {Event::kModeEnds, {kClosed, kShadow}, {kClosed, kAutomatic}, {}},
    {Event::kModeEnds, {kOpen, kShadow}, {kOpen, kAutomatic}, {}},
    {Event::kModeEnds, {kHalfOpen, kShadow}, {kHalfOpen, kAutomatic}, {}},
    {Event::kModeEnds,
     {kOpen, kForcedOpen},
     {kHalfOpen, kAutomatic},
     TransitionReason::kForced},
    {Event::kModeEnds, {kClosed, kForcedClosed}, {kClosed, kAutomatic}, {}},

    {Event::kReset,
     {kOpen, kAutomatic},
     {kClosed, kAutomatic},
     TransitionReason::kForced},
    {Event::kReset,
     {kHalfOpen, kAutomatic},
     {kClosed, kAutomatic},
     TransitionReason::kForced},
    {Event::kReset,
     {kOpen, kShadow},
     {kClosed, kShadow},
     TransitionReason::kForced},
    {Event::kReset,
     {kHalfOpen, kShadow},
     {kClosed, kShadow},
     TransitionReason::kForced},
};

struct Expected {
  Place to;
  std::optional<TransitionReason> reason;
};
Expected ExpectedOf(Event event, const Place& from) {
  for (const auto& move : kMoves) {
    if (move.event == event && move.from.state == from.state &&
        move.from.mode == from.mode) {
      return {move.to, move.reason};
    }
  }
  return {from, std::nullopt};
}
bool Changes(Event event, const Place& from) {
  const Expected expected = ExpectedOf(event, from);
  return expected.to.state != from.state || expected.to.mode != from.mode;
}
bool Forgets(Event event, const Place& from) {
  return event == Event::kReset && from.state == kClosed;
}

Driven At(const Place& place) {
  Driven driven;
  if (place.mode != kAutomatic) driven.SetMode(place.mode, kModeEnd);
  if (place.mode != kForcedOpen && place.state != kClosed) driven.Trip();
  if (place.state == kHalfOpen) driven.Try();
  EXPECT_EQ(driven->state(), place.state);
  EXPECT_EQ(driven->mode(), place.mode);
  return driven;
}

// What comes before the decision.
void Prepare(Event event, Driven* driven) {
  switch (event) {
    case Event::kTooManyFailures:
      return driven->Fail(20);
    case Event::kCallAfterTheOpenTime:
      return driven->Wait(absl::Seconds(5));
    case Event::kCallBeforeItsEnd:
      return driven->Wait(absl::Seconds(5) - kInstant);
    case Event::kProbeFails:
      return driven->EndProbe(/*failed=*/true, /*slow=*/false);
    case Event::kProbeIsSlow:
      return driven->EndProbe(/*failed=*/false, /*slow=*/true);
    case Event::kLastProbeSucceeds:
      driven->EndProbe(/*failed=*/false, /*slow=*/false);
      driven->EndProbe(/*failed=*/false, /*slow=*/false);
      return driven->EndProbe(/*failed=*/false, /*slow=*/false);
    case Event::kProbeSucceeds:
      return driven->EndProbe(/*failed=*/false, /*slow=*/false);
    case Event::kModeEnds:
      driven->now = kModeEnd;
      return;
    default:
      return;
  }
}

StateMachine::Move Decide(Event event, const Driven& driven) {
  switch (event) {
    case Event::kTooManyFailures:
      return driven.DecideTrip();
    case Event::kCallAfterTheOpenTime:
    case Event::kCallBeforeItsEnd:
      return driven->DecideHalfOpen(driven.totals.asked, driven.now);
    case Event::kProbeFails:
      return driven.DecideRecovery(/*failed=*/true, /*slow=*/false);
    case Event::kProbeIsSlow:
      return driven.DecideRecovery(/*failed=*/false, /*slow=*/true);
    case Event::kProbeSucceeds:
    case Event::kLastProbeSucceeds:
      return driven.DecideRecovery(/*failed=*/false, /*slow=*/false);
    case Event::kForceOpen:
      return driven->DecideMode({kForcedOpen, kModeEnd});
    case Event::kForceClosed:
      return driven->DecideMode({kForcedClosed, kModeEnd});
    case Event::kSetShadow:
      return driven->DecideMode({kShadow, kModeEnd});
    case Event::kSetAutomatic:
      return driven->DecideMode({kAutomatic, kModeEnd});
    case Event::kModeEnds:
      return driven->DecideModeEnd(driven.now);
    case Event::kReset:
      return driven->DecideReset();
    case Event::kSameRules:
      return driven->DecidePolicy(Rules::Of(ExactOptions()), std::nullopt);
  }
  return {};
}

// Calls `body` with each event in each place where there can be one.
template <typename Body>
void ForEachEvent(Body body) {
  for (const Place& from : kPlaces) {
    for (const Event event : kEvents) {
      if (IsOfAProbe(event) && from.state != kHalfOpen) continue;
      SCOPED_TRACE(::testing::Message()
                   << "event " << static_cast<int>(event) << " in "
                   << ToString(from.state) << ", " << ToString(from.mode));
      Driven driven = At(from);
      Prepare(event, &driven);
      if (::testing::Test::HasFailure()) return;
      body(event, from, &driven);
    }
  }
}

TEST(StateMachineTableTest, EachEventLeadsToItsStateAndMode) {
  ForEachEvent([](Event event, const Place& from, Driven* driven) {
    driven->Commit(Decide(event, *driven));
    EXPECT_EQ((*driven)->state(), ExpectedOf(event, from).to.state);
    EXPECT_EQ((*driven)->mode(), ExpectedOf(event, from).to.mode);
  });
}

TEST(StateMachineTableTest, EachChangeOfStateIsToldWithItsReason) {
  ForEachEvent([](Event event, const Place& from, Driven* driven) {
    const std::optional<TransitionReason> reason =
        ExpectedOf(event, from).reason;
    const uint64_t before = driven->Describe().transition_count;
    const std::shared_ptr<const Transition> told =
        driven->CommitAndTell(Decide(event, *driven));
    ASSERT_EQ(told != nullptr, reason.has_value());
    EXPECT_EQ(driven->Describe().transition_count,
              before + (reason.has_value() ? 1 : 0));
    if (!reason.has_value()) return;
    EXPECT_EQ(told->from, from.state);
    EXPECT_EQ(told->to, (*driven)->state());
    EXPECT_EQ(told->reason, *reason);
    EXPECT_EQ(told->number, before + 1);
    EXPECT_EQ(told->time, driven->wall_now);
    EXPECT_EQ(driven->Describe().last_transition_time, driven->wall_now);
  });
}

TEST(StateMachineTableTest, ToDecideChangesNothing) {
  ForEachEvent([](Event event, const Place&, Driven* driven) {
    const std::string before = Seen(*driven);
    Decide(event, *driven);
    EXPECT_EQ(Seen(*driven), before);
  });
}

TEST(StateMachineTableTest, MoveThatChangesNothingLeavesAllAsItWas) {
  ForEachEvent([](Event event, const Place& from, Driven* driven) {
    if (Changes(event, from) || Forgets(event, from)) return;
    const std::string before = Seen(*driven);
    driven->Commit(Decide(event, *driven));
    EXPECT_EQ(Seen(*driven), before);
  });
}

TEST(StateMachineTableTest, ChangesOfStateAndResetsAloneStartAGeneration) {
  ForEachEvent([](Event event, const Place& from, Driven* driven) {
    const bool starts =
        ExpectedOf(event, from).to.state != from.state || Forgets(event, from);
    const uint64_t before = (*driven)->generation();
    StateMachine::Move move = Decide(event, *driven);
    EXPECT_EQ(move.starts_generation(), starts);
    driven->Commit(std::move(move));
    EXPECT_EQ((*driven)->generation(), before + (starts ? 1 : 0));
  });
}

TEST(StateMachineTableTest, GenerationBeginsWithAnEmptyWindow) {
  ForEachEvent([](Event event, const Place&, Driven* driven) {
    driven->Wait(absl::Milliseconds(1));
    driven->Fail(1);
    StateMachine::Move move = Decide(event, *driven);
    if (!move.starts_generation()) return;
    driven->Commit(std::move(move));
    const Terms terms = (*driven)->terms();
    EXPECT_EQ(terms.judgment.window_base, driven->totals.judged);
    EXPECT_EQ(terms.window_moves_at, driven->now + seconds(1));
  });
}

TEST(StateMachineTableTest, TermsTellStateModeAndGeneration) {
  ForEachEvent([](Event event, const Place&, Driven* driven) {
    driven->Commit(Decide(event, *driven));
    const StateMachine& machine = *driven->operator->();
    const StateWord word = machine.terms().admission.word;
    EXPECT_EQ(word.state(), machine.state());
    EXPECT_EQ(word.mode(), machine.mode());
    EXPECT_EQ(word.generation(), machine.generation());
    EXPECT_EQ(word.mode_ends(), machine.mode() != kAutomatic);
    if (word.mode_ends()) {
      EXPECT_EQ(machine.terms().admission.mode_until, kModeEnd);
    }
  });
}

TEST(StateMachineTableTest, ConfiguredModeActsAsOneThatIsSet) {
  for (const Place& from : kPlaces) {
    for (const auto& [event, mode] :
         {std::make_pair(Event::kForceOpen, kForcedOpen),
          std::make_pair(Event::kForceClosed, kForcedClosed),
          std::make_pair(Event::kSetShadow, kShadow),
          std::make_pair(Event::kSetAutomatic, kAutomatic)}) {
      Driven driven = At(from);
      driven.Commit(driven->DecidePolicy(nullptr, mode));
      EXPECT_EQ(driven->state(), ExpectedOf(event, from).to.state);
      EXPECT_EQ(driven->mode(), mode);
      EXPECT_EQ(driven->configured_mode(), mode);
      EXPECT_FALSE(driven->terms().admission.word.mode_ends());
    }
  }
}

TEST(StateMachineTableTest, DescriptionIsThatOfWhatTheNextCallMakes) {
  for (const Place& from : kPlaces) {
    for (const Mode configured :
         {kAutomatic, kForcedOpen, kForcedClosed, kShadow}) {
      for (const MonotonicTime::duration later :
           {hours(0), hours(1), hours(2)}) {
        SCOPED_TRACE(::testing::Message()
                     << ToString(from.state) << ", " << ToString(from.mode)
                     << ", then " << ToString(configured) << ", "
                     << later.count());
        Driven driven = At(from);
        driven.Configure(configured);
        driven.SetMode(from.mode, kModeEnd);
        driven.now += later;
        const BreakerSnapshot before = driven.Describe();
        driven.Commit(driven->DecideModeEnd(driven.now));
        driven.Commit(driven->DecideHalfOpen(driven.totals.asked, driven.now));
        const BreakerSnapshot after = driven.Describe();
        EXPECT_EQ(before.state, after.state);
        EXPECT_EQ(before.state, driven->state());
        EXPECT_EQ(before.mode, after.mode);
        EXPECT_EQ(before.mode, driven->mode());
        EXPECT_EQ(before.mode_remaining, after.mode_remaining);
        EXPECT_EQ(before.open_remaining, after.open_remaining);
        EXPECT_EQ(before.evidence, after.evidence);
        EXPECT_EQ(before.reopenings, after.reopenings);
      }
    }
  }
}

}  // namespace
}  // namespace autobreaker
