#include "breaker/window.h"

#include <algorithm>

namespace autobreaker {

void SlidingWindow::Restart(MonotonicTime::duration length, int buckets,
                            const CallCounts& totals, MonotonicTime now) {
  // Rounded up, so that the steps never add up to less than the length.
  step_ = std::max((length + MonotonicTime::duration(buckets - 1)) / buckets,
                   MonotonicTime::duration(1));
  marks_.assign(buckets + 1, CallCounts());
  marks_.shrink_to_fit();
  Restart(totals, now);
}

void SlidingWindow::Restart(const CallCounts& totals, MonotonicTime now) {
  start_ = now;
  steps_ = 0;
  std::fill(marks_.begin(), marks_.end(), totals);
}

void SlidingWindow::Advance(const CallCounts& totals, MonotonicTime now) {
  const int64_t step = (now - start_) / step_;
  const int64_t size = static_cast<int64_t>(marks_.size());
  // Of steps that went by without a call, only the last `size` can matter.
  for (int64_t k = std::max(steps_ + 1, step - size + 1); k <= step; ++k) {
    marks_[k % size] = totals;
  }
  steps_ = std::max(steps_, step);
}

const CallCounts& SlidingWindow::base() const {
  // The oldest mark is the one that the next step will replace.
  return marks_[(steps_ + 1) % static_cast<int64_t>(marks_.size())];
}

MonotonicTime SlidingWindow::next_boundary() const {
  return start_ + (steps_ + 1) * step_;
}

}  // namespace autobreaker
