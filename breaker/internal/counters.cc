#include "autobreaker/breaker/internal/counters.h"

namespace autobreaker {
namespace {

// Of a judged count.
constexpr uint64_t kCountMask = ~uint64_t{0} >> 16;

}  // namespace

ShardedCounters::ShardedCounters(uint64_t start)
    : shard_count_(ShardCount()), shards_(new Shard[shard_count_]()) {
  for (std::atomic<uint64_t>& word : shards_[0].judged) {
    word.store(start << kTagBits, std::memory_order_relaxed);
  }
}

CallCounts ShardedCounters::StartGeneration(uint64_t generation) {
  uint64_t totals[kJudgedCount] = {};
  for (unsigned s = 0; s < shard_count_; ++s) {
    for (int c = 0; c < kJudgedCount; ++c) {
      std::atomic<uint64_t>& word = shards_[s].judged[c];
      uint64_t seen = word.load(std::memory_order_relaxed);
      while (!word.compare_exchange_weak(
          seen, (seen & ~kTagMask) | (generation & kTagMask),
          std::memory_order_seq_cst, std::memory_order_relaxed)) {
      }
      totals[c] += seen >> kTagBits;
    }
  }
  return {totals[kSuccess] & kCountMask, totals[kFailure] & kCountMask,
          totals[kSlow] & kCountMask};
}

uint64_t ShardedCounters::JudgedTotal(Judged counter) const {
  uint64_t total = 0;
  for (unsigned s = 0; s < shard_count_; ++s) {
    total +=
        shards_[s].judged[counter].load(std::memory_order_seq_cst) >> kTagBits;
  }
  return total & kCountMask;
}

CallCounts ShardedCounters::JudgedTotals() const {
  // Slow last: a call is counted finished before it is counted slow, so a
  // reader in between must not miss the slow one for ever, only for now.
  const uint64_t successes = JudgedTotal(kSuccess);
  const uint64_t failures = JudgedTotal(kFailure);
  return {successes, failures, JudgedTotal(kSlow)};
}

uint64_t ShardedCounters::Total(Counter counter) const {
  uint64_t total = 0;
  for (unsigned s = 0; s < shard_count_; ++s) {
    total += shards_[s].counters[counter].load(std::memory_order_acquire);
  }
  return total;
}

}  // namespace autobreaker
