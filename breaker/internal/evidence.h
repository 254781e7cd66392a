// Evidence that calls fail more often than is normal.
//
// Each failure adds to it, each success takes some away, never below 0; at the
// threshold it is complete. This is Page's CUSUM test (E. S. Page, "Continuous
// inspection schemes", Biometrika 1954). Two such tests run side by side, one
// for a server that is partly broken and one for an outage, and the one that is
// closest to its threshold counts. docs/design.md has the weights, the bound on
// false openings and its proof.
//
// A ceiling holds back bursts: while failures come within
// EvidenceOptions::tolerated_burst, they bring the evidence up by at most two
// thirds of the threshold.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_EVIDENCE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_EVIDENCE_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/options.h"

namespace autobreaker {

// The arithmetic of EvidenceOptions: a plain value.
struct EvidenceRule {
  static constexpr int kTests = 2;
  static constexpr uint64_t kOneSuccess = 256;

  // One test, in units of which a success takes kOneSuccess away.
  struct Test {
    uint32_t failure = 0;    // what a failure adds
    uint32_t threshold = 0;  // 0: off
  };
  Test tests[kTests];
  MonotonicTime::rep tolerated_burst = 0;  // nanoseconds

  static EvidenceRule From(const TripOptions& options);

  friend bool operator==(const EvidenceRule& a, const EvidenceRule& b);
};

// How much evidence there is. A success does not write here: for each test, one
// word says how many successes there will have been in all when the evidence is
// gone, and the evidence is the distance to that number.
//
// `successes` are counted in all, as in CallCounts. Results belong to a
// generation, see StateWord.
//
// Thread-safety: every method may be called from any thread at once, without a
// lock, except Restart(), whose callers take turns.
class FailureEvidence {
 public:
  // The words. Read them before the successes that they are compared with. In
  // the other order, another thread may add to both in between, and there seems
  // to be more evidence than there ever was.
  struct Places {
    uint64_t words[EvidenceRule::kTests];
  };
  Places Read() const;

  // Starts over for results of `generation`, at `level`: a share of the
  // threshold, 0 to 1.
  void Restart(const EvidenceRule& rule, double level, uint64_t successes,
               uint64_t generation);

  // Notes a failure, and answers whether the evidence seems complete. It may
  // only seem so if this thread was held up after it read `successes`: ask
  // Level() with those of now. Changes nothing and answers false if
  // `generation` is over.
  bool AddFailure(const EvidenceRule& rule, uint64_t successes,
                  uint64_t generation, MonotonicTime now);

  // The share of the threshold that is reached, 0 to 1, by the test that is
  // closest to it.
  static double Level(const EvidenceRule& rule, const Places& places,
                      uint64_t successes);

  // How many failures in a row would complete it if they came slowly enough to
  // be no burst: 1 or more. Nothing if the rule is off.
  static std::optional<int64_t> FailuresUntilComplete(const EvidenceRule& rule,
                                                      const Places& places,
                                                      uint64_t successes);

 private:
  // For each test: the low bits of the generation in 8 bits; in 56 bits, the
  // number of successes at which there is no evidence left, times kOneSuccess.
  std::atomic<uint64_t> words_[EvidenceRule::kTests] = {};
  // When the ceiling would have been at 0. Never goes back.
  std::atomic<MonotonicTime::rep> ceiling_start_{
      MonotonicTime::min().time_since_epoch().count() / 2};
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_EVIDENCE_H_
