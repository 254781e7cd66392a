#include "autobreaker/interceptor/classification.h"

namespace autobreaker {

Outcome Classification::AskFunction(const grpc::Status& status,
                                    bool* threw) const {
  try {
    return function(status);
  } catch (...) {
    // Out of an interceptor it would end the process.
    if (threw != nullptr) *threw = true;
  }
  return LookUp(status.error_code());
}

}  // namespace autobreaker
