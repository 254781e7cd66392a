// Sequential evidence that calls fail more often than is normal.
//
// Page's CUSUM test for a change of rate (E. S. Page, "Continuous inspection
// schemes", Biometrika 1954), on calls that succeed or fail. Each result adds
// the logarithm of how much likelier it is if the server is broken than if all
// is well; the sum never falls below 0, and at the threshold the evidence is
// complete. Of all tests with as few false alarms this one is the quickest in
// the worst case (G. Lorden, Annals of Mathematical Statistics 1971; G. V.
// Moustakides, Annals of Statistics 1986), for one rate of the broken server.
// So there are two side by side: one for the `broken_failure_rate`, which sees
// everything above it, and one for a rate three quarters of the way from there
// to 1, which sees an outage sooner.
//
// The threshold is ln(2 n) for one false alarm in n calls: the sum of the two
// Shiryaev-Roberts statistics, less twice the number of calls, is a martingale
// while all is well, and never below the larger of the two CUSUM statistics'
// exponentials; so the mean number of calls to an alarm is at least n.
//
// Failures come in bursts, which the theory has not heard of. So there is a
// ceiling above the evidence: a third of the threshold above where it was at
// first, rising by another third in each `tolerated_burst`. One burst no longer
// than that brings the evidence up by two thirds; what lasts twice as long is
// not held back.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_EVIDENCE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_EVIDENCE_H_

#include <atomic>
#include <cstdint>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/seqlock.h"
#include "autobreaker/breaker/options.h"

namespace autobreaker {

// The arithmetic of EvidenceOptions.
struct EvidenceRule {
  static constexpr int kTests = 2;
  static constexpr uint64_t kOneSuccess = 256;

  // One test, in units of which one success takes kOneSuccess away.
  struct Test {
    uint64_t failure = 0;    // what one failure adds
    uint64_t threshold = 0;  // 0: off
  };
  Test tests[kTests];
  MonotonicTime::rep tolerated_burst = 0;

  static EvidenceRule From(const BreakerOptions& options);
};

// The evidence, which successes lower without writing to it: one word per test
// holds the number of successes at which it will be gone. Successes are counted
// in all, as in CallCounts.
//
// Thread-safety: every method may be called from any thread at once, without a
// lock, except SetRule() and Restart(), whose callers take turns.
class FailureEvidence {
 public:
  // Where the evidence will be gone. Read it before the successes that it is
  // compared with, or others may add to both in between, and it looks larger
  // than it ever was.
  struct Places {
    uint64_t words[EvidenceRule::kTests];
  };
  Places Read() const;

  // Weighs by `rule` from now on, and starts over as Restart() does.
  void SetRule(const EvidenceRule& rule, double level, uint64_t successes,
               uint64_t generation);

  // Starts over for results of `generation`, at `level`: a share of the
  // threshold.
  void Restart(double level, uint64_t successes, uint64_t generation);

  // Notes a failure and answers whether the evidence seems complete; whether it
  // is, Level() tells with successes of now. Changes
  // nothing and answers false if `generation` is no longer the current one, or
  // at the very moment of a SetRule().
  bool AddFailure(uint64_t successes, uint64_t generation, MonotonicTime now);

  // The share of the threshold that is reached, 0 to 1: of the test that is
  // closest.
  double Level(const Places& places, uint64_t successes) const;

  // How many failures in a row would complete it, were they not one burst. At
  // least 1.
  int64_t FailuresUntilComplete(const Places& places, uint64_t successes) const;

  // REQUIRES: no SetRule() meanwhile.
  EvidenceRule rule() const;

 private:
  double LevelBy(const EvidenceRule& rule, const Places& places,
                 uint64_t successes) const;

  SeqLock<EvidenceRule> rule_;
  // The low bits of the generation in 8; where the evidence will be gone in 56,
  // as successes times kOneSuccess.
  std::atomic<uint64_t> words_[EvidenceRule::kTests] = {};
  // When the ceiling would have been at 0. Never goes back.
  std::atomic<MonotonicTime::rep> ceiling_start_{
      MonotonicTime::min().time_since_epoch().count() / 2};
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_EVIDENCE_H_
