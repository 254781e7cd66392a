// Finds out whether a server is back by asking its standard health service
// (grpc.health.v1.Health), so that no call of a user is spent on that.
//
//   auto prober = HealthProber::Create(
//       grpc::CreateChannel(target, credentials), HealthProberOptions());
//   if (!prober.ok()) return prober.status();
//   InterceptorOptions options = InterceptorOptions::WithName("payments");
//   options.health_prober = *std::move(prober);
//
// Each time an open breaker would let a user's call find out, it refuses that
// call too, and the server is asked Health/Check:
//
//   SERVING                              the next call of a user finds out
//   NOT_SERVING, UNKNOWN, a failed call  the breaker opens again
//   no answer of a health service        says nothing; users' calls find out
//
// A call has failed if the default Classification says so of its status. Any
// other error, such as UNIMPLEMENTED, NOT_FOUND or PERMISSION_DENIED, is no
// answer of a health service: the server has none, or one that does not know
// the name or may not be asked. Then the next nine probes are users' calls, and
// after those the health service is asked again.
//
// One prober serves all the methods of a server. While it asks for one, the
// others that want to know share the answer.
//
// Thread-safety: TakeOver() may be called from any thread at once. It never
// blocks; the answer arrives in a thread of gRPC.
#ifndef AUTOBREAKER_INTERCEPTOR_HEALTH_PROBER_H_
#define AUTOBREAKER_INTERCEPTOR_HEALTH_PROBER_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/permit.h"

namespace autobreaker {

// What to ask a health service for.
struct HealthProberOptions {
  // Whose health to ask for, as the server names it, e.g. "shop.Orders"; the
  // server's as a whole when empty. UTF-8.
  std::string service;

  // A check that takes longer has failed. 1 ms to 1 hour; keep it below
  // HalfOpenOptions::lease, or the answer comes too late.
  absl::Duration timeout = absl::Seconds(1);

  // OK, or INVALID_ARGUMENT that names every field out of range with its value
  // and its range.
  absl::Status Validate() const;
};

class HealthProber {
 public:
  // `channel` leads to the server and has no breakers of its own. One made with
  // the target, credentials and arguments of the guarded channel shares that
  // one's connection. INVALID_ARGUMENT if it is null or an option is out of
  // range.
  static absl::StatusOr<std::shared_ptr<HealthProber>> Create(
      std::shared_ptr<grpc::Channel> channel, HealthProberOptions options = {});

  // Cancels a check that is under way and waits until its permits are recorded.
  // So, as with any channel, do not let go of the last reference in a callback
  // of gRPC.
  ~HealthProber();

  HealthProber(const HealthProber&) = delete;
  HealthProber& operator=(const HealthProber&) = delete;

  // Takes `permit`, of which finds_out() is true, and records what the health
  // service says when it does. False, and the permit left alone, if users'
  // calls are to find out. `breaker` is the permit's, and kept as long.
  bool TakeOver(std::shared_ptr<CircuitBreaker> breaker, Permit* permit);

 private:
  class Impl;

  explicit HealthProber(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_HEALTH_PROBER_H_
