// What the side of the callers keeps beside a breaker: whether to ask it at
// all, what a status says, and counts of what it saw. The breaker itself knows
// nothing of it.
//
//   if (handling.unguarded()) return MakeCall();
//   Permit permit = breaker->TryAcquire();
//   ...
//   handling.CountStatusCode(status.code());
//   permit.Record(handling.Classify(status.code()).value_or(own_outcome));
//
// For whoever asks breakers of a registry on behalf of callers, as the gRPC
// interceptor does.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_BREAKER_CALL_HANDLING_H_
#define AUTOBREAKER_BREAKER_CALL_HANDLING_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/status_classes.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

class ShardedArray;

class CallHandling {
 public:
  // For the registry, which has the policy and the instruments.
  CallHandling(const BreakerPolicy& policy, bool counts_status_codes);
  ~CallHandling();
  CallHandling(const CallHandling&) = delete;
  CallHandling& operator=(const CallHandling&) = delete;

  // Whether the breaker is to be asked: it is still in its registry, and the
  // policy does not leave its calls unguarded. One load.
  bool asks() const {
    return (word_.load(std::memory_order_relaxed) &
            (kUnguardedBit | kRemovedBit)) == 0;
  }
  // Whether the policy leaves calls unguarded.
  bool unguarded() const {
    return (word_.load(std::memory_order_relaxed) & kUnguardedBit) != 0;
  }
  // Whether the breaker was taken out of its registry.
  bool removed() const {
    return (word_.load(std::memory_order_relaxed) & kRemovedBit) != 0;
  }

  // What a status code means by the policy. Nothing if that is for the caller
  // to say.
  template <typename Code>
  std::optional<Outcome> Classify(Code code) const {
    const uint64_t word = word_.load(std::memory_order_relaxed);
    if ((word & kClassesBit) == 0) return std::nullopt;
    return ClassesOf(word).Classify(code);
  }
  // Which codes mean what by the policy; nothing if that is for the caller.
  std::optional<StatusClasses> status_classes() const;

  // Counts a call that ended with this status, if status codes are counted. A
  // number that is no code counts as UNKNOWN: gRPC hands on whatever a server
  // sends.
  void CountStatusCode(absl::StatusCode code) {
    if (status_codes_ != nullptr) CountCode(static_cast<int>(code));
  }
  // By absl::StatusCode, whose numbers are gRPC's too.
  std::array<uint64_t, kStatusCodeCount> status_codes() const;

  // Counts an exception out of a user's function.
  void CountException() { exceptions_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t exceptions() const {
    return exceptions_.load(std::memory_order_relaxed);
  }

  // Counts a call that named a partition which got no breaker of its own.
  void CountUnpartitioned() {
    unpartitioned_.fetch_add(1, std::memory_order_relaxed);
  }
  // So many were counted.
  uint64_t unpartitioned() const {
    return unpartitioned_.load(std::memory_order_relaxed);
  }

  // When somebody last got the breaker or, as a channel does, gave it back.
  void NoteHeld(MonotonicTime now) {
    last_held_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  // That time.
  MonotonicTime last_held() const {
    return MonotonicTime(
        MonotonicTime::duration(last_held_.load(std::memory_order_relaxed)));
  }

  // For the registry.
  void SetPolicy(const BreakerPolicy& policy);
  // For the registry: the breaker is out of it for good.
  void MarkRemoved() { word_.fetch_or(kRemovedBit, std::memory_order_relaxed); }

 private:
  // The parts of word_: two sets of status codes, and these.
  static constexpr int kIgnoredShift = kStatusCodeCount;
  static constexpr uint64_t kRemovedBit = uint64_t{1} << 61;
  static constexpr uint64_t kClassesBit = uint64_t{1} << 62;
  static constexpr uint64_t kUnguardedBit = uint64_t{1} << 63;

  static uint64_t WordOf(const BreakerPolicy& policy);
  static StatusClasses ClassesOf(uint64_t word) {
    return {
        StatusCodeSet::FromBits(static_cast<uint32_t>(word)),
        StatusCodeSet::FromBits(static_cast<uint32_t>(word >> kIgnoredShift))};
  }

  void CountCode(int code);

  std::atomic<uint64_t> word_;
  std::atomic<uint64_t> exceptions_{0};
  std::atomic<uint64_t> unpartitioned_{0};
  std::atomic<int64_t> last_held_{0};
  const std::unique_ptr<ShardedArray> status_codes_;  // null: not counted
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_CALL_HANDLING_H_
