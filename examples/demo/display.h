// The demo's standard output: events as they happen, rows once a second.
//
// Thread-safety: Add() may be called from any thread at once, the rest from one
// thread.
#ifndef AUTOBREAKER_EXAMPLES_DEMO_DISPLAY_H_
#define AUTOBREAKER_EXAMPLES_DEMO_DISPLAY_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/examples/demo/stop_signals.h"
#include "autobreaker/examples/shop/fault_schedule.h"

namespace autobreaker::demo {

class Display {
 public:
  // Times are shown since `start`.
  explicit Display(MonotonicTime start) : start_(start) {}

  // Notes a transition for Run() to show, so that the call that caused it does
  // not wait for a screen.
  void Add(const Transition& transition);

  // False once nobody reads any more; so do the others.
  bool Write(const std::string& text);

  // Shows the breakers until `duration` after the start or a signal, and what
  // `faults` does to the built-in server; null if there is none.
  bool Run(const BreakerRegistry& registry, absl::Duration duration,
           const FaultSchedule* faults, const StopSignals& signals);

  bool WriteSummary(const BreakerRegistry& registry);

 private:
  struct TimedTransition {
    absl::Duration at;
    Transition transition;
  };

  absl::Duration Elapsed() const {
    return absl::FromChrono(MonotonicTime::clock::now() - start_);
  }
  std::vector<TimedTransition> TakeTransitions();

  const MonotonicTime start_;
  absl::Mutex mu_;
  std::vector<TimedTransition> transitions_ ABSL_GUARDED_BY(mu_);
};

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_DEMO_DISPLAY_H_
