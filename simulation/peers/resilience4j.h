// resilience4j (Java) as its documentation has it, with a window of calls:
// opens when at least a share of the last calls failed; after a wait lets so
// many through and judges them, all together, by the same share. A result
// counts in whatever state it comes.
#ifndef AUTOBREAKER_SIMULATION_PEERS_RESILIENCE4J_H_
#define AUTOBREAKER_SIMULATION_PEERS_RESILIENCE4J_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

struct Resilience4jSettings {
  int64_t window = 100;  // calls
  int64_t minimum = 100;
  double failure_rate = 0.5;
  Nanos wait = 60'000'000'000;
  int64_t half_open_calls = 10;
};

class Resilience4j final : public SimulatedBreaker {
 public:
  explicit Resilience4j(const Resilience4jSettings& settings)
      : settings_(settings) {}

  std::optional<uint64_t> Admit(Nanos now) override;
  void Finish(uint64_t ticket, Nanos now, bool failed) override;

 private:
  enum class State { kClosed, kOpen, kHalfOpen };
  void Enter(State state, Nanos now);

  const Resilience4jSettings settings_;
  State state_ = State::kClosed;
  Nanos opened_ = 0;
  int64_t permits_ = 0;  // left while half-open
  std::deque<bool> failed_;
  int64_t failures_ = 0;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_PEERS_RESILIENCE4J_H_
