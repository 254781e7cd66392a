#include "autobreaker/simulation/peers/gobreaker.h"

namespace autobreaker::decisions {

void Gobreaker::Enter(State state, Nanos now) {
  state_ = state;
  ++generation_;
  if (state == State::kOpen) opened_ = now;
  requests_ = failures_ = successes_ = 0;
}

std::optional<uint64_t> Gobreaker::Admit(Nanos now) {
  if (state_ == State::kOpen) {
    if (now - opened_ <= settings_.timeout) return std::nullopt;
    Enter(State::kHalfOpen, now);
  }
  if (state_ == State::kHalfOpen && requests_ >= settings_.max_requests) {
    return std::nullopt;
  }
  ++requests_;
  return generation_;
}

void Gobreaker::Finish(uint64_t ticket, Nanos now, bool failed) {
  if (ticket != generation_) return;
  if (failed) {
    successes_ = 0;
    ++failures_;
    if (state_ == State::kHalfOpen ||
        failures_ > settings_.more_failures_than) {
      Enter(State::kOpen, now);
    }
    return;
  }
  failures_ = 0;
  ++successes_;
  if (state_ == State::kHalfOpen && successes_ >= settings_.max_requests) {
    Enter(State::kClosed, now);
  }
}

}  // namespace autobreaker::decisions
