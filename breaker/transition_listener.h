// Hears of every change of state of the breakers of a registry.
#ifndef AUTOBREAKER_BREAKER_TRANSITION_LISTENER_H_
#define AUTOBREAKER_BREAKER_TRANSITION_LISTENER_H_

#include <cstdint>

#include "autobreaker/breaker/transition.h"

namespace autobreaker {

class TransitionListener {
 public:
  virtual ~TransitionListener() = default;

  // Called as Instruments::on_transition is, before it.
  virtual void OnTransition(const Transition& transition) noexcept = 0;

  // There were so many changes before the next one that nobody was told of,
  // since too many waited.
  virtual void OnLost(int64_t changes) noexcept { (void)changes; }
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_TRANSITION_LISTENER_H_
