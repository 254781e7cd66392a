#include "autobreaker/breaker/internal/transition_listeners.h"

#include <utility>

namespace autobreaker {

void TransitionListeners::Add(std::weak_ptr<TransitionListener> listener) {
  MutexLock lock(&mu_);
  auto next = std::make_shared<List>();
  if (listeners_ != nullptr) {
    next->reserve(listeners_->size() + 1);
    for (const std::weak_ptr<TransitionListener>& other : *listeners_) {
      if (!other.expired()) next->push_back(other);
    }
  }
  next->push_back(std::move(listener));
  listeners_ = std::move(next);
}

void TransitionListeners::Notify(const Transition& transition) {
  std::shared_ptr<const List> listeners;
  {
    MutexLock lock(&mu_);
    listeners = listeners_;
  }
  if (listeners == nullptr) return;
  for (const std::weak_ptr<TransitionListener>& weak : *listeners) {
    if (const auto listener = weak.lock()) listener->OnTransition(transition);
  }
}

}  // namespace autobreaker
