#include "autobreaker/simulation/simulation.h"

#include <algorithm>
#include <optional>

namespace autobreaker::decisions {

Simulation::Fate Simulation::Ask(const Call& call) {
  HandleUntil(call.at);
  const std::optional<uint64_t> ticket = breaker_->Admit(call.at);
  const bool server_fails = server_.Fails(call, ticket.has_value());
  const Fate fate = {ticket.has_value(), call.fails || server_fails};
  if (!fate.admitted) return fate;
  if (call.progress > 0 && !server_fails) {
    Add({call.progress, 0, *ticket, Event::kProgress});
  }
  Add({server_fails ? call.fails_at : call.ends, 0, *ticket,
       fate.fails ? Event::kFailure : Event::kSuccess});
  return fate;
}

void Simulation::Add(Event event) {
  event.order = order_++;
  events_.push_back(event);
  std::push_heap(events_.begin(), events_.end(), Later);
}

void Simulation::HandleUntil(Nanos now) {
  while (!events_.empty() && events_.front().at <= now) {
    std::pop_heap(events_.begin(), events_.end(), Later);
    const Event event = events_.back();
    events_.pop_back();
    if (event.what == Event::kProgress) {
      breaker_->Progress(event.ticket, event.at);
    } else {
      breaker_->Finish(event.ticket, event.at, event.what == Event::kFailure);
    }
  }
}

}  // namespace autobreaker::decisions
