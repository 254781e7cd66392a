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
  if (failures.Contains(status.error_code())) return Outcome::kFailure;
  if (ignored.Contains(status.error_code())) return Outcome::kIgnored;
  return Outcome::kSuccess;
}

}  // namespace autobreaker
