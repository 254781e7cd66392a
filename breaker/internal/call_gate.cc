#include "autobreaker/breaker/internal/call_gate.h"

#include <limits>

namespace autobreaker {

bool CallGate::HasPlace() {
  CallCap* const cap = this->cap();
  do {
    if (cap->HasRoom()) return true;
  } while (LowerOthers(cap));
  return false;
}

bool CallGate::TakePlace() {
  CallCap* const cap = this->cap();
  do {
    if (cap->Take()) return true;
  } while (LowerOthers(cap));
  return false;
}

// Whether it may be that fewer others are under way than was known.
bool CallGate::LowerOthers(CallCap* cap) const {
  const int64_t before = cap->others();
  if (before == 0) return false;
  // Never fewer than there are: of each call, the end is looked for before the
  // beginning, and a place is given back before the end is counted.
  const CallCounts judged = counters_.JudgedTotals();
  const uint64_t ended = judged.finished() +
                         counters_.Total(ShardedCounters::kUnjudgedSuccess) +
                         counters_.Total(ShardedCounters::kUnjudgedFailure) +
                         counters_.Total(ShardedCounters::kIgnored) +
                         counters_.Total(ShardedCounters::kAbandoned);
  const auto now = static_cast<int64_t>(
      counters_.Total(ShardedCounters::kAdmitted) + cap->given_back() - ended);
  if (now >= before) return false;
  cap->LowerOthers(before, now);
  return true;
}

std::optional<CallGate::Judgment> CallGate::CountAndJudge(uint64_t generation,
                                                          bool failed,
                                                          bool slow,
                                                          MonotonicTime now) {
  // The counters compare only the low bits of the generation. That is enough
  // for a transition that comes after this line, but not for a call that lasted
  // for 2^16 of them.
  if (word().generation() != generation ||
      !counters_.AddJudged(
          failed ? ShardedCounters::kFailure : ShardedCounters::kSuccess,
          generation)) {
    CountLate(failed, slow);
    return std::nullopt;
  }
  if (slow) CountJudgedSlow(generation);
  Judgment judgment;
  if (!failed && !slow) return judgment;
  // Before the totals, so that these are never the older of the two.
  const JudgmentTerms terms = terms_.Read(&Terms::judgment);
  const CallCounts totals = counters_.JudgedTotals();
  if (failed) {
    judgment.failures_in_a_row =
        streak_.AddFailure(totals.successes, generation);
    judgment.evidence_is_complete =
        evidence_.AddFailure(terms.evidence, totals.successes, generation, now);
  }
  judgment.suspicious =
      word().mode() != Mode::kForcedClosed &&
      terms.trip
          .Judge(totals - terms.window_base, judgment.failures_in_a_row,
                 judgment.evidence_is_complete)
          .has_value();
  return judgment;
}

void CallGate::CountProbe(uint64_t generation, bool failed, bool slow) {
  counters_.AddJudged(
      failed ? ShardedCounters::kFailure : ShardedCounters::kSuccess,
      generation);
  if (slow) CountJudgedSlow(generation);
  if (failed) {
    streak_.AddFailure(counters_.JudgedTotals().successes, generation);
  }
}

void CallGate::CountJudgedSlow(uint64_t generation) {
  // The generation may have ended since the result itself was counted.
  if (!counters_.AddJudged(ShardedCounters::kSlow, generation)) {
    counters_.Add(ShardedCounters::kUnjudgedSlow);
  }
}

void CallGate::CountUnjudged(bool failed, bool slow) {
  counters_.Add(failed ? ShardedCounters::kUnjudgedFailure
                       : ShardedCounters::kUnjudgedSuccess);
  if (slow) counters_.Add(ShardedCounters::kUnjudgedSlow);
}

void CallGate::CountLate(bool failed, bool slow) {
  CountUnjudged(failed, slow);
  counters_.Add(ShardedCounters::kLate);
}

CallCounts CallGate::EndGeneration() {
  return counters_.StartGeneration(word().generation() + 1);
}

void CallGate::MakeCap() {
  if (cap() == nullptr) cap_.store(new CallCap, std::memory_order_release);
}

void CallGate::Publish(const Terms& terms) noexcept {
  const uint64_t generation = terms.admission.word.generation();
  const EvidenceRule& rule = terms.judgment.evidence;
  if (generation != word().generation()) {
    const uint64_t successes = terms.judgment.window_base.successes;
    streak_.Restart(successes, generation);
    evidence_.Restart(successes, generation);
  } else if (const EvidenceRule before = terms_.Read(&Terms::judgment).evidence;
             !(before == rule)) {
    evidence_.Reweigh(before, rule, counters_.JudgedTotals().successes,
                      generation);
  }
  terms_.Publish(terms);
  window_moves_at_.store(terms.window_moves_at.time_since_epoch().count(),
                         std::memory_order_relaxed);
  if (CallCap* const cap = this->cap()) {
    const StateWord word = terms.admission.word;
    // In shadow mode others would not have been let through.
    cap->Set(word.capped() ? terms.max_calls_in_flight
                           : std::numeric_limits<int64_t>::max(),
             /*others_count=*/word.capped() && word.mode() != Mode::kShadow);
  }
  // Last: whoever sees the new state sees all that belongs to it.
  word_.store(terms.admission.word.bits(), std::memory_order_release);
}

uint64_t CallGate::admitted() const {
  const CallCap* const cap = this->cap();
  return counters_.Total(ShardedCounters::kAdmitted) +
         (cap != nullptr ? cap->taken() : 0);
}

uint64_t CallGate::asked() const {
  return admitted() + counters_.Total(ShardedCounters::kRefusedOpen) +
         counters_.Total(ShardedCounters::kRefusedHalfOpen) +
         counters_.Total(ShardedCounters::kRefusedForcedOpen);
}

CallGate::Evidence CallGate::evidence() const {
  const EvidenceRule rule = terms_.Read(&Terms::judgment).evidence;
  const FailureEvidence::Places places = evidence_.Read();
  const uint64_t successes = counters_.JudgedTotals().successes;
  return {evidence_.Level(rule, places, successes),
          evidence_.FailuresUntilComplete(rule, places, successes)};
}

CallCounts CallGate::DescribeFinished(BreakerSnapshot* s) const {
  // What is slow or late is finished, so those come first.
  s->slow_calls = counters_.JudgedTotals().slow +
                  counters_.Total(ShardedCounters::kUnjudgedSlow);
  s->late_results = counters_.Total(ShardedCounters::kLate);
  const CallCounts judged = counters_.JudgedTotals();
  s->successes =
      judged.successes + counters_.Total(ShardedCounters::kUnjudgedSuccess);
  s->failures =
      judged.failures + counters_.Total(ShardedCounters::kUnjudgedFailure);
  s->consecutive_successes = streak_.Successes(judged.successes);
  s->consecutive_failures = streak_.Failures(judged.successes);
  return judged;
}

void CallGate::DescribeAdmitted(BreakerSnapshot* s) const {
  s->ignored = counters_.Total(ShardedCounters::kIgnored);
  s->abandoned = counters_.Total(ShardedCounters::kAbandoned);
  // At once: what begins and ends before it is read is taken for in flight.
  s->requests = admitted();
  s->in_flight =
      s->requests - (s->successes + s->failures + s->ignored + s->abandoned);
  s->refused[static_cast<int>(RefusalReason::kOpen)] =
      counters_.Total(ShardedCounters::kRefusedOpen);
  s->refused[static_cast<int>(RefusalReason::kHalfOpen)] =
      counters_.Total(ShardedCounters::kRefusedHalfOpen);
  s->refused[static_cast<int>(RefusalReason::kForcedOpen)] =
      counters_.Total(ShardedCounters::kRefusedForcedOpen);
  s->shadow_refused[static_cast<int>(RefusalReason::kOpen)] =
      counters_.Total(ShardedCounters::kShadowOpen);
  s->shadow_refused[static_cast<int>(RefusalReason::kHalfOpen)] =
      counters_.Total(ShardedCounters::kShadowHalfOpen);
  if (const CallCap* const cap = this->cap()) {
    s->refused[static_cast<int>(RefusalReason::kTooManyCalls)] = cap->refused();
    s->shadow_refused[static_cast<int>(RefusalReason::kTooManyCalls)] =
        cap->shadow_refused();
  }
}

}  // namespace autobreaker
