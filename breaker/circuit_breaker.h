// A circuit breaker: refuses calls to a server that keeps failing, and finds
// out by a few probes when it is back.
//
//   auto breaker = CircuitBreaker::Create({"payments"}, options);
//   if (!breaker.ok()) return breaker.status();
//   Refusal refusal;
//   if (Permit permit = (*breaker)->TryAcquire(&refusal)) {
//     permit.Record(Call() ? Outcome::kSuccess : Outcome::kFailure);
//   }
//
// Invariants:
// - A result whose generation is not the current one never moves the state and
//   never enters the window.
// - Counters are lifetime totals and never go back.
// - While closed, a call that succeeds in time takes no lock, allocates nothing
//   and writes no cache line but its CPU's own. (Once per window step, one call
//   also remembers the totals, under a lock if it is free, and the first time
//   in memory that it allocates.) Nor does a call wait that is refused before
//   the open time is over.
//
// Time is brought forward inside calls and snapshots; there is no timer thread.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_CIRCUIT_BREAKER_H_
#define AUTOBREAKER_BREAKER_CIRCUIT_BREAKER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/internal/backoff.h"
#include "autobreaker/breaker/internal/counters.h"
#include "autobreaker/breaker/internal/durations.h"
#include "autobreaker/breaker/internal/evidence.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/internal/probes.h"
#include "autobreaker/breaker/internal/ramp.h"
#include "autobreaker/breaker/internal/seqlock.h"
#include "autobreaker/breaker/internal/shards.h"
#include "autobreaker/breaker/internal/streak.h"
#include "autobreaker/breaker/internal/trip_rule.h"
#include "autobreaker/breaker/internal/window.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/permit.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/status_classes.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

// Why TryAcquire() refused.
struct Refusal {
  RefusalReason reason = RefusalReason::kOpen;
  // When probes will be let through; nothing if no time is known, as while
  // forced open for good or while probes are under way.
  std::optional<absl::Duration> retry_after;
};

class alignas(64) CircuitBreaker
    : public std::enable_shared_from_this<CircuitBreaker> {
 public:
  // INVALID_ARGUMENT if `options` or `instruments` are, which may be null, for
  // defaults.
  static absl::StatusOr<std::shared_ptr<CircuitBreaker>> Create(
      BreakerKey key, const BreakerOptions& options,
      std::shared_ptr<const Instruments> instruments = nullptr);

  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  const BreakerKey& key() const { return key_; }

  // Asks to make a call. The permit is empty if the call is refused; then
  // `refusal`, if given, says why.
  Permit TryAcquire(Refusal* refusal = nullptr) {
    const uint64_t word = word_.load(std::memory_order_acquire);
    if ((word & kNotPlainBits) != 0) return TryAcquireSlowly(word, refusal);
    counters_.Add(ShardedCounters::kAdmitted);
    Permit permit;
    permit.breaker_ = this;
    permit.generation_ = GenerationOf(word);
    return permit;
  }

  // Counts a call as refused because its permit, of which finds_out() was true,
  // is used otherwise, and says what TryAcquire() would have said.
  Refusal RefuseForProbe();

  // Puts other options in force, all at once. Keeps state and counts; restarts
  // the window if its length or buckets change, and re-times an open breaker
  // if its open durations change. INVALID_ARGUMENT changes nothing.
  absl::Status UpdateOptions(const BreakerOptions& options);

  // Leaving kForcedOpen lets the next call probe; leaving kForcedClosed and
  // kShadow keeps the state they are in. After `how_long` the mode goes back by
  // itself to that of the breaker's policy, kAutomatic unless a registry has
  // another; infinite, or more than a hundred years, is for good.
  // REQUIRES: how_long > 0.
  void SetMode(Mode mode, absl::Duration how_long = absl::InfiniteDuration());

  // Closes the breaker and lets it forget what it judged by: window, failures
  // in a row, evidence. What is under way ends as a late result. Options, mode
  // and lifetime totals stay. False, and nothing changed, while forced open.
  bool Reset();

  BreakerOptions options() const;
  BreakerSnapshot Snapshot();

  // Counts a call that ended with this status, if the environment asks for it.
  // Says nothing about the outcome, which the call's permit is told. A code
  // that is none is counted as UNKNOWN; gRPC hands on whatever number a server
  // sends.
  void CountStatusCode(absl::StatusCode code) {
    if (status_codes_ == nullptr) return;
    const auto index = static_cast<size_t>(code);
    status_codes_->Add(index < kStatusCodeCount
                           ? index
                           : static_cast<size_t>(absl::StatusCode::kUnknown));
  }

  // Counts an exception out of a user's function that was called for this
  // breaker.
  void CountCallbackException() {
    callback_exceptions_.fetch_add(1, std::memory_order_relaxed);
  }

  // What the breaker's policy says to whoever asks on behalf of callers:
  // whether to pass it by, and what a status means, nothing if that is for them
  // to say.
  bool unguarded() const {
    return (handling_.load(std::memory_order_relaxed) & kUnguardedBit) != 0;
  }
  template <typename Code>
  std::optional<Outcome> Classify(Code code) const {
    const uint64_t handling = handling_.load(std::memory_order_relaxed);
    if ((handling & kClassesBit) == 0) return std::nullopt;
    return ClassesOf(handling).Classify(code);
  }

  // Whether it was taken out of its registry. It goes on working, unseen.
  bool removed() const {
    return (word_.load(std::memory_order_relaxed) & kRemovedBit) != 0;
  }

 private:
  friend class BreakerRegistry;
  friend class Permit;

  // The parts of word_. A generation lasts from one transition to the next, so
  // state never changes without it.
  static constexpr uint64_t kStateMask = 3;
  static constexpr int kModeShift = 2;
  static constexpr uint64_t kModeMask = 3;
  static constexpr uint64_t kTimedBit = uint64_t{1} << 4;
  static constexpr uint64_t kRemovedBit = uint64_t{1} << 5;
  static constexpr uint64_t kModeEndsBit = uint64_t{1} << 6;
  static constexpr int kGenerationShift = 8;
  // If any of these is set, it is not closed, or calls are timed, or the mode
  // ends by itself.
  static constexpr uint64_t kNotPlainBits =
      kStateMask | kTimedBit | kModeEndsBit;

  static State StateOf(uint64_t word) {
    return static_cast<State>(word & kStateMask);
  }
  static Mode ModeOf(uint64_t word) {
    return static_cast<Mode>(word >> kModeShift & kModeMask);
  }
  static uint64_t GenerationOf(uint64_t word) {
    return word >> kGenerationShift;
  }

  // The parts of handling_: two sets of status codes, and these.
  static constexpr int kIgnoredShift = kStatusCodeCount;
  static constexpr uint64_t kClassesBit = uint64_t{1} << 62;
  static constexpr uint64_t kUnguardedBit = uint64_t{1} << 63;

  static uint64_t HandlingOf(const BreakerPolicy& policy) {
    uint64_t handling = policy.unguarded ? kUnguardedBit : 0;
    if (policy.status_classes.has_value()) {
      handling |= kClassesBit | policy.status_classes->failures.bits() |
                  uint64_t{policy.status_classes->ignored.bits()}
                      << kIgnoredShift;
    }
    return handling;
  }
  static StatusClasses ClassesOf(uint64_t handling) {
    return {StatusCodeSet::FromBits(static_cast<uint32_t>(handling)),
            StatusCodeSet::FromBits(
                static_cast<uint32_t>(handling >> kIgnoredShift))};
  }

  // What a failure is judged by.
  struct Basis {
    TripRule rule;
    CallCounts base;
  };

  // What a breaker that has always been closed has no need of.
  struct History {
    std::shared_ptr<const Transition> last_trip;
    // What there was when the breaker left closed.
    CallCounts window_at_trip;
    int64_t failures_at_trip = 0;
    uint64_t transition_count = 0;
    std::array<std::array<uint64_t, kStateCount>, kStateCount> transitions = {};
    std::array<uint64_t, kTripReasonCount> trips = {};
    // What was refused, and in shadow mode let through, on a ramp.
    uint64_t ramp_refused = 0;
    uint64_t ramp_shadow_refused = 0;
    Ramp ramp;
    // Calls asked for when it left closed, and when it last opened; and what
    // was made of them then.
    uint64_t asked_at_trip = 0;
    uint64_t asked_at_open = 0;
    Demand demand;
  };

  // Ends with DeliverTransitions() due. REQUIRES: valid policy, instruments.
  CircuitBreaker(BreakerKey key, std::shared_ptr<const BreakerPolicy> policy,
                 std::shared_ptr<const Instruments> instruments);

  MonotonicTime CoarseNow() const { return clock_->CoarseNow(); }
  MonotonicTime mode_until() const {
    return MonotonicTime(
        MonotonicTime::duration(mode_until_.load(std::memory_order_acquire)));
  }
  MonotonicTime refuse_until() const {
    return MonotonicTime(
        MonotonicTime::duration(refuse_until_.load(std::memory_order_acquire)));
  }

  ABSL_ATTRIBUTE_NOINLINE Permit Admit(Permit::Kind kind, uint64_t word);
  Permit TryAcquireSlowly(uint64_t word, Refusal* refusal);
  ABSL_ATTRIBUTE_NOINLINE uint64_t EndModeIfTime(uint64_t word);
  ABSL_ATTRIBUTE_NOINLINE Permit TryProbe(MonotonicTime now, Refusal* refusal);
  ABSL_ATTRIBUTE_NOINLINE Permit LetThrough(uint64_t word);
  ABSL_ATTRIBUTE_NOINLINE static void Explain(RefusalReason reason,
                                              MonotonicTime now,
                                              MonotonicTime until,
                                              Refusal* refusal);
  Permit RefuseOrShadow(uint64_t word, MonotonicTime now, Refusal* refusal);
  uint64_t TakeProbeLocked(MonotonicTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void Settle(const Permit& permit, Outcome outcome,
              absl::Duration retry_after) {
    // The healthy call; all others, and the first of a window step, go on
    // below.
    if (outcome == Outcome::kSuccess && permit.kind_ == Permit::Kind::kNormal &&
        !permit.timed_ &&
        CoarseNow().time_since_epoch().count() <
            next_boundary_.load(std::memory_order_relaxed) &&
        GenerationOf(word_.load(std::memory_order_acquire)) ==
            permit.generation_ &&
        counters_.AddJudged(ShardedCounters::kSuccess, permit.generation_)) {
      return;
    }
    SettleAny(permit, outcome, retry_after);
  }
  ABSL_ATTRIBUTE_NOINLINE void SettleAny(const Permit& permit, Outcome outcome,
                                         absl::Duration retry_after);
  void SettleNormal(const Permit& permit, MonotonicTime now, bool failed,
                    bool slow, absl::Duration retry_after);
  void SettleProbe(const Permit& permit, bool failed, bool slow,
                   absl::Duration retry_after);
  int64_t OverdueLocked(MonotonicTime now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleaseProbe(const Permit& permit);
  bool AddJudged(uint64_t generation, bool failed, bool slow);
  void AddUnjudged(bool failed, bool slow);
  void AddLate(bool failed, bool slow);
  void Judge(uint64_t generation, MonotonicTime now, bool failed,
             absl::Duration retry_after);
  // Does nothing if others hold the lock and `wait` is false.
  ABSL_ATTRIBUTE_NOINLINE void AdvanceWindow(MonotonicTime now, bool wait);
  void DeliverTransitions();
  void MarkRemoved();
  // Puts in force whatever differs from `before`, all at once, and ends with
  // DeliverTransitions() due. REQUIRES: valid policies.
  void ReplacePolicy(const BreakerPolicy& before,
                     const std::shared_ptr<const BreakerPolicy>& policy);
  // REQUIRES: valid options.
  void ReplaceOptionsLocked(std::shared_ptr<const BreakerOptions> updated)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void AdvanceWindowLocked(MonotonicTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void HalfOpenIfTimeLocked(MonotonicTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // `open_at_least` is what the server asked for, if the change is to open.
  void TransitionLocked(State to, TransitionReason reason, MonotonicTime now,
                        absl::Duration open_at_least = absl::ZeroDuration())
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PublishBasisLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  uint64_t AskedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetOpenUntilLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetModeLocked(Mode mode, MonotonicTime until, MonotonicTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndModeIfTimeLocked(MonotonicTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Duration OpenRemainingLocked(MonotonicTime now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetRefuseUntilLocked(MonotonicTime time)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetWordLocked(uint64_t generation, State state, Mode mode)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // First what a healthy or a refused call reads, in one cache line (with the
  // base class) that only window steps, probes, updates and changes of state
  // write.
  const Clock* const clock_;  // that of the instruments
  ShardedCounters counters_;
  // State, mode and whether it ends, whether calls are timed, whether removed,
  // and generation.
  std::atomic<uint64_t> word_{0};
  // While not closed: no call is admitted before this time. Stored before the
  // word that says so.
  std::atomic<MonotonicTime::rep> refuse_until_{0};
  // Until then the window need not be advanced.
  std::atomic<MonotonicTime::rep> next_boundary_{0};

  std::atomic<uint64_t> handling_;
  // When the mode ends by itself. Stored before the word that says so.
  std::atomic<MonotonicTime::rep> mode_until_{
      MonotonicTime::max().time_since_epoch().count()};
  const BreakerKey key_;
  const std::shared_ptr<const Instruments> instruments_;
  // Null where the instruments does not ask for them.
  const std::unique_ptr<DurationHistogram> durations_;
  const std::unique_ptr<ShardedArray> status_codes_;
  std::atomic<MonotonicTime::rep> slow_call_duration_{0};
  std::atomic<uint64_t> callback_exceptions_{0};

  SeqLock<Basis> basis_;
  FailureStreak streak_;
  FailureEvidence evidence_;

  mutable Mutex mu_;
  std::shared_ptr<const BreakerOptions> options_ ABSL_GUARDED_BY(mu_);
  Mode policy_mode_ ABSL_GUARDED_BY(mu_);
  SlidingWindow window_ ABSL_GUARDED_BY(mu_);
  ProbeSlots probes_ ABSL_GUARDED_BY(mu_);
  int64_t probe_successes_ ABSL_GUARDED_BY(mu_) = 0;
  std::minstd_rand random_ ABSL_GUARDED_BY(mu_);
  int64_t reopenings_ ABSL_GUARDED_BY(mu_) = 0;
  MonotonicTime opened_at_ ABSL_GUARDED_BY(mu_);
  double open_random_ ABSL_GUARDED_BY(mu_) = 0;  // drawn at opened_at_
  absl::Duration open_at_least_ ABSL_GUARDED_BY(mu_);
  absl::Time last_transition_time_ ABSL_GUARDED_BY(mu_);
  // Null until the state changes for the first time.
  std::unique_ptr<History> history_ ABSL_GUARDED_BY(mu_);
  std::vector<Transition> undelivered_ ABSL_GUARDED_BY(mu_);
  bool delivering_ ABSL_GUARDED_BY(mu_) = false;
};

inline void Permit::Record(Outcome outcome, absl::Duration retry_after) {
  CircuitBreaker* const breaker = std::exchange(breaker_, nullptr);
  if (breaker != nullptr) breaker->Settle(*this, outcome, retry_after);
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_CIRCUIT_BREAKER_H_
