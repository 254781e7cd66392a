// AutoBreaker for Go, with its adaptive threshold, as its documentation and
// observed behavior have it: opens when more than a share of the requests since
// the counts were last cleared failed. Requests count when they begin, and
// results where they end, whatever state that is.
#ifndef AUTOBREAKER_SIMULATION_PEERS_AUTOBREAKER_GO_H_
#define AUTOBREAKER_SIMULATION_PEERS_AUTOBREAKER_GO_H_

#include <cstdint>
#include <optional>

#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

struct AutoBreakerGoSettings {
  double failure_rate = 0.05;
  int64_t minimum = 20;
  Nanos interval = 0;  // between clearings while closed; 0: never
  Nanos timeout = 60'000'000'000;
  int64_t max_requests = 1;
};

class AutoBreakerGo final : public SimulatedBreaker {
 public:
  explicit AutoBreakerGo(const AutoBreakerGoSettings& settings)
      : settings_(settings) {}

  std::optional<uint64_t> Admit(Nanos now) override;
  void Finish(uint64_t ticket, Nanos now, bool failed) override;

 private:
  enum State : uint64_t { kClosed, kOpen, kHalfOpen };
  void Enter(State state, Nanos now);

  const AutoBreakerGoSettings settings_;
  State state_ = kClosed;
  Nanos since_ = 0;  // when opened, or when the counts were cleared
  int64_t requests_ = 0;
  int64_t failures_ = 0;
  int64_t probes_ = 0;  // under way
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_PEERS_AUTOBREAKER_GO_H_
