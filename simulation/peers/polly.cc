#include "autobreaker/simulation/peers/polly.h"

namespace autobreaker::decisions {

std::optional<uint64_t> Polly::Admit(Nanos now) {
  if (state_ == State::kClosed) return 0;
  if (state_ == State::kHalfOpen) return std::nullopt;
  if (now - opened_ < settings_.break_time) return std::nullopt;
  state_ = State::kHalfOpen;
  return 0;
}

void Polly::Finish(uint64_t, Nanos now, bool failed) {
  if (state_ == State::kHalfOpen) {
    if (failed) return Open(now);
    state_ = State::kClosed;
    slices_.clear();
    calls_ = failures_ = 0;
    return;
  }
  Add(now, failed);
  if (failed && state_ == State::kClosed && calls_ >= settings_.minimum &&
      static_cast<double>(failures_) >=
          settings_.failure_ratio * static_cast<double>(calls_)) {
    Open(now);
  }
}

void Polly::Open(Nanos now) {
  state_ = State::kOpen;
  opened_ = now;
}

void Polly::Add(Nanos now, bool failed) {
  if (slices_.empty() ||
      now - slices_.back().start >= settings_.sampling / kSlices) {
    slices_.push_back({now});
  }
  ++calls_;
  ++slices_.back().calls;
  if (failed) {
    ++failures_;
    ++slices_.back().failures;
  }
  while (now - slices_.front().start >= settings_.sampling) {
    calls_ -= slices_.front().calls;
    failures_ -= slices_.front().failures;
    slices_.pop_front();
  }
}

}  // namespace autobreaker::decisions
