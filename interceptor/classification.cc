#include "interceptor/classification.h"

namespace autobreaker {

Outcome Classification::Classify(const grpc::Status& status) const {
  if (function) {
    try {
      return function(status);
    } catch (...) {
      // An exception out of an interceptor would end the process.
    }
  }
  if (failures.Contains(status.error_code())) return Outcome::kFailure;
  if (ignored.Contains(status.error_code())) return Outcome::kIgnored;
  return Outcome::kSuccess;
}

}  // namespace autobreaker
