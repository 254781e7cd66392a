// Evidence that calls fail more often than is normal, and so often that it pays
// to refuse them.
//
// Each failure adds to it, each success takes some away, never below 0; at the
// threshold it is complete. This is Page's CUSUM test (E. S. Page, "Continuous
// inspection schemes", Biometrika 1954). docs/design.md has the weights, the
// bound on false openings and its proof. Besides, failures have to outweigh
// successes; see balance.h.
//
// A ceiling holds back bursts, so that failures that come within
// EvidenceOptions::tolerated_burst alone are never enough. Time is cut into
// intervals of two thirds of that, each begun by the first failure after the
// one before. Within one the evidence rises by at most a quarter of the
// threshold, or by one failure if that is more. A burst touches three at most.
// (Times below 25 us are too short for that, and nothing is held back.)
#ifndef AUTOBREAKER_BREAKER_INTERNAL_EVIDENCE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_EVIDENCE_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/balance.h"
#include "autobreaker/breaker/options.h"

namespace autobreaker {

// The arithmetic of EvidenceOptions: a plain value.
struct EvidenceRule {
  // What a success takes away, in units.
  static constexpr uint64_t kOneSuccess = 256;

  uint32_t failure = 0;    // what a failure adds, in units
  uint32_t threshold = 0;  // in units; 0: off
  BalanceRule balance;
  MonotonicTime::rep tolerated_burst = 0;  // nanoseconds

  static EvidenceRule From(const TripOptions& options);

  friend bool operator==(const EvidenceRule& a, const EvidenceRule& b);
};

// How much evidence there is. A success does not write here; see places.h.
//
// `successes` are counted in all, as in CallCounts. Results belong to a
// generation, see StateWord.
//
// Thread-safety: every method may be called from any thread at once, without a
// lock, except Restart() and Reweigh(), whose callers take turns.
class FailureEvidence {
 public:
  // The words. Read them before the successes that they are compared with. In
  // the other order, another thread may add to both in between, and there seems
  // to be more evidence than there ever was.
  struct Places {
    uint64_t evidence;
    uint64_t balance;
  };
  Places Read() const;

  // Starts over, for results of `generation`.
  void Restart(uint64_t successes, uint64_t generation);
  // Results weigh otherwise from now on: as large a share of the threshold is
  // there as before.
  void Reweigh(const EvidenceRule& before, const EvidenceRule& after,
               uint64_t successes, uint64_t generation);

  // Notes a failure, and answers whether the evidence seems complete, and
  // failures to outweigh. It may only seem so if this thread was held up after
  // it read `successes`: ask Level() with those of now. Changes nothing and
  // answers false if `generation` is over.
  bool AddFailure(const EvidenceRule& rule, uint64_t successes,
                  uint64_t generation, MonotonicTime now);

  // The share that is reached of what opens the breaker, 0 to 1: of the
  // threshold or of what outweighs, whichever is smaller.
  double Level(const EvidenceRule& rule, const Places& places,
               uint64_t successes) const;

  // How many failures in a row would bring that to 1 if they came slowly enough
  // to be no burst: 1 or more. Nothing if the rule is off.
  std::optional<int64_t> FailuresUntilComplete(const EvidenceRule& rule,
                                               const Places& places,
                                               uint64_t successes) const;

 private:
  double Ceiling(const EvidenceRule& rule, double level, MonotonicTime now);

  std::atomic<uint64_t> word_{0};
  // The interval of now: when it began, and its ceiling.
  std::atomic<uint64_t> interval_{0};
  FailureBalance balance_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_EVIDENCE_H_
