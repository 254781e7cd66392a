#include "autobreaker/simulation/simulation.h"

#include <algorithm>
#include <optional>

namespace autobreaker::decisions {

Simulation::Fate Simulation::Ask(const Call& call) {
  FinishUntil(call.at);
  Fate fate;
  fate.fails = call.fails || (call.limited && Overloads(call.at));
  const std::optional<uint64_t> ticket = breaker_->Admit(call.at);
  fate.admitted = ticket.has_value();
  if (!fate.admitted) return fate;
  if (call.limited && !fate.fails) room_ -= 1;
  in_flight_.push_back({call.ends, order_++, *ticket, fate.fails});
  std::push_heap(in_flight_.begin(), in_flight_.end(), Later);
  return fate;
}

void Simulation::FinishUntil(Nanos now) {
  while (!in_flight_.empty() && in_flight_.front().ends <= now) {
    std::pop_heap(in_flight_.begin(), in_flight_.end(), Later);
    const InFlight done = in_flight_.back();
    in_flight_.pop_back();
    breaker_->Finish(done.ticket, done.ends, done.fails);
  }
}

bool Simulation::Overloads(Nanos now) {
  // As much at once as it bears in 10 ms, and at least one call.
  const double most = std::max(1.0, capacity_ * 0.01);
  room_ = std::min(most, room_ + capacity_ * ToSeconds(now - room_at_));
  room_at_ = now;
  return room_ < 1;
}

}  // namespace autobreaker::decisions
