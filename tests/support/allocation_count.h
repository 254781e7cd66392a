// Counts what is allocated with operator new, and makes it fail. Replaces that
// operator in programs that link it.
#ifndef AUTOBREAKER_TESTS_SUPPORT_ALLOCATION_COUNT_H_
#define AUTOBREAKER_TESTS_SUPPORT_ALLOCATION_COUNT_H_

#include <cstdint>

namespace autobreaker {

// Of one thread, since others allocate when they please.
int64_t AllocationsOfThisThread();

// Makes the next but `number` fail, once.
void FailAllocationOfThisThread(int64_t number);
void FailNoAllocationOfThisThread();

// Whether it has come to that.
bool AllocationFailed();

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_SUPPORT_ALLOCATION_COUNT_H_
