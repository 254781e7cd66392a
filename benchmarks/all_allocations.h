// Counts what is allocated with operator new, by whichever thread. Replaces
// that operator in programs that link it.
#ifndef AUTOBREAKER_BENCHMARKS_ALL_ALLOCATIONS_H_
#define AUTOBREAKER_BENCHMARKS_ALL_ALLOCATIONS_H_

#include <cstdint>

namespace autobreaker {

// Counting makes threads meet in one cache line: not while anything is timed.
void StartCountingAllocations();

// Answers how many there were since the start.
int64_t StopCountingAllocations();

}  // namespace autobreaker

#endif  // AUTOBREAKER_BENCHMARKS_ALL_ALLOCATIONS_H_
