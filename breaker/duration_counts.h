// How long finished calls took: the buckets of a histogram, a plain value.
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
