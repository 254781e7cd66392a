#include "autobreaker/breaker/internal/transition_courier.h"

#include <unistd.h>

#include <condition_variable>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "autobreaker/breaker/internal/exceptions.h"
#include "autobreaker/breaker/internal/mutex.h"

namespace autobreaker {
namespace {

using Listeners = std::vector<std::weak_ptr<TransitionListener>>;

template <typename Tell>
void TellEach(const Listeners* listeners, Tell tell) {
  if (listeners == nullptr) return;
  for (const std::weak_ptr<TransitionListener>& weak : *listeners) {
    if (const auto listener = weak.lock()) tell(listener.get());
  }
}

}  // namespace

struct TransitionCourier::Desk {
  explicit Desk(std::function<void(const Transition&)> to_call)
      : callback(std::move(to_call)) {}

  // False if there is no thread to be had; the next one to come tries again.
  static bool StartLocked(const std::shared_ptr<Desk>& desk)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(desk->mu) {
    if (desk->IsInChild()) return false;
    if (desk->thread.joinable()) return true;
    return EndsWell(
        [&] { desk->thread = std::thread([desk] { desk->Work(); }); });
  }

  // Whether this is a child by fork(), which has no such thread: to wait for it
  // would take for ever. It gets none, since what a thread of the parent was
  // doing with the condition variables is left undone here.
  bool IsInChild() const { return getpid() != process; }

  // Returns when all up to that number is told; false at once in the thread
  // that tells, or where there is none to be had.
  static bool AwaitLocked(const std::shared_ptr<Desk>& desk, uint64_t number)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(desk->mu) {
    if (desk->told >= number) return true;
    if (!StartLocked(desk) ||
        desk->thread.get_id() == std::this_thread::get_id()) {
      return false;
    }
    while (desk->told < number) desk->mu.Wait(&desk->has_told);
    return true;
  }

  void Work();
  void Tell(const Change& change, const Listeners* listeners);

  const std::function<void(const Transition&)> callback;
  const pid_t process = getpid();

  Mutex mu;
  std::condition_variable has_work;
  std::condition_variable has_told;
  std::thread thread ABSL_GUARDED_BY(mu);
  bool ending ABSL_GUARDED_BY(mu) = false;
  Letter letters ABSL_GUARDED_BY(mu);
  // Of the newest that was pushed, and of the newest that is told. What is not
  // told before that is lost.
  uint64_t pushed ABSL_GUARDED_BY(mu) = 0;
  uint64_t told ABSL_GUARDED_BY(mu) = 0;
  int64_t lost ABSL_GUARDED_BY(mu) = 0;  // and the listeners not yet told so
  // Replaced and never changed, so that it can be gone through unlocked. Null
  // if there is none.
  std::shared_ptr<const Listeners> listeners ABSL_GUARDED_BY(mu);
};

void TransitionCourier::Desk::Work() {
  uint64_t number = 0;  // of the one that was just told
  for (;;) {
    Letter next;
    std::shared_ptr<const Listeners> hearing;
    int64_t missing = 0;
    {
      MutexLock lock(&mu);
      told = number;
      has_told.notify_all();
      while (letters.empty() && !ending) mu.Wait(&has_work);
      if (letters.empty()) return;
      next.splice(next.end(), letters, letters.begin());
      number = pushed - letters.size();
      hearing = listeners;
      missing = std::exchange(lost, 0);
    }
    if (missing > 0) {
      TellEach(hearing.get(), [&](auto* l) { l->OnLost(missing); });
    }
    Tell(next.front(), hearing.get());
  }
}

void TransitionCourier::Desk::Tell(const Change& change,
                                   const Listeners* hearing) {
  const Transition& transition = *change.transition;
  TellEach(hearing, [&](auto* l) { l->OnTransition(transition); });
  if (!callback) return;
  if (!EndsWell([&] { callback(transition); })) {
    change.tally->exceptions.fetch_add(1, std::memory_order_relaxed);
  }
}

TransitionCourier::TransitionCourier(
    std::function<void(const Transition&)> callback)
    : desk_(std::make_shared<Desk>(std::move(callback))) {
  if (!desk_->callback) return;
  wanted_ = true;
  // Not in the call that changes a state first, which it would hold up.
  MutexLock lock(&desk_->mu);
  Desk::StartLocked(desk_);
}

TransitionCourier::~TransitionCourier() {
  std::thread thread;
  {
    MutexLock lock(&desk_->mu);
    desk_->ending = true;
    thread = std::move(desk_->thread);
    desk_->has_work.notify_one();
  }
  if (!thread.joinable()) return;
  if (thread.get_id() == std::this_thread::get_id() || desk_->IsInChild()) {
    thread.detach();
  } else {
    thread.join();
  }
}

void TransitionCourier::AddListener(
    std::weak_ptr<TransitionListener> listener) {
  MutexLock lock(&desk_->mu);
  auto next = std::make_shared<Listeners>();
  if (desk_->listeners != nullptr) {
    next->reserve(desk_->listeners->size() + 1);
    for (const auto& other : *desk_->listeners) {
      if (!other.expired()) next->push_back(other);
    }
  }
  next->push_back(std::move(listener));
  desk_->listeners = std::move(next);
  wanted_ = true;
  Desk::StartLocked(desk_);
}

void TransitionCourier::Push(Letter letter) noexcept {
  Letter lost;  // goes when the lock does not hold others up
  {
    MutexLock lock(&desk_->mu);
    Desk::StartLocked(desk_);
    desk_->letters.splice(desk_->letters.end(), letter);
    ++desk_->pushed;
    if (desk_->letters.size() > kMostWaiting) {
      lost.splice(lost.end(), desk_->letters, desk_->letters.begin());
      lost.front().tally->lost.fetch_add(1, std::memory_order_relaxed);
      ++desk_->lost;
    }
  }
  // Without the lock, which the thread that wakes up wants.
  desk_->has_work.notify_one();
}

void TransitionCourier::Flush() {
  MutexLock lock(&desk_->mu);
  Desk::AwaitLocked(desk_, desk_->pushed);
}

void TransitionCourier::Drain() {
  MutexLock lock(&desk_->mu);
  while (desk_->told < desk_->pushed &&
         Desk::AwaitLocked(desk_, desk_->pushed)) {
  }
}

bool TransitionCourier::IsIdle() const {
  MutexLock lock(&desk_->mu);
  return desk_->pushed == desk_->told;
}

}  // namespace autobreaker
