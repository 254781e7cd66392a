#include "autobreaker/breaker/internal/durations.h"

#include <algorithm>

namespace autobreaker {
namespace {

// The unit of the sums. It adds an error of at most half of it, either way, to
// each call, and lets a sum run for 58,000 years of calls before it wraps.
constexpr int64_t kTickNanoseconds = 100;

}  // namespace

DurationHistogram::DurationHistogram(const std::vector<absl::Duration>* bounds)
    : bounds_(bounds), counters_(kStateCount * (bounds->size() + 2)) {}

void DurationHistogram::Add(State admitted_in, MonotonicTime::duration taken) {
  // A sum that goes back would count as a restart.
  taken = std::max(taken, MonotonicTime::duration::zero());
  const auto bucket = std::lower_bound(bounds_->begin(), bounds_->end(),
                                       absl::FromChrono(taken));
  const size_t first = First(admitted_in);
  counters_.Add(first + (bucket - bounds_->begin()));
  counters_.Add(first + bounds_->size() + 1,
                static_cast<uint64_t>((taken.count() + kTickNanoseconds / 2) /
                                      kTickNanoseconds));
}

DurationCounts DurationHistogram::Counts(State admitted_in) const {
  const size_t first = First(admitted_in);
  DurationCounts counts;
  counts.buckets.reserve(bounds_->size() + 1);
  for (size_t i = 0; i <= bounds_->size(); ++i) {
    counts.buckets.push_back(counters_.Total(first + i));
  }
  counts.sum_seconds =
      static_cast<double>(counters_.Total(first + bounds_->size() + 1)) *
      (kTickNanoseconds * 1e-9);
  return counts;
}

}  // namespace autobreaker
