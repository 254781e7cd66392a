// Linkerd 2 with its annotation for circuit breaking and no other, as its
// reference describes it: refuses after failures in a row; after a penalty lets
// one call through, and the next result decides. The penalty doubles each time,
// with a random part on top.
//
// Linkerd does so for each endpoint of a balancer; here there is one.
#ifndef AUTOBREAKER_SIMULATION_PEERS_LINKERD_H_
#define AUTOBREAKER_SIMULATION_PEERS_LINKERD_H_

#include <cstdint>
#include <optional>

#include "autobreaker/simulation/random.h"
#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

struct LinkerdSettings {
  int64_t consecutive = 7;
  Nanos min_penalty = 1'000'000'000;
  Nanos max_penalty = 60'000'000'000;
  double jitter = 0.5;
};

class Linkerd final : public SimulatedBreaker {
 public:
  Linkerd(const LinkerdSettings& settings, uint64_t seed)
      : settings_(settings), random_(seed), penalty_(settings.min_penalty) {}

  std::optional<uint64_t> Admit(Nanos now) override;
  void Finish(uint64_t ticket, Nanos now, bool failed) override;

 private:
  enum class State { kAvailable, kPenalty, kProbation };

  void Shut(Nanos now);

  const LinkerdSettings settings_;
  Random random_;
  State state_ = State::kAvailable;
  int64_t in_a_row_ = 0;  // failures
  Nanos penalty_;         // the next one
  Nanos until_ = 0;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_PEERS_LINKERD_H_
