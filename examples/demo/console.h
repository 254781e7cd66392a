// What the demo writes on the screen. All of it is text made from snapshots:
// nothing here reads a clock or prints.
#ifndef AUTOBREAKER_EXAMPLES_DEMO_CONSOLE_H_
#define AUTOBREAKER_EXAMPLES_DEMO_CONSOLE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/examples/shop/fault_schedule.h"

namespace autobreaker::demo {

// What the screen can do.
struct Screen {
  bool live = false;   // a terminal: rows are drawn over the old ones
  bool color = false;  // escape sequences for colors
};

// "2.3s  PlaceOrder  closed -> open 0.1s  evidence 4 failures in a row"
std::string TransitionLine(const Screen& screen, absl::Duration elapsed,
                           const Transition& transition);

// "3.0s  PlaceOrder  the server fails every call at once"
std::string FaultLine(const Screen& screen, const FaultChange& change);

// A row for each breaker: its state, what became of the calls since `before`,
// and how much there is of the evidence that opens it. On a live screen with a
// header, and nowhere wider than kColumns.
std::string Rows(const Screen& screen, absl::Duration elapsed,
                 const std::vector<BreakerSnapshot>& before,
                 const std::vector<BreakerSnapshot>& now);
inline constexpr int kColumns = 80;

// The same numbers for the whole run.
std::string Summary(absl::Duration elapsed,
                    const std::vector<BreakerSnapshot>& breakers);

// Says what to write so that events stay on the screen, one below the other,
// and on a live screen the rows below them are always the newest.
class Painter {
 public:
  explicit Painter(Screen screen) : screen_(screen) {}

  std::string AddEvents(const std::string& events);
  // Empty rows take away those on a live screen.
  std::string SetRows(const std::string& rows);

 private:
  std::string EraseRows() const;

  const Screen screen_;
  std::string rows_;  // on a live screen now
};

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_DEMO_CONSOLE_H_
