#include "autobreaker/breaker/internal/transition_outbox.h"

#include <utility>

namespace autobreaker {

void TransitionOutbox::Push(Letter letter) noexcept {
  Letter lost;  // goes when the lock does not hold others up
  MutexLock lock(&mu_);
  letters_.splice(letters_.end(), letter);
  if (letters_.size() <= kMostWaiting) return;
  lost.splice(lost.end(), letters_, letters_.begin());
  lost_.fetch_add(1, std::memory_order_relaxed);
}

void TransitionOutbox::Deliver(
    const std::function<void(const Transition&)>& listener) {
  for (bool first = true;; first = false) {
    Letter next;
    {
      MutexLock lock(&mu_);
      if (first && delivering_) return;
      delivering_ = !letters_.empty();
      if (!delivering_) return;
      next.splice(next.end(), letters_, letters_.begin());
    }
    try {
      listener(*next.front());
    } catch (...) {
      exceptions_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

bool TransitionOutbox::HasDelivered() {
  MutexLock lock(&mu_);
  return letters_.empty() && !delivering_;
}

}  // namespace autobreaker
