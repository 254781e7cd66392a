#include "autobreaker/simulation/peers/resilience4j.h"

#include <algorithm>

namespace autobreaker::decisions {

void Resilience4j::Enter(State state, Nanos now) {
  state_ = state;
  if (state == State::kOpen) opened_ = now;
  permits_ = settings_.half_open_calls;
  failed_.clear();
  failures_ = 0;
}

std::optional<uint64_t> Resilience4j::Admit(Nanos now) {
  if (state_ == State::kOpen) {
    if (now - opened_ < settings_.wait) return std::nullopt;
    Enter(State::kHalfOpen, now);
  }
  if (state_ == State::kHalfOpen) {
    if (permits_ == 0) return std::nullopt;
    --permits_;
  }
  return 0;
}

void Resilience4j::Finish(uint64_t, Nanos now, bool failed) {
  if (state_ == State::kOpen) return;
  const bool probing = state_ == State::kHalfOpen;
  const int64_t window = probing ? settings_.half_open_calls : settings_.window;
  const int64_t minimum =
      std::min(window, probing ? window : settings_.minimum);
  failed_.push_back(failed);
  if (failed) ++failures_;
  if (static_cast<int64_t>(failed_.size()) > window) {
    if (failed_.front()) --failures_;
    failed_.pop_front();
  }
  const auto calls = static_cast<int64_t>(failed_.size());
  if (calls < minimum) return;
  if (static_cast<double>(failures_) >=
      settings_.failure_rate * static_cast<double>(calls)) {
    Enter(State::kOpen, now);
  } else if (probing) {
    Enter(State::kClosed, now);
  }
}

}  // namespace autobreaker::decisions
