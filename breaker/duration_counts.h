// How long finished calls took: the buckets of a histogram. A plain value.
//
// In BreakerSnapshot::durations, for each state that admitted the calls, if
// Instruments::duration_buckets is set.
#ifndef AUTOBREAKER_BREAKER_DURATION_COUNTS_H_
#define AUTOBREAKER_BREAKER_DURATION_COUNTS_H_

#include <cstdint>
#include <vector>

namespace autobreaker {

struct DurationCounts {
  // Calls by bucket, those of lower buckets not included. One more than
  // Instruments::duration_buckets, or none where that is empty.
  std::vector<uint64_t> buckets;
  double sum_seconds = 0;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_DURATION_COUNTS_H_
