// Whoever wants to hear of every change of state of many breakers.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_TRANSITION_LISTENERS_H_
#define AUTOBREAKER_BREAKER_INTERNAL_TRANSITION_LISTENERS_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/transition_listener.h"

namespace autobreaker {

class TransitionListeners {
 public:
  // Tells it of what follows, for as long as it lives.
  void Add(std::weak_ptr<TransitionListener> listener);

  void Notify(const Transition& transition);

 private:
  using List = std::vector<std::weak_ptr<TransitionListener>>;

  Mutex mu_;
  // Replaced and never changed, so that it can be gone through unlocked. Null
  // if there is none.
  std::shared_ptr<const List> listeners_ ABSL_GUARDED_BY(mu_);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_TRANSITION_LISTENERS_H_
