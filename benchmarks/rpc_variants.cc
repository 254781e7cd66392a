#include "autobreaker/benchmarks/rpc_variants.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/interceptor.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/interceptor/circuit_breaker_interceptor.h"

namespace autobreaker {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;

class IdleInterceptor final : public grpc::experimental::Interceptor {
  void Intercept(grpc::experimental::InterceptorBatchMethods* m) override {
    m->Proceed();
  }
};
class IdleFactory final : public ClientInterceptorFactoryInterface {
  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo*) override {
    return new IdleInterceptor;
  }
};

std::unique_ptr<ClientInterceptorFactoryInterface> GuardThatIs(
    Variant variant) {
  RegistryOptions options;
  // As long as no benchmark runs.
  options.defaults.open.duration = absl::Hours(24);
  options.defaults.open.duration_max = absl::Hours(24);
  options.defaults.trip.consecutive_failures = 1;
  const auto registry = BreakerRegistry::Create(options).value();
  if (variant == Variant::kOpen) {
    registry->GetOrCreate({"shop", "autobreaker.shop.Shop", "GetPrice"})
        ->TryAcquire()
        .Record(Outcome::kFailure);
  }
  return MakeCircuitBreakerInterceptorFactory(
      registry, InterceptorOptions::WithName("shop"));
}

void CheckStatus(const grpc::Status& status, Variant variant) {
  if (status.ok() != (variant == Variant::kOpen)) return;
  std::fprintf(stderr, "%s: a call ended with code %d: %s\n", NameOf(variant),
               status.error_code(), status.error_message().c_str());
  std::_Exit(EXIT_FAILURE);
}

}  // namespace

const char* NameOf(Variant variant) {
  switch (variant) {
    case Variant::kNone:
      return "none";
    case Variant::kIdle:
      return "idle";
    case Variant::kClosed:
      return "closed";
    case Variant::kOpen:
      return "open";
  }
  return "";
}

std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> InterceptorsOf(
    Variant variant) {
  std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> factories;
  if (variant == Variant::kIdle) {
    factories.push_back(std::make_unique<IdleFactory>());
  } else if (variant != Variant::kNone) {
    factories.push_back(GuardThatIs(variant));
  }
  return factories;
}

std::unique_ptr<shop::Shop::Stub> ConnectOverTcp(const std::string& address,
                                                 Variant variant) {
  // With equal arguments the channels share one connection.
  return shop::Shop::NewStub(
      grpc::experimental::CreateCustomChannelWithInterceptors(
          address, grpc::InsecureChannelCredentials(), grpc::ChannelArguments(),
          InterceptorsOf(variant)));
}

std::unique_ptr<shop::Shop::Stub> ConnectInProcess(grpc::Server* server,
                                                   Variant variant) {
  return shop::Shop::NewStub(
      server->experimental().InProcessChannelWithInterceptors(
          grpc::ChannelArguments(), InterceptorsOf(variant)));
}

void CallSynchronously(shop::Shop::Stub* stub, Variant variant) {
  grpc::ClientContext context;
  shop::PriceReply reply;
  CheckStatus(stub->GetPrice(&context, shop::PriceRequest(), &reply), variant);
}

void CallWithCallback(shop::Shop::Stub* stub, Variant variant) {
  grpc::ClientContext context;
  const shop::PriceRequest request;
  shop::PriceReply reply;
  grpc::Status status;
  absl::Notification ended;
  stub->async()->GetPrice(&context, &request, &reply,
                          [&status, &ended](grpc::Status s) {
                            status = std::move(s);
                            ended.Notify();
                          });
  ended.WaitForNotification();
  CheckStatus(status, variant);
}

EmptyShop::EmptyShop() {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    std::fprintf(stderr, "no port on loopback to listen on\n");
    std::_Exit(EXIT_FAILURE);
  }
  address_ = absl::StrCat("127.0.0.1:", port);
}

EmptyShop::~EmptyShop() {
  server_->Shutdown();
  server_->Wait();
}

}  // namespace autobreaker
