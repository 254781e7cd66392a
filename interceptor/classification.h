// Which gRPC statuses tell that a server is in trouble.
#ifndef AUTOBREAKER_INTERCEPTOR_CLASSIFICATION_H_
#define AUTOBREAKER_INTERCEPTOR_CLASSIFICATION_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <initializer_list>

#include "breaker/types.h"

namespace autobreaker {

// A set of status codes. A plain value.
class StatusCodeSet {
 public:
  constexpr StatusCodeSet(std::initializer_list<grpc::StatusCode> codes) {
    for (const grpc::StatusCode code : codes) bits_ |= Bit(code);
  }
  constexpr bool Contains(grpc::StatusCode code) const {
    return (bits_ & Bit(code)) != 0;
  }

 private:
  // A number that is no code is in no set.
  static constexpr uint32_t Bit(grpc::StatusCode code) {
    return code >= grpc::StatusCode::OK &&
                   code <= grpc::StatusCode::UNAUTHENTICATED
               ? uint32_t{1} << code
               : 0;
  }

  uint32_t bits_ = 0;
};

struct Classification {
  // What is in neither set is a success: the server answered. A code in both
  // is a failure.
  StatusCodeSet failures = {
      grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::DEADLINE_EXCEEDED,
      grpc::StatusCode::INTERNAL,    grpc::StatusCode::RESOURCE_EXHAUSTED,
      grpc::StatusCode::UNKNOWN,     grpc::StatusCode::DATA_LOSS};
  StatusCodeSet ignored = {grpc::StatusCode::CANCELLED};

  // Decides instead of the sets when set. Called from any thread, several at
  // once. If it throws, the sets decide, and the breaker counts the exception.
  std::function<Outcome(const grpc::Status&)> function;

  // Sets `*threw` if the function did, else leaves it alone.
  Outcome Classify(const grpc::Status& status, bool* threw = nullptr) const {
    return function ? AskFunction(status, threw) : LookUp(status.error_code());
  }

 private:
  Outcome AskFunction(const grpc::Status& status, bool* threw) const;
  Outcome LookUp(grpc::StatusCode code) const {
    // Any number a server sends arrives here. One that is no code is of an
    // error space not known here, for which UNKNOWN is defined.
    if (code < grpc::StatusCode::OK ||
        code > grpc::StatusCode::UNAUTHENTICATED) {
      code = grpc::StatusCode::UNKNOWN;
    }
    if (failures.Contains(code)) return Outcome::kFailure;
    if (ignored.Contains(code)) return Outcome::kIgnored;
    return Outcome::kSuccess;
  }
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_CLASSIFICATION_H_
