// Whoever wants to hear of every change of state of many breakers.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_TRANSITION_LISTENERS_H_
#define AUTOBREAKER_BREAKER_TRANSITION_LISTENERS_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "breaker/mutex.h"
#include "breaker/snapshot.h"

namespace autobreaker {

class TransitionListener {
 public:
  virtual ~TransitionListener() = default;

  // Called as BreakerEnvironment::on_transition is: outside every lock, in
  // order for each breaker and at once for several, in the thread of a call,
  // which it holds up.
  virtual void OnTransition(const Transition& transition) noexcept = 0;
};

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

#endif  // AUTOBREAKER_BREAKER_TRANSITION_LISTENERS_H_
