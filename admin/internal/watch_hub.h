// The watches of a service: hands each change of state of a registry's breakers
// on to them.
//
//   auto hub = std::make_shared<WatchHub>(registry, /*most=*/100);
//   absl::Status status = hub->Add(watch);
//   ...
//   hub->Stop();
//
// Works in the thread in which the registry tells its listeners, so no call
// waits for a watch. Changes of breakers that are no longer in the registry are
// not handed on: another may have their key.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_ADMIN_INTERNAL_WATCH_HUB_H_
#define AUTOBREAKER_ADMIN_INTERNAL_WATCH_HUB_H_

#include <cstddef>
#include <cstdint>
#include <memory>
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
  // Takes at most that many watches at once.
  WatchHub(std::shared_ptr<BreakerRegistry> registry, int64_t most);

  // From here on the watch is told of every change. RESOURCE_EXHAUSTED if
  // there are too many watches, UNAVAILABLE after Stop().
  absl::Status Add(std::weak_ptr<BreakerWatch> watch);

  // Ends all watches, and takes no others.
  void Stop();

  void OnTransition(const Transition& transition) noexcept override;
  void OnLost(int64_t changes) noexcept override;

 private:
  using Watches = std::vector<std::weak_ptr<BreakerWatch>>;

  const std::shared_ptr<BreakerRegistry> registry_;
  const size_t most_;

  Mutex mu_;
  // Replaced and never changed, so that it can be gone through unlocked.
  std::shared_ptr<const Watches> watches_ ABSL_GUARDED_BY(mu_) =
      std::make_shared<const Watches>();
  bool listening_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_ADMIN_INTERNAL_WATCH_HUB_H_
