#include "autobreaker/breaker/internal/streak.h"

#include <algorithm>

namespace autobreaker {
namespace {

constexpr int kSuccessBits = 36;
constexpr int kGenerationBits = 8;
constexpr uint64_t kSuccessMask = (uint64_t{1} << kSuccessBits) - 1;
constexpr uint64_t kGenerationMask = (uint64_t{1} << kGenerationBits) - 1;
constexpr uint64_t kLongest =
    (uint64_t{1} << (64 - kSuccessBits - kGenerationBits)) - 1;

uint64_t Pack(uint64_t length, uint64_t generation, uint64_t successes) {
  return length << (kSuccessBits + kGenerationBits) |
         (generation & kGenerationMask) << kSuccessBits |
         (successes & kSuccessMask);
}
uint64_t Length(uint64_t word) {
  return word >> (kSuccessBits + kGenerationBits);
}
uint64_t Generation(uint64_t word) {
  return word >> kSuccessBits & kGenerationMask;
}
// 0 if `successes` is a little older than the word: whoever read it was
// overtaken by a failure on another thread.
uint64_t SuccessesSince(uint64_t word, uint64_t successes) {
  constexpr uint64_t kOvertaken = uint64_t{1} << 28;
  const uint64_t since = (successes - word) & kSuccessMask;
  return since > kSuccessMask - kOvertaken ? 0 : since;
}

}  // namespace

void FailureStreak::Restart(uint64_t successes, uint64_t generation) {
  word_.store(Pack(0, generation, successes));
}

int64_t FailureStreak::AddFailure(uint64_t successes, uint64_t generation,
                                  uint64_t gap) {
  uint64_t seen = word_.load();
  uint64_t length;
  uint64_t latest;
  do {
    if (Generation(seen) != (generation & kGenerationMask)) return 0;
    const uint64_t since = SuccessesSince(seen, successes);
    length = since <= gap ? std::min(Length(seen) + 1, kLongest) : 1;
    latest = seen + since;  // never back to the older of the two
  } while (
      !word_.compare_exchange_weak(seen, Pack(length, generation, latest)));
  return static_cast<int64_t>(length);
}

int64_t FailureStreak::Failures(uint64_t successes, uint64_t gap) const {
  const uint64_t word = word_.load();
  return SuccessesSince(word, successes) <= gap ? Length(word) : 0;
}

int64_t FailureStreak::Successes(uint64_t successes) const {
  return SuccessesSince(word_.load(), successes);
}

}  // namespace autobreaker
