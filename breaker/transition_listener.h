// Hears of every change of state of the breakers of a registry.
#ifndef AUTOBREAKER_BREAKER_TRANSITION_LISTENER_H_
#define AUTOBREAKER_BREAKER_TRANSITION_LISTENER_H_

#include "autobreaker/breaker/transition.h"

namespace autobreaker {

class TransitionListener {
 public:
  virtual ~TransitionListener() = default;

  // Called as Instruments::on_transition is: outside every lock, in
  // order for each breaker and at once for several, in the thread of a call,
  // which it holds up. So put the change somewhere, and do the rest elsewhere.
  virtual void OnTransition(const Transition& transition) noexcept = 0;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_TRANSITION_LISTENER_H_
