// What the caller of a refused call sees, and how to recognize it.
//
//   grpc::Status status = stub->Place(&context, order, &reply);
//   if (std::optional<RefusalInfo> refusal = ParseRefusal(status)) {
//     ... the breaker of refusal->key answered, not the server ...
//   }
//
// The status is UNAVAILABLE with a message for people, and with standard error
// details for programs, wire-compatible with google.rpc.Status: an ErrorInfo
// (reason CIRCUIT_BREAKER_OPEN, CIRCUIT_BREAKER_HALF_OPEN,
// CIRCUIT_BREAKER_RAMP, CIRCUIT_BREAKER_FORCED_OPEN or
// CIRCUIT_BREAKER_TOO_MANY_CALLS; domain kRefusalDomain; metadata name, service
// and method, partition if there is one, and process) and, where a time is
// known, a RetryInfo. The trailing metadata hold the details too, and
// kRefusalMetadataKey.
//
// A server that calls others through breakers may hand their refusals on. Such
// a call was sent, and the server may have done part of it. So "process" is a
// random text of this process, and a guarded channel takes it out of whatever a
// server sends: what ParseRefusal() recognizes was made here, for this call.
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

// What a refused caller learns.
struct RefusalInfo {
  BreakerKey key;                               // of the breaker that refused
  RefusalReason reason = RefusalReason::kOpen;  // why
  // How long to wait before trying again, 0 to 365 days; nothing if no time is
  // known.
  std::optional<absl::Duration> retry_after;
};

// Bytes of the key that are not UTF-8 are replaced with U+FFFD.
grpc::Status MakeRefusalStatus(const BreakerKey& key, const Refusal& refusal);

// Nothing if the status is not the refusal of a breaker in this process. Of a
// call through a guarded channel: nothing was sent. (Without one, a peer that
// was shown a refusal of this process could send it back.)
std::optional<RefusalInfo> ParseRefusal(const grpc::Status& status);

// The refusal of another process's breaker, or one that was sent back here: the
// server handed it on. As true as the server is.
std::optional<RefusalInfo> ParseRelayedRefusal(const grpc::Status& status);

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_REFUSAL_STATUS_H_
