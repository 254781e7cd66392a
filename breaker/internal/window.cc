#include "autobreaker/breaker/internal/window.h"

#include <algorithm>
#include <new>

namespace autobreaker {

void SlidingWindow::Restart(MonotonicTime::duration length, int buckets,
                            const CallCounts& totals, MonotonicTime now) {
  // Rounded up, so that the steps never add up to less than the length.
  step_ = std::max((length + MonotonicTime::duration(buckets - 1)) / buckets,
                   MonotonicTime::duration(1));
  size_ = buckets + 1;
  marks_.reset();
  Restart(totals, now);
}

void SlidingWindow::Restart(const CallCounts& totals, MonotonicTime now) {
  start_ = now;
  steps_ = 0;
  first_ = totals;
  if (marks_ != nullptr) std::fill_n(marks_.get(), size_, totals);
}

void SlidingWindow::Advance(const CallCounts& totals,
                            MonotonicTime now) noexcept {
  const int64_t step = (now - start_) / step_;
  if (marks_ == nullptr && !(totals == first_)) {
    marks_.reset(new (std::nothrow) CallCounts[size_]);
    // A call is no place to run out of memory; the next one tries.
    if (marks_ == nullptr) return;
    std::fill_n(marks_.get(), size_, first_);
  }
  if (marks_ != nullptr) {
    // Of steps that went by without a call, only the last `size_` can matter.
    for (int64_t k = std::max(steps_ + 1, step - size_ + 1); k <= step; ++k) {
      marks_[k % size_] = totals;
    }
  }
  steps_ = std::max(steps_, step);
}

const CallCounts& SlidingWindow::base() const {
  // The oldest mark is the one that the next step will replace.
  return marks_ == nullptr ? first_ : marks_[(steps_ + 1) % size_];
}

CallCounts SlidingWindow::BaseAt(const CallCounts& totals,
                                 MonotonicTime now) const {
  const int64_t step = std::max(steps_, (now - start_) / step_);
  // The step at the far edge has passed, or has not ended since the last call,
  // which left its mark, or has ended since.
  const int64_t edge = step - (size_ - 1);
  if (edge <= 0) return first_;
  if (edge > steps_) return totals;
  return marks_ == nullptr ? first_ : marks_[edge % size_];
}

MonotonicTime::duration SlidingWindow::Covers(MonotonicTime now) const {
  const int64_t whole_steps_before = size_ - 1;
  return now - start_ -
         std::max<int64_t>(0, steps_ - whole_steps_before) * step_;
}

MonotonicTime SlidingWindow::next_boundary() const {
  return start_ + (steps_ + 1) * step_;
}

}  // namespace autobreaker
