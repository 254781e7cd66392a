// Which gRPC statuses tell that a server is in trouble.
#ifndef AUTOBREAKER_INTERCEPTOR_CLASSIFICATION_H_
#define AUTOBREAKER_INTERCEPTOR_CLASSIFICATION_H_

#include <grpcpp/support/status.h>

#include <functional>

#include "autobreaker/breaker/status_classes.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

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
    return StatusClasses{failures, ignored}.Classify(code);
  }
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_CLASSIFICATION_H_
