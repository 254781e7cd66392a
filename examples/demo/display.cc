#include "autobreaker/examples/demo/display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/strings/string_view.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/examples/demo/console.h"

namespace autobreaker::demo {
namespace {

constexpr absl::Duration kRowPeriod = absl::Seconds(1);
// Events are on the screen this soon.
constexpr absl::Duration kEventPeriod = absl::Milliseconds(50);

// The empty string if it is not set.
absl::string_view Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

Screen DetectScreen() {
  Screen screen;
  winsize size{};
  // On a smaller terminal the rows could not be drawn over.
  screen.live = isatty(STDOUT_FILENO) && !Environment("TERM").empty() &&
                Environment("TERM") != "dumb" &&
                ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
                size.ws_col >= kColumns && size.ws_row >= 10;
  // See https://no-color.org.
  screen.color = screen.live && Environment("NO_COLOR").empty();
  return screen;
}

std::vector<BreakerSnapshot> Snapshots(const BreakerRegistry& registry) {
  std::vector<BreakerSnapshot> snapshots;
  for (const auto& breaker : registry.Breakers()) {
    snapshots.push_back(breaker->Snapshot());
  }
  return snapshots;
}

}  // namespace

void Display::Add(const Transition& transition) {
  const absl::Duration at = Elapsed();
  absl::MutexLock lock(&mu_);
  transitions_.push_back({at, transition});
}

std::vector<Display::TimedTransition> Display::TakeTransitions() {
  absl::MutexLock lock(&mu_);
  return std::exchange(transitions_, {});
}

bool Display::Write(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

bool Display::Run(const BreakerRegistry& registry, absl::Duration duration,
                  const FaultSchedule* faults, const StopSignals& signals) {
  const Screen screen = DetectScreen();
  Painter painter(screen);
  std::vector<BreakerSnapshot> before;
  absl::Duration faults_shown;
  absl::Duration next_rows = kRowPeriod;
  for (bool stop = false; !stop;) {
    const absl::Duration next = std::min(next_rows, duration);
    stop = signals.Wait(std::min(next - Elapsed(), kEventPeriod));
    const absl::Duration now = Elapsed();
    stop = stop || now >= duration;

    std::multimap<absl::Duration, std::string> events;
    for (const auto& [at, transition] : TakeTransitions()) {
      events.emplace(at, TransitionLine(screen, at, transition));
    }
    if (faults != nullptr) {
      for (const FaultChange& change : faults->Changes(faults_shown, now)) {
        events.emplace(change.at, FaultLine(screen, change));
      }
      faults_shown = now;
    }
    std::string lines;
    for (const auto& event : events) lines += event.second;
    std::string output = painter.AddEvents(lines);

    if (stop) {
      output += painter.SetRows("");
    } else if (now >= next_rows) {
      next_rows = absl::Floor(now, kRowPeriod) + kRowPeriod;
      std::vector<BreakerSnapshot> snapshots = Snapshots(registry);
      output += painter.SetRows(Rows(screen, now, before, snapshots));
      before = std::move(snapshots);
    }
    if (!Write(output)) return false;
  }
  return true;
}

bool Display::WriteSummary(const BreakerRegistry& registry) {
  return Write(Summary(Elapsed(), Snapshots(registry)));
}

}  // namespace autobreaker::demo
