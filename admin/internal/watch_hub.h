// Hands the changes of state of a registry's breakers on to the watches of a
// service, in a thread of its own: the call that changes a state only puts the
// change into a queue, however many watches there are.
//
//   auto hub = std::make_shared<WatchHub>(registry, /*most=*/100);
//   absl::Status status = hub->Add(watch);
//   ...
//   hub->Stop();
//
// At most kMaxQueued changes wait. If there is no room they are dropped, and
// every watch is told how many it may have missed. Changes of breakers that
// are no longer in the registry are not handed on: another may have their key.
//
// The thread starts with the first watch and ends with Stop(), which whoever
// made the hub calls before letting go of it.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_ADMIN_INTERNAL_WATCH_HUB_H_
#define AUTOBREAKER_ADMIN_INTERNAL_WATCH_HUB_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "autobreaker/admin/internal/breaker_watch.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/transition_listener.h"

namespace autobreaker {

class WatchHub final : public TransitionListener,
                       public std::enable_shared_from_this<WatchHub> {
 public:
  static constexpr size_t kMaxQueued = 4096;

  // Takes at most that many watches at once.
  WatchHub(std::shared_ptr<BreakerRegistry> registry, int64_t most);

  // From here on the watch is told of every change. RESOURCE_EXHAUSTED if
  // there are too many watches or there is no thread to be had, UNAVAILABLE
  // after Stop().
  absl::Status Add(std::weak_ptr<BreakerWatch> watch);

  // Ends all watches, and takes no others.
  void Stop();

  // Whether every change that it was told of is handed on.
  bool IsIdle();

  void OnTransition(const Transition& transition) noexcept override;

 private:
  using Watches = std::vector<std::weak_ptr<BreakerWatch>>;

  // Puts a change into the queue, or counts that there is no room for it.
  void PutLocked(const Transition& transition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void HandOn();
  // Hands one change on, or that changes were missed.
  void Tell(const Watches& watches, const Transition& transition);

  const std::shared_ptr<BreakerRegistry> registry_;
  const size_t most_;

  Mutex mu_;
  std::condition_variable changed_;
  Watches watches_ ABSL_GUARDED_BY(mu_);
  std::deque<Transition> queue_ ABSL_GUARDED_BY(mu_);
  // Changes for which there was no room. While there are any, the queue is
  // empty.
  int64_t missed_ ABSL_GUARDED_BY(mu_) = 0;
  bool busy_ ABSL_GUARDED_BY(mu_) = false;  // handing something on
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mu_);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_ADMIN_INTERNAL_WATCH_HUB_H_
