// What happens to the calls of a simulation.
#ifndef AUTOBREAKER_SIMULATION_SCENARIO_H_
#define AUTOBREAKER_SIMULATION_SCENARIO_H_

#include <cstdint>
#include <string>

#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

enum class Kind {
  // Nothing is wrong for longer than an instant: what opens, opens for noise.
  kHealthy,
  kBlip,
  kLostConnections,
  // Something is wrong for a while. Each call fails with the same chance:
  kIncident,
  kOnOff,  // and calls come for 5 s in every 20 s
  kDaily,  // and the rate of calls goes up and down
  kFleet,  // and many clients have a breaker each
  // A part of what calls need is dead:
  kBackends,  // one of some, which take turns
  kKeys,      // a share of the keys; the next call often has the same key
  kRestarts,  // one of some backends after the other
  // Everything is dead:
  kDeploy,         // for some seconds
  kSilenceBefore,  // for an instant, after no call came for 15 s
  kSilenceWhile,   // and no call comes while it is, but for the first instant
  kStreams,        // and each call takes minutes
  kWarmUp,         // and when it is back, it bears few calls at first
  // The share that fails changes:
  kBursts,  // it is high now and then (Gilbert and Elliott)
  kFlapping,
  kDecline,
  // All works, but
  kOverload,   // more calls come than the server bears
  kImpatient,  // a share of the callers waits for 1 ms only
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

  int backends = 1;        // of kBackends and kRestarts
  double load = 1;         // of kOverload: over what the server bears
  bool collapses = false;  // and the more load, the less it does
  Nanos lasts = 0;         // a stream, or a burst on average

  int64_t calls = 0;  // how many to simulate, of noise
  int episodes = 1;   // how many to simulate, of the others

  // Unique, without spaces.
  std::string Name() const;
};

// Whether something is wrong, and at most half of the calls fail for long.
bool IsPartial(const Scenario& scenario);

// Calls in flight when a connection is lost.
inline constexpr double kInFlightWhenLost = 20;

// When a call ends that fails: late or, on average, at once.
inline constexpr Nanos kDeadline = 1'000'000'000;
inline constexpr Nanos kMeanFailFast = 5'500'000;
inline constexpr Nanos kImpatientDeadline = 1'000'000;

// In these, `since` is the time since something went wrong, below 0 before
// that, and `length` is how long it is wrong in all.

// The share of calls that fails, whatever part of the server they meet.
double FailureShare(const Scenario& scenario, Nanos since, Nanos length);

// Which of the backends is dead.
int DeadBackend(const Scenario& scenario, Nanos since, Nanos length);

// The calls a second that the server bears; 0: any.
double Capacity(const Scenario& scenario, Nanos since, Nanos length);

// How many calls come, as a share of the most, which is Peak() a second.
double Intensity(const Scenario& scenario, Nanos since, Nanos length);
double Peak(const Scenario& scenario);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_SCENARIO_H_
