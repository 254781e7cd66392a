#include "autobreaker/simulation/peers/linkerd.h"

#include <algorithm>

namespace autobreaker::decisions {

std::optional<uint64_t> Linkerd::Admit(Nanos now) {
  if (state_ == State::kAvailable) return 0;
  if (state_ == State::kProbation || now < until_) return std::nullopt;
  state_ = State::kProbation;
  return 0;
}

void Linkerd::Finish(uint64_t, Nanos now, bool failed) {
  if (state_ == State::kPenalty) return;
  if (!failed) {
    state_ = State::kAvailable;
    in_a_row_ = 0;
    penalty_ = settings_.min_penalty;
    return;
  }
  ++in_a_row_;
  if (state_ == State::kProbation || in_a_row_ >= settings_.consecutive) {
    Shut(now);
  }
}

void Linkerd::Shut(Nanos now) {
  state_ = State::kPenalty;
  until_ = now + Seconds(ToSeconds(penalty_) *
                         (1 + random_.Uniform() * settings_.jitter));
  penalty_ = std::min(settings_.max_penalty, 2 * penalty_);
}

}  // namespace autobreaker::decisions
