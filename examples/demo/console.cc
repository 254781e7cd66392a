#include "autobreaker/examples/demo/console.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker::demo {
namespace {

constexpr char kRed[] = "31";
constexpr char kGreen[] = "32";
constexpr char kYellow[] = "33";
constexpr char kGray[] = "90";
constexpr int kBarWidth = 10;

std::string Paint(const Screen& screen, const char* color,
                  absl::string_view text) {
  if (!screen.color) return std::string(text);
  return absl::StrCat("\x1b[", color, "m", text, "\x1b[0m");
}

const char* ColorOf(State state) {
  switch (state) {
    case State::kClosed:
      return kGreen;
    case State::kOpen:
      return kRed;
    case State::kHalfOpen:
      return kYellow;
  }
  return kGray;
}

std::string ForPeople(State state) {
  return state == State::kHalfOpen ? "half-open" : std::string(ToString(state));
}

std::string Seconds(absl::Duration duration) {
  return absl::StrFormat("%.1fs", absl::ToDoubleSeconds(duration));
}

// The beginning of every line: when, and which method.
std::string Start(absl::Duration elapsed, absl::string_view method) {
  return absl::StrFormat("%7s  %-14s  ", Seconds(elapsed), method);
}

std::string Percent(double share) {
  if (std::isnan(share)) return "-";
  return absl::StrFormat("%.0f%%", 100 * share);
}

std::string Bar(double share) {
  const int filled =
      std::isnan(share) ? 0 : static_cast<int>(std::ceil(share * kBarWidth));
  return std::string(filled, '#') + std::string(kBarWidth - filled, '.');
}

uint64_t Sum(const std::array<uint64_t, kRefusalReasonCount>& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

// The state, and who decides if it is not the breaker.
std::string StateOf(const BreakerSnapshot& snapshot) {
  const std::string state = ForPeople(snapshot.state);
  if (snapshot.mode == Mode::kForcedOpen ||
      snapshot.mode == Mode::kForcedClosed) {
    return absl::StrCat("forced ", state);
  }
  return snapshot.state == State::kOpen
             ? absl::StrCat(state, " ", Seconds(snapshot.open_remaining))
             : state;
}

std::string ReasonOf(const Transition& transition) {
  const std::string reason(ToString(transition.reason));
  const auto of_calls = [&](double rate) {
    return absl::StrFormat("%s %.1f%% of %d calls", reason, 100 * rate,
                           transition.window.finished());
  };
  switch (transition.reason) {
    case TransitionReason::kFailureRate:
      return of_calls(transition.failure_rate);
    case TransitionReason::kSlowCallRate:
      return of_calls(static_cast<double>(transition.window.slow) /
                      transition.window.finished());
    case TransitionReason::kConsecutiveFailures:
      return absl::StrCat(reason, " ", transition.consecutive_failures);
    case TransitionReason::kEvidence:
      // What convinces people most of what there is.
      return transition.consecutive_failures ==
                     static_cast<int64_t>(transition.window.failures)
                 ? absl::StrCat(reason, " ", transition.consecutive_failures,
                                " failures in a row")
                 : absl::StrFormat("%s %d of %d calls failed", reason,
                                   transition.window.failures,
                                   transition.window.finished());
    case TransitionReason::kProbesSucceeded:
      return absl::StrCat(reason, " ", transition.window.successes);
    default:
      return reason;
  }
}

}  // namespace

std::string TransitionLine(const Screen& screen, absl::Duration elapsed,
                           const Transition& transition) {
  std::string change = absl::StrCat(ForPeople(transition.from), " -> ",
                                    ForPeople(transition.to));
  if (transition.to == State::kOpen &&
      transition.open_for != absl::InfiniteDuration()) {
    absl::StrAppend(&change, " ", Seconds(transition.open_for));
  }
  const std::string peers = ToString(transition.failing_peers);
  return absl::StrCat(
      Start(elapsed, transition.key.method),
      Paint(screen, ColorOf(transition.to), absl::StrFormat("%-22s", change)),
      "  ", ReasonOf(transition), peers.empty() ? "" : ", ", peers, "\n");
}

std::string FaultLine(const Screen& screen, const FaultChange& change) {
  return absl::StrCat(
      Start(change.at, ToString(change.method)),
      Paint(screen, kGray, absl::StrCat("the server ", ToString(change.fault))),
      "\n");
}

std::string Rows(const Screen& screen, absl::Duration elapsed,
                 const std::vector<BreakerSnapshot>& before,
                 const std::vector<BreakerSnapshot>& now) {
  std::string rows;
  if (screen.live && !now.empty()) {
    const std::string header =
        absl::StrFormat("%9s%-14s  %-14s%7s%7s%9s  %s", "", "method", "state",
                        "calls/s", "failed", "refused", "evidence");
    rows = absl::StrCat("\n", Paint(screen, kGray, header), "\n");
  }
  for (const BreakerSnapshot& s : now) {
    const auto found =
        std::find_if(before.begin(), before.end(),
                     [&s](const BreakerSnapshot& b) { return b.key == s.key; });
    const BreakerSnapshot was =
        found != before.end() ? *found : BreakerSnapshot();
    const uint64_t failed = s.failures - was.failures;
    const uint64_t refused = Sum(s.refused) - Sum(was.refused);
    const uint64_t shadow = Sum(s.shadow_refused) - Sum(was.shadow_refused);
    // In parentheses: those that passed all the same.
    const std::string refusals = s.mode == Mode::kShadow
                                     ? absl::StrCat("(", refused + shadow, ")")
                                     : absl::StrCat(refused + shadow);
    const uint64_t calls = s.requests - was.requests + refused;
    const std::string state = absl::StrFormat("%-14s", StateOf(s));
    const std::string evidence = Percent(s.evidence);
    if (screen.live) {
      absl::StrAppend(
          &rows, absl::StrFormat("%9s%-14s  ", "", s.key.method),
          Paint(screen, ColorOf(s.state), state),
          absl::StrFormat("%7d%7d%9s  %4s ", calls, failed, refusals, evidence),
          Paint(screen, ColorOf(s.state), Bar(s.evidence)), "\n");
    } else {
      absl::StrAppend(
          &rows, Start(elapsed, s.key.method), state,
          absl::StrFormat("%3d calls%5d failed%5s refused   evidence %4s\n",
                          calls, failed, refusals, evidence));
    }
  }
  return rows;
}

std::string Summary(absl::Duration elapsed,
                    const std::vector<BreakerSnapshot>& breakers) {
  std::string summary =
      absl::StrFormat("\nSummary after %s\n", Seconds(elapsed));
  absl::StrAppendFormat(&summary, "  %-14s  %8s%11s%8s%9s%9s%7s  %s\n",
                        "method", "calls", "succeeded", "failed", "ignored",
                        "refused", "trips", "state");
  uint64_t shadow = 0;
  for (const BreakerSnapshot& s : breakers) {
    const uint64_t refused = Sum(s.refused);
    shadow += Sum(s.shadow_refused);
    const uint64_t trips =
        std::accumulate(s.trips.begin(), s.trips.end(), uint64_t{0});
    absl::StrAppendFormat(&summary, "  %-14s  %8d%11d%8d%9d%9d%7d  %s\n",
                          s.key.method, s.requests + refused, s.successes,
                          s.failures, s.ignored, refused, trips,
                          ForPeople(s.state));
  }
  if (shadow > 0) {
    absl::StrAppendFormat(
        &summary, "  In shadow mode %d calls passed that would be refused.\n",
        shadow);
  }
  return summary;
}

std::string Painter::AddEvents(const std::string& events) {
  return events.empty() ? "" : absl::StrCat(EraseRows(), events, rows_);
}

std::string Painter::SetRows(const std::string& rows) {
  if (!screen_.live) return rows;
  const std::string erase = EraseRows();
  rows_ = rows;
  return absl::StrCat(erase, rows_);
}

// Up to where the rows began, and clear from there.
std::string Painter::EraseRows() const {
  const auto lines = std::count(rows_.begin(), rows_.end(), '\n');
  if (lines == 0) return "";
  return absl::StrCat("\r\x1b[", lines, "A\x1b[J");
}

}  // namespace autobreaker::demo
