#include "interceptor/classification.h"

namespace autobreaker {

Outcome Classification::Classify(const grpc::Status& status,
                                 bool* threw) const {
  if (function) {
    try {
      return function(status);
    } catch (...) {
      // Out of an interceptor it would end the process.
      if (threw != nullptr) *threw = true;
    }
  }
  grpc::StatusCode code = status.error_code();
  // Any number a server sends arrives here. One that is no code is of an error
  // space not known here, for which UNKNOWN is defined.
  if (code < grpc::StatusCode::OK || code > grpc::StatusCode::UNAUTHENTICATED) {
    code = grpc::StatusCode::UNKNOWN;
  }
  if (failures.Contains(code)) return Outcome::kFailure;
  if (ignored.Contains(code)) return Outcome::kIgnored;
  return Outcome::kSuccess;
}

}  // namespace autobreaker
