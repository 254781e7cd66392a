#include "autobreaker/simulation/server.h"

#include <algorithm>
#include <cmath>

namespace autobreaker::decisions {
namespace {

// Load is that of the last second or so, or of the last ten calls that the
// server bears.
double Memory(double capacity) { return std::max(1.0, 10 / capacity); }

}  // namespace

bool Server::Fails(const Call& call, bool made) {
  if (call.capacity > 0) return LacksRoom(call, made);
  const bool dead =
      call.backends > 1 && turn_ % call.backends == call.dead_backend;
  if (made) ++turn_;
  return dead;
}

bool Server::LacksRoom(const Call& call, bool made) {
  const double passed = ToSeconds(call.at - at_);
  at_ = call.at;
  load_ *= std::exp(-passed / Memory(call.capacity));
  // What is beyond its capacity costs it as much as what it does.
  const double does = call.collapses && load_ > call.capacity
                          ? call.capacity * call.capacity / load_
                          : call.capacity;
  // Its queue holds what it does in 100 ms, and some calls at least.
  const double most = std::max(5.0, call.capacity * 0.1);
  room_ = std::min(most, room_ + does * passed);
  spare_ = std::min(most, spare_ + does * passed);
  const bool lacks = (made ? room_ : spare_) < 1;
  if (made) {
    load_ += 1 / Memory(call.capacity);
    if (!lacks) room_ -= 1;
  }
  if (!lacks) spare_ -= 1;
  return lacks;
}

}  // namespace autobreaker::decisions
