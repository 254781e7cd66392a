// What there is without a breaker: every call is made.
#ifndef AUTOBREAKER_SIMULATION_PEERS_NO_BREAKER_H_
#define AUTOBREAKER_SIMULATION_PEERS_NO_BREAKER_H_

#include <cstdint>
#include <optional>

#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

class NoBreaker final : public SimulatedBreaker {
 public:
  std::optional<uint64_t> Admit(Nanos) override { return 0; }
  void Finish(uint64_t, Nanos, bool) override {}
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_PEERS_NO_BREAKER_H_
