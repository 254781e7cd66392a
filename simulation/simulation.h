// One breaker in one world: hands it the calls, and the results when they come.
#ifndef AUTOBREAKER_SIMULATION_SIMULATION_H_
#define AUTOBREAKER_SIMULATION_SIMULATION_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "autobreaker/simulation/simulated_breaker.h"
#include "autobreaker/simulation/world.h"

namespace autobreaker::decisions {

class Simulation {
 public:
  // `capacity` is the calls a second that a limited server bears.
  Simulation(std::unique_ptr<SimulatedBreaker> breaker, double capacity)
      : breaker_(std::move(breaker)), capacity_(capacity) {}

  struct Fate {
    bool admitted = false;
    bool fails = false;  // or would have failed
  };

  // Asks for the next call, after all results that came before.
  Fate Ask(const Call& call);

 private:
  struct InFlight {
    Nanos ends;
    uint64_t order;  // ties are broken the same way everywhere
    uint64_t ticket;
    bool fails;
  };
  static bool Later(const InFlight& a, const InFlight& b) {
    return a.ends != b.ends ? a.ends > b.ends : a.order > b.order;
  }

  void FinishUntil(Nanos now);
  bool Overloads(Nanos now);

  const std::unique_ptr<SimulatedBreaker> breaker_;
  const double capacity_;
  std::vector<InFlight> in_flight_;  // a heap
  uint64_t order_ = 0;
  // What a limited server can take at once now.
  double room_ = 1;
  Nanos room_at_ = 0;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_SIMULATION_H_
