// Leave to make one call, and the duty to say how it ended.
//
//   if (Permit permit = breaker->TryAcquire()) {
//     permit.Record(Call() ? Outcome::kSuccess : Outcome::kFailure);
//   } else {
//     ... refused ...
//   }
//
// A permit is settled exactly once: by the first Record(), or by its
// destructor, which records Outcome::kAbandoned.
//
// Thread-compatible; may be handed from thread to thread. The breaker must
// remain live until the permit is settled, so declare the breaker's owner
// before the permit.
#ifndef AUTOBREAKER_BREAKER_PERMIT_H_
#define AUTOBREAKER_BREAKER_PERMIT_H_

#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

class CircuitBreaker;

// How a call was admitted: what its breaker needs to know when it ends.
struct Admitted {
  // What the end of the call says.
  enum class Kind : uint8_t {
    kNormal,    // while closed
    kProbe,     // while half-open
    kUnjudged,  // shadow mode let it through; no verdict rests on it
  };

  uint64_t generation = 0;       // of the state that admitted it
  uint64_t probe = 0;            // which of the probes, if it is one
  MonotonicTime start;           // only if timed
  State state = State::kClosed;  // that admitted it
  Kind kind = Kind::kNormal;     // of admission
  bool timed : 1;                // `start` is set
  bool holds_place : 1;          // and gives it back when it ends, see CallCap
  bool finds_out : 1;            // see Permit::finds_out()
  bool progressed : 1;           // and counted as a success for it

  // In C++17, members of one bit have no initializers of their own.
  Admitted()
      : timed(false), holds_place(false), finds_out(false), progressed(false) {}
};

class Permit {
 public:
  // Refused, or settled.
  Permit() = default;
  // For CircuitBreaker, where every permit comes from.
  Permit(CircuitBreaker* breaker, const Admitted& admitted)
      : breaker_(breaker), admitted_(admitted) {}

  // `other` is as if it were settled.
  Permit(Permit&& other) noexcept
      : breaker_(std::exchange(other.breaker_, nullptr)),
        admitted_(other.admitted_) {}
  // The same; what this one was for is abandoned.
  Permit& operator=(Permit&& other) noexcept {
    if (this != &other) {
      if (breaker_ != nullptr) Record(Outcome::kAbandoned);
      breaker_ = std::exchange(other.breaker_, nullptr);
      admitted_ = other.admitted_;
    }
    return *this;
  }
  ~Permit() {
    if (breaker_ != nullptr) Record(Outcome::kAbandoned);
  }

  // Whether there is a call to make.
  explicit operator bool() const { return breaker_ != nullptr; }

  // Whether this call finds out if the server is back: a probe before one has
  // succeeded. If you can find out without the call, do so and record that; see
  // CircuitBreaker::RefuseForProbe().
  bool finds_out() const { return admitted_.finds_out; }

  // Says that the server is at work on the call, which goes on: a stream
  // delivered its first message. A probe counts as a success from here on and
  // gives its place to another call, so a stream that lives for hours closes
  // the breaker as soon as a short call does. How it ends is counted as ever;
  // only a failure can change the state once more. A probe that is slow by now
  // is judged when it ends. Any other call is judged when it ends, too: for it
  // this is two comparisons, however often it is said.
  void Progressed() {
    if (admitted_.kind == Admitted::Kind::kProbe && breaker_ != nullptr &&
        !admitted_.progressed) {
      ReportProgress();
    }
  }

  // For who found out in another way, when finds_out() was true, that the
  // server may be back: the next call is the one that finds out, and
  // finds_out() is false for it. Settles the permit as Outcome::kIgnored. The
  // other way is no call, so it neither closes the breaker nor lets more calls
  // through.
  inline void LeaveToCalls();

  // Says how the call ended. Does nothing on a permit that is settled or was
  // refused. `retry_after`: the server asked to be left alone so long. If this
  // failure opens the breaker, it stays open at least as long, but at most
  // OpenOptions::duration_max. `peer`: the server that failed the call, such as
  // "10.0.0.3:50051"; see FailingPeers.
  inline void Record(Outcome outcome,
                     absl::Duration retry_after = absl::ZeroDuration(),
                     absl::string_view peer = absl::string_view());

 private:
  inline void ReportProgress();

  CircuitBreaker* breaker_ = nullptr;
  Admitted admitted_;
};

}  // namespace autobreaker

// Defines what needs the breaker.
#include "autobreaker/breaker/circuit_breaker.h"

#endif  // AUTOBREAKER_BREAKER_PERMIT_H_
