// How many failures came in a row, without a success ever writing here.
//
// It remembers, from the last failure, how long the row was and how many
// successes there had been in all. If the next failure finds that number
// unchanged, the row goes on; else a new one begins. Successes since the last
// failure are a difference in the same way.
//
// A row may also bear some successes between two failures: with a `gap` of 2,
// F S S F is a row of two failures, and F S S S F is not.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_STREAK_H_
#define AUTOBREAKER_BREAKER_INTERNAL_STREAK_H_

#include <atomic>
#include <cstdint>

namespace autobreaker {

class FailureStreak {
 public:
  // Starts over, for results of `generation`, at `successes` in all.
  void Restart(uint64_t successes, uint64_t generation);

  // Notes a failure and answers how many there are in a row. Changes nothing
  // and answers 0 if `generation` is no longer the current one.
  int64_t AddFailure(uint64_t successes, uint64_t generation, uint64_t gap = 0);

  // Failures in the row that a failure would go on with now; without a gap,
  // those since the last success.
  int64_t Failures(uint64_t successes, uint64_t gap = 0) const;
  // Successes since the last failure.
  int64_t Successes(uint64_t successes) const;

 private:
  // One word, so that all three change together: the row's length in 20 bits
  // (it stops at the top, where every setting of consecutive_failures has been
  // met), the low bits of the generation in 8 and of the successes in 36.
  std::atomic<uint64_t> word_{0};
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_STREAK_H_
