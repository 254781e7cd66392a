// What calls pass through: the counters of one breaker, and the terms that they
// are admitted and judged by. No lock.
//
// It owns the order in which things become visible:
// - A result of a generation that is over never counts for the next. Its
//   counters check and add in one step (counters.h), and EndGeneration() ends
//   the old one in them before the new terms are published.
// - Terms are published before the state word that goes with them. So who sees
//   the new state sees all that belongs to it.
//
// Thread-safety: every method may be called from any thread at once, except
// EndGeneration() and Publish(), whose callers take turns.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_CALL_GATE_H_
#define AUTOBREAKER_BREAKER_INTERNAL_CALL_GATE_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/call_cap.h"
#include "autobreaker/breaker/internal/counters.h"
#include "autobreaker/breaker/internal/evidence.h"
#include "autobreaker/breaker/internal/published.h"
#include "autobreaker/breaker/internal/streak.h"
#include "autobreaker/breaker/internal/terms.h"
#include "autobreaker/breaker/snapshot.h"

namespace autobreaker {

class CallGate {
 public:
  using Counter = ShardedCounters::Counter;

  // `clock` must remain live while this is.
  explicit CallGate(const Clock* clock) : clock_(clock) {}
  ~CallGate() { delete cap_.load(); }

  // ------------------------------------------------------------- Admission

  // Whether the call just goes, and then the generation it belongs to. It is
  // counted. If not, look at word().
  bool Admit(uint64_t* generation) {
    const StateWord word = this->word();
    if (!word.plain()) return false;
    counters_.Add(ShardedCounters::kAdmitted);
    *generation = word.generation();
    return true;
  }

  const Clock& clock() const { return *clock_; }

  StateWord word() const {
    return StateWord(word_.load(std::memory_order_acquire));
  }
  // The word and the times that belong to it, all of one moment.
  AdmissionTerms admission() const { return terms_.Read(&Terms::admission); }

  void Count(Counter counter) { counters_.Add(counter); }

  // Of a breaker with a cap on calls under way, as in CallCap. A call that
  // takes a place is counted as admitted by that.
  bool HasPlace();
  bool TakePlace();
  void GivePlaceBack() { cap()->GiveBack(); }
  void CountNoPlace(bool shadow) { cap()->CountRefused(shadow); }

  // --------------------------------------------------------------- Results

  // Counts a success of a call that was not timed, if that is all there is to
  // do: nothing is changed if not.
  bool CountSuccess(uint64_t generation) {
    return clock_->CoarseNow().time_since_epoch().count() <
               window_moves_at_.load(std::memory_order_relaxed) &&
           word().generation() == generation &&
           counters_.AddJudged(ShardedCounters::kSuccess, generation);
  }

  // Whether the window is to be moved before a result of now is counted.
  bool WindowMoves(MonotonicTime now) const {
    return now.time_since_epoch().count() >=
           window_moves_at_.load(std::memory_order_relaxed);
  }

  // Whether a call that took so long is slow.
  bool IsSlow(MonotonicTime::duration taken) const {
    const auto limit = terms_.Read(&Terms::slow_call_duration);
    return limit.count() > 0 && taken >= limit;
  }

  // What a result says that was counted.
  struct Judgment {
    // Whether the breaker seems to have reason to open.
    bool suspicious = false;
    int64_t failures_in_a_row = 0;
    bool evidence_is_complete = false;
  };
  // Counts a result of a call that was admitted while closed, and judges it.
  // Nothing if its generation is over: then it is counted as late.
  std::optional<Judgment> CountAndJudge(uint64_t generation, bool failed,
                                        bool slow, MonotonicTime now);

  // Counts the result of a probe of the current generation.
  void CountProbe(uint64_t generation, bool failed, bool slow);
  // Counts a result that no verdict rests on.
  void CountUnjudged(bool failed, bool slow);
  // The same, of a generation that is over.
  void CountLate(bool failed, bool slow);

  // --------------------------------------------------------------- Changes

  // From here on results of the current generation are late. Answers the totals
  // at that moment.
  CallCounts EndGeneration();

  // Before terms with a cap are published for the first time. May throw, and
  // changes nothing then.
  void MakeCap();

  // Puts terms in force. If they are of another generation, evidence starts
  // over. If their evidence is weighed otherwise, as large a share of the
  // threshold is there as before.
  void Publish(const Terms& terms) noexcept;

  // ---------------------------------------------------------------- Totals

  CallCounts judged() const { return counters_.JudgedTotals(); }
  // Failures since the last success.
  int64_t failures_in_a_row(const CallCounts& judged) const {
    return streak_.Failures(judged.successes);
  }
  // Calls asked for, admitted or not, but for those refused on a ramp, and
  // those for which the cap had no place: nobody would have sent them.
  uint64_t asked() const;

  // How much there is of the evidence that opens the breaker, 0 to 1, and how
  // many failures in a row would make it all.
  struct Evidence {
    double level = 0;
    std::optional<int64_t> failures_until_complete;
  };
  Evidence evidence() const;

  // Fill in the counts of calls: first of those that finished, last of those
  // that were admitted. So each part that is seen has its whole seen too.
  // The first answers the totals that it rests on.
  CallCounts DescribeFinished(BreakerSnapshot* snapshot) const;
  void DescribeAdmitted(BreakerSnapshot* snapshot) const;

 private:
  void CountJudgedSlow(uint64_t generation);
  CallCap* cap() const { return cap_.load(std::memory_order_acquire); }
  uint64_t admitted() const;
  bool LowerOthers(CallCap* cap) const;

  const Clock* const clock_;
  ShardedCounters counters_;
  std::atomic<uint64_t> word_{0};
  std::atomic<MonotonicTime::rep> window_moves_at_{0};
  Published<SharedTerms> terms_;
  // Written by every failure, and so not beside what every call reads.
  FailureStreak streak_;
  FailureEvidence evidence_;
  // Null until there is a cap for the first time. Owned.
  std::atomic<CallCap*> cap_{nullptr};
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_CALL_GATE_H_
