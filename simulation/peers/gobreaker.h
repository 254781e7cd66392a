// gobreaker (sony, Go) as its documentation has it: opens when more than so
// many calls failed in a row; after a timeout lets a few through, closes when
// all of them succeed and reopens when one fails. Late results are dropped.
#ifndef AUTOBREAKER_SIMULATION_PEERS_GOBREAKER_H_
#define AUTOBREAKER_SIMULATION_PEERS_GOBREAKER_H_

#include <cstdint>
#include <optional>

#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

struct GobreakerSettings {
  int64_t more_failures_than = 5;  // in a row
  Nanos timeout = 60'000'000'000;
  int64_t max_requests = 1;
};

class Gobreaker final : public SimulatedBreaker {
 public:
  explicit Gobreaker(const GobreakerSettings& settings) : settings_(settings) {}

  std::optional<uint64_t> Admit(Nanos now) override;
  void Finish(uint64_t ticket, Nanos now, bool failed) override;

 private:
  enum class State { kClosed, kOpen, kHalfOpen };
  void Enter(State state, Nanos now);

  const GobreakerSettings settings_;
  State state_ = State::kClosed;
  uint64_t generation_ = 0;
  Nanos opened_ = 0;
  int64_t requests_ = 0;   // in this generation
  int64_t failures_ = 0;   // in a row
  int64_t successes_ = 0;  // in a row
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_PEERS_GOBREAKER_H_
