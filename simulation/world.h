// The calls of one episode of a scenario: when each is made, and how it would
// end. They do not depend on the breaker, so all breakers meet the same world.
//
//   World world(scenario, seed, episode);
//   std::vector<Call> calls;
//   world.Next(&calls);  // some, then some more, for ever
#ifndef AUTOBREAKER_SIMULATION_WORLD_H_
#define AUTOBREAKER_SIMULATION_WORLD_H_

#include <cstdint>
#include <vector>

#include "autobreaker/simulation/random.h"
#include "autobreaker/simulation/scenario.h"
#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

enum class Phase : uint8_t { kBefore, kDuring, kAfter };

struct Call {
  Nanos at = 0;
  Nanos ends = 0;      // if it is made
  Nanos fails_at = 0;  // the same, if the server makes it fail
  Nanos progress = 0;  // when its first message comes; 0: with its end
  Phase phase = Phase::kBefore;
  bool fails = false;      // whatever it meets
  bool dead = false;       // the server fails every call now
  bool collapses = false;  // the more load, the less the server does
  // If there are more than one, they take turns, and one is dead.
  int backends = 1;
  int dead_backend = 0;
  double capacity = 0;  // calls a second that the server bears; 0: any
};

class World {
 public:
  // `scenario` must remain live while the world is in use.
  World(const Scenario& scenario, uint64_t seed, int episode);

  // When something goes wrong, and when all is well again. Never, of noise.
  Nanos begins() const { return begins_; }
  Nanos recovers() const { return begins_ + length_; }

  // Replaces `calls` by the ones that follow.
  void Next(std::vector<Call>* calls);

 private:
  Call NextCall();
  void MoveOn();
  void DecideNoise(Call* call, double fate, double latency);
  void DecideEpisode(Call* call, double fate, double latency);
  void DecideDuring(Call* call, double fate, double latency);
  void Stream(Call* call);
  bool KeyIsDead();
  bool InBurst();

  const Scenario& scenario_;
  Random random_;
  Nanos begins_ = 0;
  Nanos length_ = 0;
  Nanos now_ = 0;

  double key_ = 1;  // of the last call, in [0, 1)
  bool burst_ = false;
  Nanos burst_turns_ = 0;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_WORLD_H_
