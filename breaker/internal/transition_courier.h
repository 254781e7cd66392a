// Tells those who want to hear of changes of state, in a thread of its own: the
// call that changes a state only puts the change into a queue.
//
//   TransitionCourier courier(callback);
//   courier.Push(std::move(letter));
//   courier.Flush();
//
// One change at a time, in the order of Push(). At most kMostWaiting wait; then
// the oldest is lost, counted, and the listeners are told so.
//
// The thread starts with the first who wants to hear. The destructor waits
// until all is told, unless it runs in that thread; then the thread ends by
// itself. A child by fork() has no such thread, and nobody there is told.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_TRANSITION_COURIER_H_
#define AUTOBREAKER_BREAKER_INTERNAL_TRANSITION_COURIER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/transition_listener.h"

namespace autobreaker {

class TransitionCourier {
 public:
  static constexpr size_t kMostWaiting = 10'000;

  // What became of the changes of one breaker.
  struct Tally {
    std::atomic<uint64_t> exceptions{0};  // that the callback threw
    std::atomic<uint64_t> lost{0};
  };
  struct Change {
    std::shared_ptr<const Transition> transition;
    std::shared_ptr<Tally> tally;
  };
  // One change, in memory of its own, so that to push it takes none.
  using Letter = std::list<Change>;

  // `callback` may be null.
  explicit TransitionCourier(std::function<void(const Transition&)> callback);
  ~TransitionCourier();
  TransitionCourier(const TransitionCourier&) = delete;
  TransitionCourier& operator=(const TransitionCourier&) = delete;

  // Tells it of what is pushed from now on, for as long as it lives. Listeners
  // are told before the callback.
  void AddListener(std::weak_ptr<TransitionListener> listener);

  // Whether anybody wants to hear, so that it is worth to push.
  bool IsWanted() const { return wanted_.load(std::memory_order_relaxed); }

  void Push(Letter letter) noexcept;

  // Returns when all that was pushed before is told, or at once in the
  // courier's own thread, or where there is no thread to be had.
  void Flush();
  // The same, also of what is pushed meanwhile, as by those who are told. When
  // it returns, nobody is being told.
  void Drain();

  // Whether all that was pushed is told.
  bool IsIdle() const;

 private:
  struct Desk;

  std::atomic<bool> wanted_{false};
  const std::shared_ptr<Desk> desk_;  // the thread has it too
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_TRANSITION_COURIER_H_
