#include "autobreaker/simulation/peers/finagle.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace autobreaker::decisions {

std::optional<uint64_t> Finagle::Admit(Nanos now) {
  if (state_ == State::kAlive) return 0;
  if (state_ == State::kProbing || now < until_) return std::nullopt;
  state_ = State::kProbing;
  return 0;
}

void Finagle::Finish(uint64_t, Nanos now, bool failed) {
  switch (state_) {
    case State::kDead:
      return;
    case State::kProbing:
      return failed ? MarkDead(now) : Revive();
    case State::kAlive:
      Note(now, failed);
      if (failed && TooManyFail(now)) MarkDead(now);
  }
}

void Finagle::Note(Nanos now, bool failed) {
  in_a_row_ = failed ? in_a_row_ + 1 : 0;
  const double success = failed ? 0 : 1;
  if (latest_.empty()) {
    first_ = now;
    average_ = success;
  } else {
    const double keeps = std::exp(-ToSeconds(now - latest_.back()) /
                                  ToSeconds(settings_.window));
    average_ = average_ * keeps + success * (1 - keeps);
  }
  latest_.push_back(now);
  if (latest_.size() > static_cast<size_t>(settings_.minimum)) {
    latest_.pop_front();
  }
}

bool Finagle::TooManyFail(Nanos now) const {
  if (in_a_row_ >= settings_.consecutive) return true;
  const bool enough =
      latest_.size() == static_cast<size_t>(settings_.minimum) &&
      now - latest_.front() <= settings_.window;
  return enough && now - first_ >= settings_.window &&
         average_ < settings_.success_rate;
}

void Finagle::MarkDead(Nanos now) {
  state_ = State::kDead;
  // The first time as it is set, then between half of twice that and twice.
  const double most = ToSeconds(next_dead_for_);
  until_ =
      now + (next_dead_for_ == 0 ? settings_.dead_for
                                 : Seconds(random_.Uniform(most / 2, most)));
  next_dead_for_ = std::min(settings_.dead_for_max,
                            2 * std::max(settings_.dead_for, next_dead_for_));
}

void Finagle::Revive() {
  state_ = State::kAlive;
  next_dead_for_ = 0;
  in_a_row_ = 0;
  latest_.clear();
}

}  // namespace autobreaker::decisions
