#include "autobreaker/breaker/internal/shards.h"

#if defined(__linux__) && !defined(AUTOBREAKER_PORTABLE)
#include <sched.h>
#else
#include <functional>
#endif

#include <algorithm>
#include <thread>

namespace autobreaker {
namespace {

constexpr unsigned kMostShards = 64;

// One more than the highest number of a CPU that this process may run on.
unsigned CountCpus() {
#if defined(__linux__) && !defined(AUTOBREAKER_PORTABLE)
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0) {
    for (unsigned last = CPU_SETSIZE; last-- > 0;) {
      if (CPU_ISSET(last, &cpus)) return last + 1;
    }
  }
#endif
  return std::thread::hardware_concurrency();
}

unsigned CountShards() {
  const unsigned cpus = CountCpus();
  unsigned shards = 1;
  while (shards < std::min(cpus, kMostShards)) shards *= 2;
  return shards;
}

}  // namespace

unsigned AskForCpu() {
#if defined(__linux__) && !defined(AUTOBREAKER_PORTABLE)
  return static_cast<unsigned>(sched_getcpu());
#else
  return static_cast<unsigned>(
      std::hash<std::thread::id>()(std::this_thread::get_id()));
#endif
}

unsigned ShardCount() {
  static const unsigned count = CountShards();
  return count;
}

ShardedArray::ShardedArray(size_t size)
    : shard_count_(ShardCount()),
      blocks_per_shard_((size + kPerBlock - 1) / kPerBlock),
      blocks_(new Block[shard_count_ * blocks_per_shard_]()) {}

uint64_t ShardedArray::Total(size_t index) const {
  uint64_t total = 0;
  for (unsigned shard = 0; shard < shard_count_; ++shard) {
    total += Counter(shard, index).load(std::memory_order_acquire);
  }
  return total;
}

}  // namespace autobreaker
