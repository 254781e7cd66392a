// Which ends of gRPC calls tell that a server is in trouble.
#ifndef AUTOBREAKER_INTERCEPTOR_CLASSIFICATION_H_
#define AUTOBREAKER_INTERCEPTOR_CLASSIFICATION_H_

#include <grpcpp/support/status.h>

#include <functional>
#include <optional>

#include "absl/time/time.h"
#include "autobreaker/breaker/status_classes.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

// What is known of a call that was sent and has ended.
struct CallEnd {
  const grpc::Status& status;  // that its caller gets
  // How long it took, and after which time its deadline would have ended it,
  // such as 1 s; infinite if it had none.
  absl::Duration duration = absl::ZeroDuration();
  absl::Duration time_allowed = absl::InfiniteDuration();
  // Whether the server was heard of at all. If not, gRPC made the status up in
  // this process: there was no connection, the server hung, or a message was
  // larger than the channel's own limits. Always true where gRPC does not tell:
  // the target of the channel is an address, such as unix:/run/shop.sock.
  bool answered = false;
  // Whether the server handed on the refusal of a breaker of its own
  // (ParseRelayedRefusal()). By its code it is a failure like any UNAVAILABLE.
  bool relayed_refusal = false;
  // Whether a message arrived.
  bool delivered = false;
  // How long the server asks to be left alone; see docs/calls.md.
  std::optional<absl::Duration> pushback = std::nullopt;
};

struct Classification {
  // What is in neither set is a success: the server answered. A code in both
  // is a failure.
  //
  // UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED, UNKNOWN and
  // DATA_LOSS.
  StatusCodeSet failures = StatusClasses::Default().failures;
  // CANCELLED.
  StatusCodeSet ignored = StatusClasses::Default().ignored;

  // A call that was given less time than this and ends with DEADLINE_EXCEEDED
  // is ignored: its own caller made it fail. 10 ms where the fastest answer
  // takes 20 ms. 0: every deadline is judged.
  absl::Duration shortest_judged_deadline;

  // Decides instead of all this when set. Called from any thread, several at
  // once. If it throws, the sets decide, and the breaker counts the exception.
  std::function<Outcome(const CallEnd&)> function;

  // What the sets say.
  Outcome ByCode(grpc::StatusCode code) const {
    return StatusClasses{failures, ignored}.Classify(code);
  }
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_CLASSIFICATION_H_
