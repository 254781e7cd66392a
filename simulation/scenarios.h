// What happens to the calls of a simulation.
#ifndef AUTOBREAKER_SIMULATION_SCENARIOS_H_
#define AUTOBREAKER_SIMULATION_SCENARIOS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

enum class Kind {
  // Nothing is wrong for longer than an instant: what opens, opens for noise.
  kHealthy,
  kBlip,
  kLostConnections,
  // Something is wrong for a while.
  kIncident,
  kFlapping,
  kDecline,
  kHalfCapacity,
  kFleet,
};

inline bool IsNoise(Kind kind) { return kind <= Kind::kLostConnections; }

struct Scenario {
  Kind kind = Kind::kHealthy;
  double rate = 1;           // calls a second, Poisson
  double background = 0.01;  // the share of calls that fails when all is well
  double share = 1;          // and that fails when something is wrong
  bool hangs = false;        // a failing call fails at its deadline only

  // How long something is wrong, log-uniform; the same if both are.
  Nanos shortest = 0;
  Nanos longest = 0;

  int64_t calls = 0;  // how many to simulate, of noise
  int episodes = 1;   // how many to simulate, of the others

  // Unique, without spaces.
  std::string Name() const;
};

// Calls in flight when a connection is lost.
inline constexpr double kInFlightWhenLost = 20;

// When a call ends that fails: late or, on average, at once.
inline constexpr Nanos kDeadline = 1'000'000'000;
inline constexpr Nanos kMeanFailFast = 5'500'000;

// The share of failures `since` something went wrong, for `length` in all.
double FailureShare(const Scenario& scenario, Nanos since, Nanos length);

// For how long, at the end, the server bears half the load.
Nanos HalfCapacityTime(const Scenario& scenario);

// All of them, noise first; with fewer calls and episodes if `quick`.
std::vector<Scenario> AllScenarios(bool quick);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_SCENARIOS_H_
