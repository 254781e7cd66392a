// Which status codes tell that a server is in trouble. Plain values.
//
// For BreakerPolicy::status_classes, and for whoever asks breakers on behalf of
// callers; users of the interceptor meet StatusCodeSet in its Classification.
//
//   StatusClasses classes;
//   classes.failures = {absl::StatusCode::kUnavailable};
//   classes.ignored = {absl::StatusCode::kCancelled};
//   Outcome outcome = classes.Classify(status.code());
//
// The codes are those of gRPC, which are also absl's; either type will do, so
// that this layer need not know gRPC.
#ifndef AUTOBREAKER_BREAKER_STATUS_CLASSES_H_
#define AUTOBREAKER_BREAKER_STATUS_CLASSES_H_

#include <cstdint>
#include <initializer_list>

#include "absl/status/status.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

// A set of status codes, which takes any enum with the numbers of gRPC's.
class StatusCodeSet {
 public:
  // Empty.
  constexpr StatusCodeSet() = default;
  // Of these codes.
  template <typename Code>
  constexpr StatusCodeSet(std::initializer_list<Code> codes) {
    for (const Code code : codes) Insert(code);
  }

  // What is no code goes into no set.
  template <typename Code>
  constexpr void Insert(Code code) {
    bits_ |= Bit(static_cast<int>(code));
  }
  // False for what is no code.
  template <typename Code>
  constexpr bool Contains(Code code) const {
    return (bits_ & Bit(static_cast<int>(code))) != 0;
  }

  // One bit per code, the lowest for OK.
  constexpr uint32_t bits() const { return bits_; }
  static constexpr StatusCodeSet FromBits(uint32_t bits) {
    StatusCodeSet set;
    set.bits_ = bits & ((uint32_t{1} << kStatusCodeCount) - 1);
    return set;
  }

  friend constexpr bool operator==(StatusCodeSet a, StatusCodeSet b) {
    return a.bits_ == b.bits_;
  }
  friend constexpr bool operator!=(StatusCodeSet a, StatusCodeSet b) {
    return !(a == b);
  }

 private:
  // A number that is no code is in no set.
  static constexpr uint32_t Bit(int code) {
    return code >= 0 && code < kStatusCodeCount ? uint32_t{1} << code : 0;
  }

  uint32_t bits_ = 0;
};

struct StatusClasses {
  // What is in neither set is a success: the server answered. A code in both
  // is a failure.
  StatusCodeSet failures;
  StatusCodeSet ignored;

  template <typename Code>
  constexpr Outcome Classify(Code status_code) const {
    // Any number a server sends arrives here. One that is no code is of an
    // error space not known here, for which UNKNOWN, 2, is defined.
    int code = static_cast<int>(status_code);
    if (code < 0 || code >= kStatusCodeCount) code = 2;
    if (failures.Contains(code)) return Outcome::kFailure;
    if (ignored.Contains(code)) return Outcome::kIgnored;
    return Outcome::kSuccess;
  }

  // What the interceptor takes for a failure, and what for no sign either way,
  // unless it is told otherwise.
  static constexpr StatusClasses Default();

  friend constexpr bool operator==(const StatusClasses& a,
                                   const StatusClasses& b) {
    return a.failures == b.failures && a.ignored == b.ignored;
  }
  friend constexpr bool operator!=(const StatusClasses& a,
                                   const StatusClasses& b) {
    return !(a == b);
  }
};

constexpr StatusClasses StatusClasses::Default() {
  using absl::StatusCode;
  return {{StatusCode::kUnavailable, StatusCode::kDeadlineExceeded,
           StatusCode::kInternal, StatusCode::kResourceExhausted,
           StatusCode::kUnknown, StatusCode::kDataLoss},
          {StatusCode::kCancelled}};
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_STATUS_CLASSES_H_
