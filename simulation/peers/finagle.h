// Finagle (Scala) in its default setting, as its guide describes what it calls
// failure accrual: marks a server dead after failures in a row, or when a
// moving average of successes over a window of time is too low; after a while
// lets one call through, and the next result decides. It is dead for longer
// each time, half of that at random.
//
// Finagle does so for each server of a balancer; here there is one.
#ifndef AUTOBREAKER_SIMULATION_PEERS_FINAGLE_H_
#define AUTOBREAKER_SIMULATION_PEERS_FINAGLE_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "autobreaker/simulation/random.h"
#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

struct FinagleSettings {
  int64_t consecutive = 5;
  double success_rate = 0.8;
  Nanos window = 30'000'000'000;
  int64_t minimum = 5;
  Nanos dead_for = 5'000'000'000;
  Nanos dead_for_max = 300'000'000'000;
};

class Finagle final : public SimulatedBreaker {
 public:
  Finagle(const FinagleSettings& settings, uint64_t seed)
      : settings_(settings), random_(seed) {}

  std::optional<uint64_t> Admit(Nanos now) override;
  void Finish(uint64_t ticket, Nanos now, bool failed) override;

 private:
  enum class State { kAlive, kDead, kProbing };

  void Note(Nanos now, bool failed);
  bool TooManyFail(Nanos now) const;
  void MarkDead(Nanos now);
  void Revive();

  const FinagleSettings settings_;
  Random random_;
  State state_ = State::kAlive;
  Nanos until_ = 0;          // dead
  Nanos next_dead_for_ = 0;  // at most; 0: as set
  int64_t in_a_row_ = 0;     // failures
  // Since it was last revived.
  double average_ = 1;        // of successes
  Nanos first_ = -1;          // result
  std::deque<Nanos> latest_;  // `minimum` results
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_PEERS_FINAGLE_H_
