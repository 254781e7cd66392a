// Leave to make one call, and the duty to say how it ended.
//
//   if (Permit permit = breaker->TryAcquire()) {
//     permit.Record(Call() ? Outcome::kSuccess : Outcome::kFailure);
//   } else {
//     ... refused ...
//   }
//
// A permit is settled exactly once: by the first Record(), or by its
// destructor, as Outcome::kAbandoned.
//
// Thread-compatible; may be handed from thread to thread. The breaker must
// remain live while the permit is unsettled: declare the breaker's owner before
// the permit.
#ifndef AUTOBREAKER_BREAKER_PERMIT_H_
#define AUTOBREAKER_BREAKER_PERMIT_H_

#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

class CircuitBreaker;

class Permit {
 public:
  // Refused, or settled.
  Permit() = default;

  Permit(Permit&& other) noexcept { Take(other); }
  Permit& operator=(Permit&& other) noexcept {
    if (this != &other) {
      if (breaker_ != nullptr) Record(Outcome::kAbandoned);
      Take(other);
    }
    return *this;
  }
  ~Permit() {
    if (breaker_ != nullptr) Record(Outcome::kAbandoned);
  }

  // Whether there is a call to make and its end to tell.
  explicit operator bool() const { return breaker_ != nullptr; }

  // Whether this is the call that finds out whether the server is back: a
  // probe, in half-open, before one has succeeded. Whoever can find out in
  // another way may do so and record that; see
  // CircuitBreaker::RefuseForProbe().
  bool finds_out() const { return finds_out_; }

  // Says how the call ended. Does nothing on a permit that is not held. If the
  // server asked to be left alone for `retry_after`, a breaker that is opened
  // by this failure stays open at least as long, up to its open_duration_max.
  // (Defined in circuit_breaker.h, where every permit comes from.)
  inline void Record(Outcome outcome,
                     absl::Duration retry_after = absl::ZeroDuration());

 private:
  friend class CircuitBreaker;

  enum class Kind : uint8_t {
    kNormal,    // admitted while closed
    kProbe,     // admitted while half-open
    kUnjudged,  // shadow mode let it through; no verdict rests on it
  };

  void Take(Permit& other) {
    breaker_ = std::exchange(other.breaker_, nullptr);
    generation_ = other.generation_;
    probe_ = other.probe_;
    start_ = other.start_;
    state_ = other.state_;
    kind_ = other.kind_;
    timed_ = other.timed_;
    finds_out_ = other.finds_out_;
  }

  CircuitBreaker* breaker_ = nullptr;
  uint64_t generation_ = 0;
  uint64_t probe_ = 0;
  MonotonicTime start_;           // only if timed_
  State state_ = State::kClosed;  // that admitted it
  Kind kind_ = Kind::kNormal;
  bool timed_ = false;
  bool finds_out_ = false;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_PERMIT_H_
