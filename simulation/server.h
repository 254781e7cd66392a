// What a call meets that depends on the calls that were made before: backends
// that take turns, and a server that bears only so many calls.
#ifndef AUTOBREAKER_SIMULATION_SERVER_H_
#define AUTOBREAKER_SIMULATION_SERVER_H_

#include "autobreaker/simulation/simulated_breaker.h"
#include "autobreaker/simulation/world.h"

namespace autobreaker::decisions {

class Server {
 public:
  // Whether the call fails for want of room or because its backend is dead; if
  // it is not made, whether it would have. In order of time.
  bool Fails(const Call& call, bool made);

 private:
  bool LacksRoom(const Call& call, bool made);

  int turn_ = 0;  // whose it is
  // How many calls a limited server can take at once now, and how many if it
  // had taken those, too, that were not made for which there was room.
  double room_ = 1;
  double spare_ = 1;
  // Calls made a second, of late.
  double load_ = 0;
  Nanos at_ = 0;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_SERVER_H_
