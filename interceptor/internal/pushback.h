// Reads how long a server asks to be left alone.
//
// A server that fails a call may send "grpc-retry-pushback-ms" with it, in the
// trailing metadata: so many milliseconds without another call. gRPC's retries
// obey it, and so does a breaker that opens on that call.
#ifndef AUTOBREAKER_INTERCEPTOR_INTERNAL_PUSHBACK_H_
#define AUTOBREAKER_INTERCEPTOR_INTERNAL_PUSHBACK_H_

#include <grpcpp/support/string_ref.h>

#include <map>

#include "absl/time/time.h"

namespace autobreaker {

// 0 if the server does not ask, or what it says is not a number of
// milliseconds from 0 on ("-1" means "do not retry", not how long).
absl::Duration PushbackIn(
    const std::multimap<grpc::string_ref, grpc::string_ref>& trailing_metadata);

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_INTERNAL_PUSHBACK_H_
