#include "autobreaker/interceptor/guarded_channel.h"

#include <grpcpp/create_channel.h>

#include <utility>

namespace autobreaker {

std::shared_ptr<grpc::Channel> CreateGuardedChannel(
    const std::string& target,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    std::shared_ptr<BreakerRegistry> registry, InterceptorOptions options,
    const grpc::ChannelArguments& arguments,
    std::vector<
        std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>
        interceptors) {
  if (options.name.empty()) options.name = target;
  interceptors.push_back(MakeCircuitBreakerInterceptorFactory(
      std::move(registry), std::move(options)));
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      target, credentials, arguments, std::move(interceptors));
}

}  // namespace autobreaker
