// The changes of state of a registry's breakers, in a test.
//
//   TransitionRecorder recorder(registry);
//   ... calls ...
//   EXPECT_THAT(recorder.transitions(),
//               ElementsAre(IsTransition(State::kClosed, State::kOpen)));
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_TESTING_TRANSITION_RECORDER_H_
#define AUTOBREAKER_TESTING_TRANSITION_RECORDER_H_

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/transition_listener.h"

namespace autobreaker {

class TransitionRecorder {
 public:
  // Records what changes from now on. Shares in owning the registry.
  explicit TransitionRecorder(std::shared_ptr<BreakerRegistry> registry)
      : registry_(std::move(registry)) {
    registry_->AddListener(listener_);
  }

  // All so far, in order.
  std::vector<Transition> transitions() const {
    registry_->FlushTransitions();
    const std::lock_guard<std::mutex> lock(listener_->mu);
    return listener_->transitions;
  }

 private:
  struct Listener final : TransitionListener {
    void OnTransition(const Transition& transition) noexcept override {
      const std::lock_guard<std::mutex> lock(mu);
      transitions.push_back(transition);
    }

    std::mutex mu;
    std::vector<Transition> transitions;
  };

  const std::shared_ptr<BreakerRegistry> registry_;
  const std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTING_TRANSITION_RECORDER_H_
