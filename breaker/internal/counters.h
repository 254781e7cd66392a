// The lifetime counters of one breaker, kept apart by CPU.
//
// A counter never goes back: not at a transition, not at an update, not at a
// change of mode.
//
// Judged counters hold the results that a verdict may rest on. A judged result
// is added only in the generation it was admitted in, and the check and the
// addition are one atomic step: each judged word carries the low bits of the
// generation beside its count. That is what keeps a late result out of a new
// state's window without a lock.
//
// Thread-safety: every method may be called from any thread at once, except
// StartGeneration(), whose callers take turns.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_COUNTERS_H_
#define AUTOBREAKER_BREAKER_INTERNAL_COUNTERS_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/internal/shards.h"

namespace autobreaker {

class ShardedCounters {
 public:
  enum Judged { kSuccess, kFailure, kSlow };
  enum Counter {
    kAdmitted,
    // By RefusalReason. (Those of a ramp are counted under the lock that
    // decides them.)
    kRefusedOpen,
    kRefusedHalfOpen,
    kRefusedForcedOpen,
    kIgnored,
    kAbandoned,
    // Finished calls that no verdict rests on.
    kUnjudgedSuccess,
    kUnjudgedFailure,
    kUnjudgedSlow,
    // Those of the unjudged whose generation was over.
    kLate,
    // What shadow mode let through, by RefusalReason.
    kShadowOpen,
    kShadowHalfOpen,
  };

  // All judged counters start at `start`, of generation 0. (Other than 0 only
  // to see what happens when they wrap.)
  explicit ShardedCounters(uint64_t start = 0);

  void Add(Counter counter) {
    // Release: whoever sees a call finished also sees it admitted.
    Local().counters[counter].fetch_add(1, std::memory_order_release);
  }

  // Adds one and answers true if `generation` is still the current one; else
  // changes nothing.
  bool AddJudged(Judged counter, uint64_t generation) {
    std::atomic<uint64_t>& word = Local().judged[counter];
    uint64_t seen = word.load(std::memory_order_relaxed);
    do {
      if ((seen & kTagMask) != (generation & kTagMask)) return false;
      // Sequentially consistent, like the reads of JudgedTotal(): of two
      // failures on two CPUs, at least one sees both, so the one that crosses a
      // threshold is never missed.
    } while (!word.compare_exchange_weak(seen, seen + kOne,
                                         std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
    return true;
  }

  // From here on only results of `generation` are judged. Returns the totals at
  // that very moment: what was added before is in them, what comes after is of
  // the new generation.
  CallCounts StartGeneration(uint64_t generation);

  CallCounts JudgedTotals() const;
  uint64_t Total(Counter counter) const;

 private:
  // A judged word: the count in the high 48 bits, so that it may wrap without
  // touching the low bits of the generation below it.
  static constexpr int kTagBits = 16;
  static constexpr uint64_t kTagMask = (uint64_t{1} << kTagBits) - 1;
  static constexpr uint64_t kOne = uint64_t{1} << kTagBits;

  static constexpr int kJudgedCount = 3;
  static constexpr int kCounterCount = 12;

  // Two cache lines, since CPUs fetch them in pairs. What a healthy call adds
  // to (kSuccess, kAdmitted) is in the first.
  struct alignas(128) Shard {
    std::atomic<uint64_t> judged[kJudgedCount];
    std::atomic<uint64_t> counters[kCounterCount];
  };

  Shard& Local() const { return shards_[ThisShard(shard_count_)]; }
  uint64_t JudgedTotal(Judged counter) const;

  const unsigned shard_count_;  // a power of two
  const std::unique_ptr<Shard[]> shards_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_COUNTERS_H_
