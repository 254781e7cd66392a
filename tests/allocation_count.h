// Counts what is allocated with operator new, which it replaces in programs
// that link it.
#ifndef AUTOBREAKER_TESTS_ALLOCATION_COUNT_H_
#define AUTOBREAKER_TESTS_ALLOCATION_COUNT_H_

#include <cstdint>

namespace autobreaker {

// Of one thread, since others allocate when they please.
int64_t AllocationsOfThisThread();

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_ALLOCATION_COUNT_H_
