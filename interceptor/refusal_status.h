// What the caller of a refused call sees, and how to recognize it.
//
//   grpc::Status status = stub->Place(&context, order, &reply);
//   if (std::optional<RefusalInfo> refusal = ParseRefusal(status)) {
//     ... the breaker of refusal->key answered, not the server ...
//   }
//
// The status is UNAVAILABLE with a message for people, and with standard error
// details for programs, wire-compatible with google.rpc.Status: an ErrorInfo
// (reason CIRCUIT_BREAKER_OPEN, CIRCUIT_BREAKER_HALF_OPEN, CIRCUIT_BREAKER_RAMP
// or CIRCUIT_BREAKER_FORCED_OPEN; domain kRefusalDomain; metadata name, service
// and method, and partition if there is one) and, where a time is known, a
// RetryInfo. The trailing metadata hold the details too, and
// kRefusalMetadataKey.
//
// Thread-safety: free functions without state.
#ifndef AUTOBREAKER_INTERCEPTOR_REFUSAL_STATUS_H_
#define AUTOBREAKER_INTERCEPTOR_REFUSAL_STATUS_H_

#include <grpcpp/support/status.h>

#include <optional>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

// The domain of the ErrorInfo.
inline constexpr char kRefusalDomain[] = "autobreaker";

// In the trailing metadata of a refused call, with the RefusalReason's name.
inline constexpr char kRefusalMetadataKey[] = "autobreaker-refusal";

struct RefusalInfo {
  BreakerKey key;
  RefusalReason reason = RefusalReason::kOpen;
  // How long to wait before trying again; nothing if no time is known.
  std::optional<absl::Duration> retry_after;
};

// Bytes of the key that are not UTF-8 are replaced with U+FFFD.
grpc::Status MakeRefusalStatus(const BreakerKey& key, const Refusal& refusal);

// Nothing if the status is not a breaker's refusal.
std::optional<RefusalInfo> ParseRefusal(const grpc::Status& status);

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_REFUSAL_STATUS_H_
