// How long finished calls took, by the state that admitted them: the buckets of
// a histogram, sharded by CPU like every counter that calls add to.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_DURATIONS_H_
#define AUTOBREAKER_BREAKER_INTERNAL_DURATIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/duration_counts.h"
#include "autobreaker/breaker/internal/shards.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

class DurationHistogram {
 public:
  // `bounds` are the upper bounds of the buckets but the last, which has none,
  // in ascending order. They must remain live while this is.
  explicit DurationHistogram(const std::vector<absl::Duration>* bounds);

  // A bound belongs to the bucket that it ends.
  void Add(State admitted_in, MonotonicTime::duration taken);

  // Each call is in one bucket and in the sum, or will be in the next answer.
  DurationCounts Counts(State admitted_in) const;

 private:
  // Where the counters of a state begin: its buckets, then its sum.
  size_t First(State state) const {
    return static_cast<size_t>(state) * (bounds_->size() + 2);
  }

  const std::vector<absl::Duration>* const bounds_;
  ShardedArray counters_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_DURATIONS_H_
