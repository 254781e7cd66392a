// One breaker in one world: hands it the calls, and the results when they come.
#ifndef AUTOBREAKER_SIMULATION_SIMULATION_H_
#define AUTOBREAKER_SIMULATION_SIMULATION_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "autobreaker/simulation/server.h"
#include "autobreaker/simulation/simulated_breaker.h"
#include "autobreaker/simulation/world.h"

namespace autobreaker::decisions {

class Simulation {
 public:
  explicit Simulation(std::unique_ptr<SimulatedBreaker> breaker)
      : breaker_(std::move(breaker)) {}

  struct Fate {
    bool admitted = false;
    bool fails = false;  // or would have failed
  };

  // Asks for the next call, after all results that came before.
  Fate Ask(const Call& call);

 private:
  // What a call in flight comes to.
  struct Event {
    Nanos at;
    uint64_t order;  // ties are broken the same way everywhere
    uint64_t ticket;
    enum { kProgress, kSuccess, kFailure } what;
  };
  static bool Later(const Event& a, const Event& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  void Add(Event event);
  void HandleUntil(Nanos now);

  const std::unique_ptr<SimulatedBreaker> breaker_;
  Server server_;
  std::vector<Event> events_;  // a heap
  uint64_t order_ = 0;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_SIMULATION_H_
