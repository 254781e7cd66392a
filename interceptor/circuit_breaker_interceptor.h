// Puts circuit breakers in front of the methods of a gRPC channel.
//
//   std::vector<std::unique_ptr<
//       grpc::experimental::ClientInterceptorFactoryInterface>> factories;
//   factories.push_back(MakeCircuitBreakerInterceptorFactory(
//       registry, InterceptorOptions::WithName("payments")));
//   auto channel = grpc::experimental::CreateCustomChannelWithInterceptors(
//       target, credentials, grpc::ChannelArguments(), std::move(factories));
//
// Each method of each service called through the channel gets a breaker of its
// own in the registry, under the key {name, service, method}, on first use.
// (And each partition, if InterceptorOptions::partition tells them apart.) A
// refused call ends at once with the status of refusal_status.h, and nothing is
// sent.
//
// How a call went is told by the status it ends with; a stream that delivered
// its first message has made progress before (Permit::Progressed()). A call
// whose end is never told (a stream dropped without Finish()) is settled as
// abandoned when its ClientContext is destroyed. A call that was cancelled, or
// whose deadline had passed, before it was sent is ignored. In unary and
// client-streaming calls a response that cannot be parsed is a failure, except
// with a reactor, where gRPC does not show it. If the failure that opens the
// breaker carries grpc-retry-pushback-ms: 5000, the breaker stays open for at
// least 5 s, but at most OpenOptions::duration_max. A failure notes its peer
// (FailingPeers).
//
// What a server answers never looks like a refusal of this process, also to
// calls without a breaker; see refusal_status.h.
#ifndef AUTOBREAKER_INTERCEPTOR_CIRCUIT_BREAKER_INTERCEPTOR_H_
#define AUTOBREAKER_INTERCEPTOR_CIRCUIT_BREAKER_INTERCEPTOR_H_

#include <grpcpp/support/client_interceptor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autobreaker/breaker/registry.h"
#include "autobreaker/interceptor/classification.h"
#include "autobreaker/interceptor/health_prober.h"
#include "autobreaker/interceptor/partition.h"

namespace autobreaker {

// A call with this key in its metadata (ClientContext::AddMetadata, any value)
// passes unguarded and uncounted. The key is never sent.
inline constexpr char kBypassMetadataKey[] = "autobreaker-bypass";

// In bytes.
inline constexpr size_t kMaxPartitionLength = 256;

// What a channel's calls are to their breakers.
struct InterceptorOptions {
  // The name part of the keys: what this channel talks to, as people should
  // see it in metrics. Channels of one name share breakers. If empty, it is the
  // target for CreateGuardedChannel(), and for a factory a name that no other
  // has: "channel-1", "channel-2" and so on. Servers that share breakers by
  // accident would be refused for one another's failures.
  std::string name;

  // Which calls are failures of the server.
  Classification classification;

  // The same for single methods ("package.Service/Method") or whole services
  // ("package.Service"); the more specific one applies.
  std::map<std::string, Classification> classification_for;

  // What gets no breaker: services ("package.Service"), methods
  // ("package.Service/Method"), and with a * at the end all that begins so.
  // Keep health checks in the list: they must not be refused when they would
  // show that the server is back.
  std::vector<std::string> unguarded = {
      "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection"};

  // So many methods of the channel have breakers of their own. Others share
  // one, of no service and no method, so that a program that makes up names
  // crowds out its own and not those of other channels.
  int64_t max_methods = 512;

  // Asks the server's health service whether it is back, in place of a user's
  // call; off when null. With it, grpc.health.v1.Health/Check gets no breaker:
  // it could wait for itself.
  std::shared_ptr<HealthProber> health_prober;

  // Which part of the service a call is for; off when not set. Each gets
  // breakers of its own, and calls in no partition share one. So do calls for
  // which the function throws, or answers more than kMaxPartitionLength bytes
  // or what is not UTF-8, and calls in partitions beyond max_partitions; those
  // count in RegisteredSnapshot::unpartitioned.
  PartitionFunction partition;

  // The channel has at most so many breakers of partitions, over all its
  // methods.
  int64_t max_partitions = 256;

  // Defaults but for the name.
  static InterceptorOptions WithName(std::string name) {
    InterceptorOptions options;
    options.name = std::move(name);
    return options;
  }
};

// REQUIRES: registry != nullptr, which the factory shares in owning. The
// channel that takes the factory keeps it as long as it has calls.
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>
MakeCircuitBreakerInterceptorFactory(std::shared_ptr<BreakerRegistry> registry,
                                     InterceptorOptions options = {});

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_CIRCUIT_BREAKER_INTERCEPTOR_H_
