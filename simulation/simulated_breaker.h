// What the simulator asks of a breaker: ours, or that of others.
//
// Time is virtual: nanoseconds since the simulation began, and never goes back.
#ifndef AUTOBREAKER_SIMULATION_SIMULATED_BREAKER_H_
#define AUTOBREAKER_SIMULATION_SIMULATED_BREAKER_H_

#include <cmath>
#include <cstdint>
#include <optional>

namespace autobreaker::decisions {

using Nanos = int64_t;

inline Nanos Seconds(double seconds) {
  return static_cast<Nanos>(std::llround(seconds * 1e9));
}
inline double ToSeconds(Nanos time) { return static_cast<double>(time) * 1e-9; }

class SimulatedBreaker {
 public:
  virtual ~SimulatedBreaker() = default;

  // Asks to make a call: nothing if it is refused, else what Finish() is to be
  // told once, when the call ends.
  virtual std::optional<uint64_t> Admit(Nanos now) = 0;
  virtual void Finish(uint64_t ticket, Nanos now, bool failed) = 0;
  // The first message of a stream has come.
  virtual void Progress(uint64_t /*ticket*/, Nanos /*now*/) {}
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_SIMULATED_BREAKER_H_
