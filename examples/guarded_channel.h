// The two lines that guard a channel, as the small examples need them.
#ifndef AUTOBREAKER_EXAMPLES_GUARDED_CHANNEL_H_
#define AUTOBREAKER_EXAMPLES_GUARDED_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autobreaker/breaker/registry.h"
#include "autobreaker/interceptor/circuit_breaker_interceptor.h"

namespace autobreaker::demo {

// A channel to `target`, each of whose methods has a breaker under `name`.
inline std::shared_ptr<grpc::Channel> GuardedChannel(
    std::shared_ptr<BreakerRegistry> registry, std::string name,
    const std::string& target) {
  std::vector<
      std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>
      factories;
  factories.push_back(MakeCircuitBreakerInterceptorFactory(
      std::move(registry), InterceptorOptions::WithName(std::move(name))));
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      target, grpc::InsecureChannelCredentials(), grpc::ChannelArguments(),
      std::move(factories));
}

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_GUARDED_CHANNEL_H_
