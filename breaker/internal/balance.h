// Whether it pays to refuse calls: whether failures outweigh successes.
//
// A call that is refused loses a success with the chance 1 - p and saves a
// failure with the chance p, so refusing pays where p, the share of calls that
// fails, is above the break-even rate b. Each failure adds to the balance and
// each success takes away so much that the balance stays as it is where just b
// of the calls fails, but it never falls below 0. Failures outweigh when the
// balance is more than chance alone makes it:
//
//   balance >= sqrt(m max(k - 1, m)),  m = 2 / (1 - b)      in failures
//
// where k failures came since the server was last well. At b = 0.5 four
// failures in a row outweigh, and so do ten failures beside four successes. The
// longer fewer calls than b fail, the more it takes: where a third fails,
// failures outweigh by chance when it begins, or hardly ever. The server counts
// as well again after a row of successes that is a thousand million times as
// likely of a server that is well as of one that fails b of its calls: 30 at
// the defaults. Then no balance is left either: it is never more than those k
// failures. Such a row comes by chance, too, so a partial outage that lasts
// can begin anew: where a fifth fails, failures outweigh again once in some
// 300,000 calls, and more seldom where more fail. docs/design.md has the
// argument.
//
// As in evidence.h, a success writes nothing here, and `successes` are counted
// in all.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_BALANCE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_BALANCE_H_

#include <atomic>
#include <cstdint>

#include "autobreaker/breaker/internal/streak.h"
#include "autobreaker/breaker/options.h"

namespace autobreaker {

// The arithmetic of EvidenceOptions::break_even_failure_rate: a plain value.
struct BalanceRule {
  // What a success takes away, in units.
  static constexpr uint64_t kOneSuccess = 4096;

  uint32_t failure = 0;  // what a failure adds, in units
  // A row of more successes shows that the server is well.
  uint32_t gap = 0;
  // 2 / (1 - b): of fewer failures, the balance never outweighs.
  double fewest = 0;

  static BalanceRule From(const EvidenceOptions& options);

  // The balance, in units, at which `failures` of them outweigh.
  double Outweighs(int64_t failures) const;

  friend bool operator==(const BalanceRule& a, const BalanceRule& b) {
    return a.failure == b.failure && a.gap == b.gap && a.fewest == b.fewest;
  }
};

// Thread-safety: every method may be called from any thread at once, without a
// lock, except Restart() and Reweigh(), whose callers take turns.
class FailureBalance {
 public:
  // The word. Read it before the successes that it is compared with; see
  // FailureEvidence::Places.
  uint64_t Read() const { return word_.load(); }

  // Starts over, for results of `generation`.
  void Restart(uint64_t successes, uint64_t generation);
  // A failure weighs otherwise from now on. The balance stays, in failures.
  void Reweigh(const BalanceRule& before, const BalanceRule& after,
               uint64_t successes, uint64_t generation);

  // Notes a failure, and answers whether failures outweigh. Changes nothing and
  // answers false if `generation` is over.
  bool AddFailure(const BalanceRule& rule, uint64_t successes,
                  uint64_t generation);

  // The share of what outweighs that is reached, 0 to 1.
  double Level(const BalanceRule& rule, uint64_t word,
               uint64_t successes) const;

  // How many failures in a row would outweigh: 1 or more.
  int64_t FailuresUntilOutweighed(const BalanceRule& rule, uint64_t word,
                                  uint64_t successes) const;

 private:
  // Since the server was last well.
  uint64_t Failures(const BalanceRule& rule, uint64_t successes) const;

  // The low bits of the generation in 8 bits; in 56 bits, the number of
  // successes at which the balance will be 0, times kOneSuccess.
  std::atomic<uint64_t> word_{0};
  // The failures since the server was last well.
  FailureStreak trouble_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_BALANCE_H_
