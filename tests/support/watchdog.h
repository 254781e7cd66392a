// Ends the process if a test hangs, and says which one did.
//
//   Watchdog watchdog("BidiSync while open");
//   ... a call that might never end ...
#ifndef AUTOBREAKER_TESTS_SUPPORT_WATCHDOG_H_
#define AUTOBREAKER_TESTS_SUPPORT_WATCHDOG_H_

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace autobreaker {

class Watchdog {
 public:
  // Much longer than anything takes that does not hang, sanitizers included.
  explicit Watchdog(std::string what, absl::Duration limit = absl::Seconds(60))
      : thread_([this, limit, what = std::move(what)] {
          if (done_.WaitForNotificationWithTimeout(limit)) return;
          std::fprintf(stderr, "%s hangs\n", what.c_str());
          std::abort();
        }) {}
  ~Watchdog() {
    done_.Notify();
    thread_.join();
  }

 private:
  absl::Notification done_;
  std::thread thread_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_SUPPORT_WATCHDOG_H_
