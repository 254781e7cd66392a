// Counters that every call adds to are kept apart by CPU, so that threads on
// different CPUs do not write the same cache line; a reader adds them up.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_SHARDS_H_
#define AUTOBREAKER_BREAKER_SHARDS_H_

#ifdef __linux__
#include <sched.h>
#else
#include <functional>
#include <thread>
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace autobreaker {

// How many shards there are on this machine: its CPUs, rounded up to a power of
// two, at most 64.
unsigned ShardCount();

// The one to add to now. `shard_count` is ShardCount(), kept by the caller
// where it is at hand. (Any number will do that differs between threads that
// run at once.)
inline unsigned ThisShard(unsigned shard_count) {
#ifdef __linux__
  const auto cpu = static_cast<unsigned>(sched_getcpu());
#else
  const auto cpu = static_cast<unsigned>(
      std::hash<std::thread::id>()(std::this_thread::get_id()));
#endif
  return cpu & (shard_count - 1);
}

// As many counters as asked for.
class ShardedArray {
 public:
  explicit ShardedArray(size_t size);

  // REQUIRES: index < size.
  void Add(size_t index, uint64_t by = 1) {
    Counter(ThisShard(shard_count_), index)
        .fetch_add(by, std::memory_order_release);
  }
  uint64_t Total(size_t index) const;

 private:
  static constexpr size_t kPerBlock = 16;
  // Two cache lines, since CPUs fetch them in pairs.
  struct alignas(128) Block {
    std::atomic<uint64_t> counters[kPerBlock];
  };

  std::atomic<uint64_t>& Counter(unsigned shard, size_t index) const {
    return blocks_[shard * blocks_per_shard_ + index / kPerBlock]
        .counters[index % kPerBlock];
  }

  const unsigned shard_count_;
  const size_t blocks_per_shard_;
  const std::unique_ptr<Block[]> blocks_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_SHARDS_H_
