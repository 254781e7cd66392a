// Ctrl-C and SIGTERM, asked for instead of handled.
#ifndef AUTOBREAKER_EXAMPLES_DEMO_STOP_SIGNALS_H_
#define AUTOBREAKER_EXAMPLES_DEMO_STOP_SIGNALS_H_

#include <signal.h>
#include <time.h>

#include <algorithm>

#include "absl/time/time.h"

namespace autobreaker::demo {

class StopSignals {
 public:
  // REQUIRES: no other thread was started yet; those started later inherit
  // that these signals do not interrupt them.
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Whether one came before `timeout` had passed.
  bool Wait(absl::Duration timeout) const {
    const timespec time =
        absl::ToTimespec(std::max(timeout, absl::ZeroDuration()));
    return sigtimedwait(&signals_, nullptr, &time) > 0;
  }

 private:
  sigset_t signals_;
};

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_DEMO_STOP_SIGNALS_H_
