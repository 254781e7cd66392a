// The changes of state of one breaker, on their way to whoever wants to hear of
// them: in order, one at a time, and outside of every lock.
//
// Thread-safety: every method may be called from any thread at once. Changes
// are told of in the order of Push(), so callers of that take turns.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_TRANSITION_OUTBOX_H_
#define AUTOBREAKER_BREAKER_INTERNAL_TRANSITION_OUTBOX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/transition.h"

namespace autobreaker {

class TransitionOutbox {
 public:
  // So many changes wait for a listener that holds up those who tell it. Then
  // the oldest is lost.
  static constexpr size_t kMostWaiting = 10'000;

  // One change, in memory of its own, so that to push it takes none.
  using Letter = std::list<std::shared_ptr<const Transition>>;

  void Push(Letter letter) noexcept;

  // Tells `listener` of what was pushed. If another thread is doing so, that
  // one tells of it all, and this one returns at once. An exception out of
  // `listener` is counted and dropped.
  void Deliver(const std::function<void(const Transition&)>& listener);

  // Whether all that was pushed has been told of.
  bool HasDelivered();

  uint64_t exceptions() const {
    return exceptions_.load(std::memory_order_relaxed);
  }
  // Changes that were lost.
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  Mutex mu_;
  Letter letters_ ABSL_GUARDED_BY(mu_);
  bool delivering_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<uint64_t> exceptions_{0};
  std::atomic<uint64_t> lost_{0};
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_TRANSITION_OUTBOX_H_
