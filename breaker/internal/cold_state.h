// What a breaker has that a healthy call does not touch, apart from what it
// does: so the latter is small, and public headers need not know of this.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_COLD_STATE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_COLD_STATE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/internal/durations.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/internal/peer_tally.h"
#include "autobreaker/breaker/internal/state_machine.h"
#include "autobreaker/breaker/internal/transition_courier.h"

namespace autobreaker {

struct ColdState {
  ColdState(std::shared_ptr<const Instruments> of,
            std::shared_ptr<TransitionCourier> by, StateMachine begins)
      : instruments(std::move(of)),
        courier(std::move(by)),
        durations(instruments->duration_buckets.empty()
                      ? nullptr
                      : std::make_unique<DurationHistogram>(
                            &instruments->duration_buckets)),
        machine(std::move(begins)) {}
  ~ColdState() { delete peers.load(); }
  ColdState(const ColdState&) = delete;
  ColdState& operator=(const ColdState&) = delete;

  static uint64_t NextId() {
    static std::atomic<uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  const uint64_t id = NextId();
  const std::shared_ptr<const Instruments> instruments;
  const std::shared_ptr<TransitionCourier> courier;
  // Null unless the instruments ask for it.
  const std::unique_ptr<DurationHistogram> durations;

  // Null until a failure names its peer. Owned.
  std::atomic<PeerTally*> peers{nullptr};

  Mutex mu;
  StateMachine machine ABSL_GUARDED_BY(mu);
  // Null until the courier gets something.
  std::shared_ptr<TransitionCourier::Tally> tally ABSL_GUARDED_BY(mu);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_COLD_STATE_H_
