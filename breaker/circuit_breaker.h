// A circuit breaker: refuses calls to a server that keeps failing, and lets a
// few through now and then to find out when it is back.
//
//   auto breaker = CircuitBreaker::Create({"payments"}, BreakerOptions());
//   if (!breaker.ok()) return breaker.status();
//   Refusal refusal;
//   if (Permit permit = (*breaker)->TryAcquire(&refusal)) {
//     permit.Record(Call() ? Outcome::kSuccess : Outcome::kFailure);
//   }
//
// Use it for calls that are not gRPC's; interceptor/ guards those of a channel,
// with a breaker of a BreakerRegistry for each method.
//
// Guarantees:
// - The result of a call that was admitted before the state last changed does
//   not change the state again, and is not in the window.
// - Counters are lifetime totals and never go back.
// - While closed, a call that succeeds takes no lock, allocates nothing and
//   writes no cache line but its CPU's own. (Once per step of the window, one
//   call also moves the window on, if nobody holds the lock. With
//   BreakerOptions::max_calls_in_flight, all write one line more.)
// - While open, a call is refused without a lock.
// - A look at the breaker changes nothing in it.
//
// There is no timer thread: a call that comes when the open time is over makes
// the breaker half-open, and is the probe.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_CIRCUIT_BREAKER_H_
#define AUTOBREAKER_BREAKER_CIRCUIT_BREAKER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/failing_peers.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/internal/call_gate.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/permit.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

class StateMachine;
struct ColdState;
class TransitionCourier;
struct Rules;

// Why TryAcquire() refused.
struct Refusal {
  RefusalReason reason = RefusalReason::kOpen;  // of the state or mode
  // How long until the breaker may admit a call, such as 80 ms: the rest of the
  // open time, or of a mode that forces it open for a time. Not set while
  // half-open, nor while forced open for good, nor if too many calls are under
  // way.
  std::optional<absl::Duration> retry_after;
};

class alignas(64) CircuitBreaker {
 public:
  // INVALID_ARGUMENT if `options` or `instruments` are invalid. Null
  // instruments stand for the defaults.
  static absl::StatusOr<std::shared_ptr<CircuitBreaker>> Create(
      BreakerKey key, const BreakerOptions& options,
      std::shared_ptr<const Instruments> instruments = nullptr);

  // Of a breaker without a registry: waits as ~BreakerRegistry() does.
  ~CircuitBreaker();
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  // Name, service, method and partition; they never change.
  const BreakerKey& key() const { return key_; }
  // As Transition::breaker_id.
  uint64_t id() const;

  // Asks to make a call. The permit is empty if the call is refused; then
  // `refusal`, if given, says why.
  Permit TryAcquire(Refusal* refusal = nullptr) {
    Admitted admitted;
    if (!gate_.Admit(&admitted.generation)) return TryAcquireSlowly(refusal);
    return Permit(this, admitted);
  }

  // For who asks the server in another way, such as a health check, on a permit
  // that finds_out(), and refuses the call itself: counts the refusal and
  // answers it.
  Refusal RefuseForProbe();

  // Puts other options in force, all at once, and keeps state and counts. If
  // the window's length or its steps change, the window starts over; if the
  // open time changes, an open breaker goes by the new one. INVALID_ARGUMENT
  // changes nothing.
  absl::Status UpdateOptions(const BreakerOptions& options);
  // The same for some of them: `change` is given the options of now, under the
  // breaker's lock, so that no other change comes in between. It must not use
  // the breaker. An error that it answers is answered here, and changes
  // nothing.
  //
  //   breaker->UpdateOptions([](BreakerOptions* options) {
  //     options->open.duration = absl::Seconds(1);
  //     return absl::OkStatus();
  //   });
  absl::Status UpdateOptions(
      absl::FunctionRef<absl::Status(BreakerOptions*)> change);

  // kForcedOpen opens the breaker, kForcedClosed closes it. From kForcedOpen to
  // kAutomatic or kShadow it becomes half-open; otherwise the state stays.
  // After `how_long`, the mode that the registry has for this breaker applies
  // again, or kAutomatic. That mode itself, and any mode that is set for more
  // than a hundred years, never ends.
  // REQUIRES: how_long > 0.
  void SetMode(Mode mode, absl::Duration how_long = absl::InfiniteDuration());

  // Closes the breaker and forgets what it was judged by: window, failures in a
  // row, evidence. Results of calls under way are late. Options, mode and
  // counters stay. False, and nothing changes, while it is forced open.
  bool Reset();

  // Returns when Instruments::on_transition has been told of all changes of
  // state so far; in on_transition itself, at once. For tests, and before a
  // program ends. Waits as long as on_transition takes.
  void FlushTransitions();

  // The state that the last call found or made, without a lock. An open time
  // that is over shows in Snapshot() at once, and here after the next call.
  State state() const { return gate_.word().state(); }

  // Those in force.
  BreakerOptions options() const;
  // State and counts, all of one moment. Takes the breaker's lock.
  BreakerSnapshot Snapshot() const {
    return SnapshotAnd([] {});
  }

  // For Permit: a call ended.
  void Settle(const Admitted& admitted, Outcome outcome,
              absl::Duration retry_after, absl::string_view peer) {
    // The healthy call. Whatever needs more is settled out of line.
    if (outcome == Outcome::kSuccess &&
        admitted.kind == Admitted::Kind::kNormal && !admitted.timed &&
        !admitted.holds_place && gate_.CountSuccess(admitted.generation)) {
      return;
    }
    SettleSlowly(admitted, outcome, retry_after, peer);
  }

  // For Permit: a probe goes on, and its server is at work. Sets
  // `admitted->progressed` if it counts as a success for that.
  void NoteProgress(Admitted* admitted);
  // For Permit: another way than the call says that the server may be back.
  void LeaveToCalls(const Admitted& admitted);

 protected:
  // For RegisteredBreaker. REQUIRES: valid rules and instruments.
  CircuitBreaker(BreakerKey key, std::shared_ptr<const Rules> rules,
                 std::shared_ptr<const Instruments> instruments,
                 std::shared_ptr<TransitionCourier> courier);

  // Puts rules or a mode that were configured in force; null and nothing stand
  // for those of now. `together` runs under the same lock.
  void SetPolicy(std::shared_ptr<const Rules> rules,
                 std::optional<Mode> configured_mode,
                 absl::FunctionRef<void()> together);
  // As Snapshot(); `together` runs under the same lock.
  BreakerSnapshot SnapshotAnd(absl::FunctionRef<void()> together) const;

 private:
  // The one way in which the state changes: under the lock, asks `decide` what
  // is to change, makes the change, publishes it, runs `together`, and leaves
  // it to the courier to tell of it. `decide` is given the StateMachine and the
  // time and answers a StateMachine::Move. It may throw; then the state has not
  // changed.
  template <typename Decide>
  void Change(
      Decide decide, absl::FunctionRef<void()> together = [] {});

  // Calls asked for, admitted or not, without those that are on their way here.
  uint64_t Asked(const StateMachine& machine) const;

  // Ends the mode, if it is time.
  ABSL_ATTRIBUTE_NOINLINE void EndMode();
  ABSL_ATTRIBUTE_NOINLINE Permit TryAcquireSlowly(Refusal* refusal);
  ABSL_ATTRIBUTE_NOINLINE Permit TryProbe(Refusal* refusal);
  ABSL_ATTRIBUTE_NOINLINE Permit Admit(Admitted::Kind kind, StateWord word,
                                       uint64_t probe = 0,
                                       bool finds_out = false);
  // Admits a call to a closed breaker, if there is a place for it.
  Permit AdmitNormally(StateWord word, Refusal* refusal);
  // Refuses a call, or in shadow mode counts that it would be refused and
  // admits it: for the reason that the terms have, or for another.
  Permit Refuse(const AdmissionTerms& terms, MonotonicTime now,
                Refusal* refusal);
  Permit Refuse(RefusalReason reason, StateWord word,
                const MonotonicTime* until, MonotonicTime now,
                Refusal* refusal);
  ABSL_ATTRIBUTE_NOINLINE static void Explain(RefusalReason reason,
                                              const MonotonicTime* until,
                                              MonotonicTime now,
                                              Refusal* refusal);

  ABSL_ATTRIBUTE_NOINLINE void SettleSlowly(const Admitted& admitted,
                                            Outcome outcome,
                                            absl::Duration retry_after,
                                            absl::string_view peer);
  void SettleNormal(const Admitted& admitted, bool failed, bool slow,
                    absl::Duration retry_after, MonotonicTime now);
  void SettleProbe(const Admitted& admitted, bool failed, bool slow,
                   absl::Duration retry_after);
  void MoveWindow(bool wait);
  ABSL_ATTRIBUTE_NOINLINE void NotePeer(absl::string_view peer,
                                        MonotonicTime now);
  FailingPeers FailingPeersAt(MonotonicTime now) const;

  const Clock& clock() const { return gate_.clock(); }

  // What a healthy call reads and writes; alone in its cache lines but for what
  // is hardly ever written.
  CallGate gate_;
  const BreakerKey key_;
  const std::unique_ptr<ColdState> cold_;
};

inline void Permit::Record(Outcome outcome, absl::Duration retry_after,
                           absl::string_view peer) {
  CircuitBreaker* const breaker = std::exchange(breaker_, nullptr);
  if (breaker != nullptr) {
    breaker->Settle(admitted_, outcome, retry_after, peer);
  }
}

inline void Permit::LeaveToCalls() {
  CircuitBreaker* const breaker = std::exchange(breaker_, nullptr);
  if (breaker != nullptr) breaker->LeaveToCalls(admitted_);
}

inline void Permit::ReportProgress() { breaker_->NoteProgress(&admitted_); }

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_CIRCUIT_BREAKER_H_
