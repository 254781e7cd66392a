// The breaker of this project: the real one, on a clock that shows virtual
// time.
#ifndef AUTOBREAKER_SIMULATION_OUR_BREAKER_H_
#define AUTOBREAKER_SIMULATION_OUR_BREAKER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/permit.h"
#include "autobreaker/simulation/simulated_breaker.h"
#include "autobreaker/testing/fake_clock.h"

namespace autobreaker::decisions {

class OurBreaker final : public SimulatedBreaker {
 public:
  // REQUIRES: valid options.
  OurBreaker(const BreakerOptions& options, uint64_t seed);

  std::optional<uint64_t> Admit(Nanos now) override;
  void Progress(uint64_t ticket, Nanos now) override;
  void Finish(uint64_t ticket, Nanos now, bool failed) override;

 private:
  void AdvanceTo(Nanos now);

  FakeClock clock_;
  Nanos now_ = 0;
  std::shared_ptr<CircuitBreaker> breaker_;
  // By ticket; those that are free again.
  std::vector<Permit> permits_;
  std::vector<uint64_t> free_;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_OUR_BREAKER_H_
