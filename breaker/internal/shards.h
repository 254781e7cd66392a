// Counters that every call adds to are kept apart by CPU, so that threads on
// different CPUs do not write the same cache line; a reader adds them up.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_SHARDS_H_
#define AUTOBREAKER_BREAKER_INTERNAL_SHARDS_H_

// With AUTOBREAKER_PORTABLE, Linux is asked for nothing that others lack.
#if defined(__linux__) && !defined(AUTOBREAKER_PORTABLE) && \
    defined(__has_include) &&                               \
    (defined(__aarch64__) || (defined(__x86_64__) && !defined(__ILP32__)))
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/optimization.h"

namespace autobreaker {

// How many shards there are in this process: the CPUs that it may run on,
// counted from 0 to the last of them, rounded up to a power of two, at most 64.
// With more CPUs, some share one.
unsigned ShardCount();

// The CPU that runs this thread, as the C library knows it.
unsigned AskForCpu();

// The same, faster where the system allows. Any number would do that differs
// between threads that run at once.
inline unsigned ThisCpu() {
#ifdef RSEQ_SIG
  // The kernel keeps it here for restartable sequences (Linux's rseq(2), glibc
  // 2.35), where one load finds it; a call of sched_getcpu() would take longer
  // than counting does.
  int cpu;
#ifdef __x86_64__
  __asm__ volatile("movl %%fs:%c2(%1), %0"
                   : "=r"(cpu)
                   : "r"(__rseq_offset), "i"(offsetof(struct rseq, cpu_id)));
#else
  const char* thread_pointer;
  __asm__("mrs %0, tpidr_el0" : "=r"(thread_pointer));
  cpu = static_cast<int>(reinterpret_cast<const volatile struct rseq*>(
                             thread_pointer + __rseq_offset)
                             ->cpu_id);
#endif
  if (ABSL_PREDICT_TRUE(cpu >= 0)) return static_cast<unsigned>(cpu);
#endif
  return AskForCpu();  // no such area, or not registered
}

// The one to add to now. `shard_count` is ShardCount(), kept by the caller
// where it is at hand.
inline unsigned ThisShard(unsigned shard_count) {
  return ThisCpu() & (shard_count - 1);
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

#endif  // AUTOBREAKER_BREAKER_INTERNAL_SHARDS_H_
