#include "autobreaker/simulation/peers/autobreaker_go.h"

namespace autobreaker::decisions {

void AutoBreakerGo::Enter(State state, Nanos now) {
  state_ = state;
  since_ = now;
  requests_ = failures_ = 0;
  if (state == kHalfOpen) probes_ = 0;
}

std::optional<uint64_t> AutoBreakerGo::Admit(Nanos now) {
  if (state_ == kClosed && settings_.interval > 0 &&
      now - since_ >= settings_.interval) {
    Enter(kClosed, now);
  }
  if (state_ == kOpen) {
    if (now - since_ < settings_.timeout) return std::nullopt;
    Enter(kHalfOpen, now);
  }
  ++requests_;  // also if it is refused below
  if (state_ == kHalfOpen) {
    if (probes_ >= settings_.max_requests) return std::nullopt;
    ++probes_;
  }
  return state_;  // a result is judged by the state that admitted the call
}

void AutoBreakerGo::Finish(uint64_t ticket, Nanos now, bool failed) {
  if (failed) ++failures_;
  if (ticket == kHalfOpen) {
    --probes_;
    if (state_ == kHalfOpen) Enter(failed ? kOpen : kClosed, now);
    return;
  }
  if (failed && state_ == kClosed && requests_ >= settings_.minimum &&
      static_cast<double>(failures_) >
          settings_.failure_rate * static_cast<double>(requests_)) {
    Enter(kOpen, now);
  }
}

}  // namespace autobreaker::decisions
