#include "autobreaker/examples/demo/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/examples/shop/fault_schedule.h"

namespace autobreaker::demo {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Screen kPlain;
constexpr Screen kTerminal = {true, true};
constexpr Screen kTerminalWithoutColor = {true, false};
constexpr char kEscape[] = "\x1b";

Transition MakeTransition(State from, State to, TransitionReason reason) {
  Transition transition;
  transition.key = {"shop", "autobreaker.shop.Shop", "PlaceOrder"};
  transition.from = from;
  transition.to = to;
  transition.reason = reason;
  return transition;
}

BreakerSnapshot MakeSnapshot(State state) {
  BreakerSnapshot snapshot;
  snapshot.key = {"shop", "autobreaker.shop.Shop", "PlaceOrder"};
  snapshot.state = state;
  snapshot.evidence = std::numeric_limits<double>::quiet_NaN();
  return snapshot;
}

TEST(TransitionLine, SaysWhyABreakerOpenedAndForHowLong) {
  Transition transition = MakeTransition(State::kClosed, State::kOpen,
                                         TransitionReason::kFailureRate);
  transition.window.failures = 14;
  transition.window.successes = 27;
  transition.failure_rate = 14.0 / 41;
  transition.open_for = absl::Milliseconds(1920);
  EXPECT_EQ(TransitionLine(kPlain, absl::Milliseconds(12'400), transition),
            "  12.4s  PlaceOrder      closed -> open 1.9s     "
            "failure_rate 34.1% of 41 calls\n");
}

TEST(TransitionLine, SaysWhichServerFailedMost) {
  Transition transition = MakeTransition(State::kHalfOpen, State::kOpen,
                                         TransitionReason::kProbeFailed);
  transition.failing_peers = {20, {{"10.0.0.3:50051", 18}}};
  EXPECT_THAT(TransitionLine(kPlain, absl::Seconds(1), transition),
              HasSubstr("probe_failed, 18 of 20 failures at 10.0.0.3:50051\n"));
}

TEST(TransitionLine, SaysHowManyFailuresInARowAreTheEvidence) {
  Transition transition =
      MakeTransition(State::kClosed, State::kOpen, TransitionReason::kEvidence);
  transition.window.failures = 4;
  transition.window.successes = 32;
  transition.consecutive_failures = 4;
  transition.open_for = absl::Milliseconds(520);
  EXPECT_EQ(TransitionLine(kPlain, absl::Milliseconds(2240), transition),
            "   2.2s  PlaceOrder      closed -> open 0.5s     "
            "evidence 4 failures in a row\n");
}

TEST(TransitionLine, SaysWhichShareIsTheEvidenceIfNotAllFailed) {
  Transition transition =
      MakeTransition(State::kClosed, State::kOpen, TransitionReason::kEvidence);
  transition.window.failures = 10;
  transition.window.successes = 36;
  transition.consecutive_failures = 2;
  EXPECT_THAT(TransitionLine(kPlain, absl::Seconds(1), transition),
              HasSubstr("  evidence 10 of 46 calls failed\n"));
}

TEST(TransitionLine, SaysHowManyCallsWereSlow) {
  Transition transition = MakeTransition(State::kClosed, State::kOpen,
                                         TransitionReason::kSlowCallRate);
  transition.window.successes = 40;
  transition.window.slow = 12;
  transition.open_for = absl::Seconds(2);
  EXPECT_THAT(TransitionLine(kPlain, absl::Seconds(1), transition),
              HasSubstr("closed -> open 2.0s     slow_call_rate 30.0% of 40"));
}

TEST(TransitionLine, SaysHowProbesEnded) {
  Transition failed = MakeTransition(State::kHalfOpen, State::kOpen,
                                     TransitionReason::kProbeFailed);
  failed.open_for = absl::Seconds(3);
  EXPECT_THAT(TransitionLine(kPlain, absl::Seconds(1), failed),
              HasSubstr("half-open -> open 3.0s  probe_failed\n"));
  Transition succeeded = MakeTransition(State::kHalfOpen, State::kClosed,
                                        TransitionReason::kProbesSucceeded);
  succeeded.window.successes = 3;
  EXPECT_THAT(TransitionLine(kPlain, absl::Seconds(1), succeeded),
              HasSubstr("half-open -> closed     probes_succeeded 3\n"));
}

TEST(TransitionLine, HasNoTimeIfForcedOpenForGood) {
  Transition transition =
      MakeTransition(State::kClosed, State::kOpen, TransitionReason::kForced);
  transition.open_for = absl::InfiniteDuration();
  EXPECT_THAT(TransitionLine(kPlain, absl::Seconds(1), transition),
              HasSubstr("closed -> open          forced\n"));
}

TEST(TransitionLine, HasColorOnlyWhereItIsWanted) {
  const Transition transition = MakeTransition(
      State::kOpen, State::kHalfOpen, TransitionReason::kOpenTimeElapsed);
  const auto line = [&transition](const Screen& screen) {
    return TransitionLine(screen, absl::Seconds(1), transition);
  };
  EXPECT_THAT(line(kTerminal), HasSubstr("\x1b[33mopen -> half-open"));
  EXPECT_THAT(line(kTerminalWithoutColor), Not(HasSubstr(kEscape)));
  EXPECT_EQ(line(kTerminalWithoutColor), line(kPlain));
}

TEST(FaultLine, SaysWhatTheServerDoes) {
  EXPECT_EQ(
      FaultLine(kPlain, {absl::Seconds(9), ShopMethod::kUpload, Fault::kHangs}),
      "   9.0s  UploadReceipts  the server hangs until the deadline has "
      "passed\n");
}

TEST(Rows, CountWhatHappenedSinceTheSnapshotBefore) {
  BreakerSnapshot before = MakeSnapshot(State::kClosed);
  before.requests = 100;
  before.failures = 10;
  before.refused = {7, 0, 0};
  BreakerSnapshot now = MakeSnapshot(State::kOpen);
  now.requests = 120;
  now.failures = 25;
  now.refused = {17, 2, 1};
  now.evidence = 0.34;
  now.open_remaining = absl::Milliseconds(1200);
  EXPECT_EQ(Rows(kPlain, absl::Seconds(12), {before}, {now}),
            "  12.0s  PlaceOrder      open 1.2s      "
            "33 calls   15 failed   13 refused   evidence  34%\n");
}

TEST(Rows, ANewBreakerCountsFromNothing) {
  BreakerSnapshot now = MakeSnapshot(State::kClosed);
  now.requests = 5;
  BreakerSnapshot other = MakeSnapshot(State::kClosed);
  other.key.method = "Other";
  other.requests = 4;
  EXPECT_EQ(Rows(kPlain, absl::Seconds(1), {other}, {now}),
            "   1.0s  PlaceOrder      closed         "
            " 5 calls    0 failed    0 refused   evidence    -\n");
}

TEST(Rows, SayWhatAnOperatorForced) {
  BreakerSnapshot now = MakeSnapshot(State::kOpen);
  now.mode = Mode::kForcedOpen;
  now.open_remaining = absl::InfiniteDuration();
  EXPECT_THAT(Rows(kPlain, absl::Seconds(1), {}, {now}),
              HasSubstr("  forced open     0 calls"));
  now = MakeSnapshot(State::kClosed);
  now.mode = Mode::kForcedClosed;
  EXPECT_THAT(Rows(kPlain, absl::Seconds(1), {}, {now}),
              HasSubstr("  forced closed   0 calls"));
}

TEST(Rows, HaveWhatShadowModeWouldRefuseInParentheses) {
  BreakerSnapshot before = MakeSnapshot(State::kOpen);
  before.mode = Mode::kShadow;
  BreakerSnapshot now = before;
  now.requests = 30;
  now.shadow_refused = {12, 1, 0};
  EXPECT_THAT(Rows(kPlain, absl::Seconds(1), {before}, {now}),
              HasSubstr(" 30 calls    0 failed (13) refused"));
}

TEST(Rows, OnATerminalHaveAHeaderAndABar) {
  BreakerSnapshot now = MakeSnapshot(State::kHalfOpen);
  now.evidence = 0.34;
  EXPECT_EQ(
      Rows(kTerminalWithoutColor, absl::Seconds(1), {}, {now}),
      "\n"
      "         method          state         calls/s failed  refused  "
      "evidence\n"
      "         PlaceOrder      half-open           0      0        0   34% "
      "####......\n");
  EXPECT_THAT(Rows(kTerminal, absl::Seconds(1), {}, {now}),
              HasSubstr("\x1b[33m####......\x1b[0m"));
}

TEST(Rows, BarsGoFromNothingToAll) {
  BreakerSnapshot now = MakeSnapshot(State::kClosed);
  const auto rows = [&now](double evidence) {
    now.evidence = evidence;
    return Rows(kTerminalWithoutColor, absl::Seconds(1), {}, {now});
  };
  EXPECT_THAT(rows(std::numeric_limits<double>::quiet_NaN()),
              HasSubstr("   - ..........\n"));
  EXPECT_THAT(rows(0), HasSubstr("  0% ..........\n"));
  // However little, it is to be seen.
  EXPECT_THAT(rows(0.001), HasSubstr("  0% #.........\n"));
  EXPECT_THAT(rows(1), HasSubstr("100% ##########\n"));
}

TEST(Rows, OnATerminalFitTheScreen) {
  BreakerSnapshot now = MakeSnapshot(State::kOpen);
  now.key.method = "UploadReceipts";
  now.open_remaining = absl::Seconds(100);
  now.requests = now.failures = 99'999;
  now.refused = {99'999, 0, 0};
  now.evidence = 1;
  for (const absl::string_view line : absl::StrSplit(
           Rows(kTerminalWithoutColor, absl::Seconds(1), {}, {now}), '\n')) {
    EXPECT_LE(line.size(), static_cast<size_t>(kColumns)) << line;
  }
}

TEST(Summary, AddsUp) {
  BreakerSnapshot snapshot = MakeSnapshot(State::kClosed);
  snapshot.requests = 573;
  snapshot.successes = 555;
  snapshot.failures = 16;
  snapshot.ignored = 2;
  snapshot.refused = {100, 31, 0};
  snapshot.trips = {1, 0, 0, 1, 0, 0};
  EXPECT_EQ(
      Summary(absl::Seconds(22), {snapshot}),
      "\nSummary after 22.0s\n"
      "  method             calls  succeeded  failed  ignored  refused  trips"
      "  state\n"
      "  PlaceOrder           704        555      16        2      131      2"
      "  closed\n");
}

TEST(Summary, TellsWhatShadowModeLetPass) {
  BreakerSnapshot snapshot = MakeSnapshot(State::kClosed);
  snapshot.shadow_refused = {12, 1, 0};
  EXPECT_THAT(
      Summary(absl::Seconds(22), {snapshot, snapshot}),
      HasSubstr("  In shadow mode 26 calls passed that would be refused.\n"));
  EXPECT_THAT(Summary(absl::Seconds(22), {MakeSnapshot(State::kClosed)}),
              Not(HasSubstr("shadow")));
}

TEST(Painter, PlainTextOnlyGrows) {
  Painter painter(kPlain);
  EXPECT_EQ(painter.SetRows("rows 1\n"), "rows 1\n");
  EXPECT_EQ(painter.AddEvents("event\n"), "event\n");
  EXPECT_EQ(painter.SetRows("rows 2\n"), "rows 2\n");
  EXPECT_EQ(painter.AddEvents(""), "");
  EXPECT_EQ(painter.SetRows(""), "");
}

TEST(Painter, OnATerminalRowsAreDrawnOverTheOldOnes) {
  Painter painter(kTerminal);
  EXPECT_EQ(painter.SetRows("a\nb\n"), "a\nb\n");
  EXPECT_EQ(painter.SetRows("c\n"), "\r\x1b[2A\x1b[Jc\n");
  EXPECT_EQ(painter.SetRows(""), "\r\x1b[1A\x1b[J");
  EXPECT_EQ(painter.SetRows(""), "");
}

TEST(Painter, OnATerminalEventsStayAboveTheRows) {
  Painter painter(kTerminal);
  EXPECT_EQ(painter.AddEvents("early\n"), "early\n");
  painter.SetRows("a\nb\n");
  EXPECT_EQ(painter.AddEvents("late\n"), "\r\x1b[2A\x1b[Jlate\na\nb\n");
  EXPECT_EQ(painter.AddEvents(""), "");
}

}  // namespace
}  // namespace autobreaker::demo
