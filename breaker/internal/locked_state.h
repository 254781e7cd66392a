// What a breaker reads and changes under its lock.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_LOCKED_STATE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_LOCKED_STATE_H_

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/internal/state_machine.h"
#include "autobreaker/breaker/internal/transition_outbox.h"

namespace autobreaker {

struct LockedState {
  explicit LockedState(StateMachine begins) : machine(std::move(begins)) {}

  Mutex mu;
  StateMachine machine ABSL_GUARDED_BY(mu);
  // Null until there is something to deliver.
  std::shared_ptr<TransitionOutbox> outbox ABSL_GUARDED_BY(mu);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_LOCKED_STATE_H_
