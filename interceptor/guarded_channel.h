// A gRPC channel each of whose methods has a circuit breaker: the shortest way
// to guard a client.
//
//   auto registry = autobreaker::BreakerRegistry::Create().value();
//   auto channel = autobreaker::CreateGuardedChannel(
//       target, credentials, registry,
//       autobreaker::InterceptorOptions::WithName("payments"));
//   auto stub = Payments::NewStub(channel);
//
// Use it where a program calls grpc::CreateChannel() or
// grpc::CreateCustomChannel(). One registry serves all channels of a program.
// Who builds channels in another way (in-process, or through code that takes
// interceptor factories) adds MakeCircuitBreakerInterceptorFactory() of
// circuit_breaker_interceptor.h, which also says how calls are judged.
#ifndef AUTOBREAKER_INTERCEPTOR_GUARDED_CHANNEL_H_
#define AUTOBREAKER_INTERCEPTOR_GUARDED_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <string>
#include <vector>

#include "autobreaker/breaker/registry.h"
#include "autobreaker/interceptor/circuit_breaker_interceptor.h"

namespace autobreaker {

// `target`, `credentials` and `arguments` are those of
// grpc::CreateCustomChannel(), and the channel can do what that one can. It
// shares in owning the registry.
//
// Name what the channel talks to, in `options`: metrics, logs and configuration
// know its breakers by that name. Channels of one name share their breakers.
// Without a name it is the target.
//
// `interceptors` are the program's own. They run in their order, and the
// breaker after them, closest to the wire. So they see a refusal as they see
// any other end of a call, and the breaker sees the metadata that they add,
// such as kBypassMetadataKey. What they answer themselves never reaches the
// breaker, and is not counted.
//
// Thread-safety: may be called from any thread at once.
// REQUIRES: registry != nullptr.
std::shared_ptr<grpc::Channel> CreateGuardedChannel(
    const std::string& target,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    std::shared_ptr<BreakerRegistry> registry, InterceptorOptions options = {},
    const grpc::ChannelArguments& arguments = {},
    std::vector<
        std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>
        interceptors = {});

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_GUARDED_CHANNEL_H_
