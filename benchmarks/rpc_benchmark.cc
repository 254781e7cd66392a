// What a guarded channel costs a unary call over loopback TCP, beside the same
// call without an interceptor and with one that does nothing.
//
// Interleave the repetitions and compare medians.

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/client_interceptor.h>
#include <grpcpp/support/interceptor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "breaker/registry.h"
#include "interceptor/circuit_breaker_interceptor.h"
#include "proto/shop.grpc.pb.h"

namespace autobreaker {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using Factories =
    std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>>;

class EmptyShop final : public shop::Shop::Service {
  grpc::Status GetPrice(grpc::ServerContext*, const shop::PriceRequest*,
                        shop::PriceReply*) override {
    return grpc::Status::OK;
  }
};

// Proceeds and does nothing else: gRPC's own price for an interceptor.
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

// One server for the whole run.
std::string ServerAddress() {
  static const int port = [] {
    int chosen = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &chosen);
    builder.RegisterService(new EmptyShop);
    builder.BuildAndStart().release();
    return chosen;
  }();
  return absl::StrCat("127.0.0.1:", port);
}

void Call(benchmark::State& state, Factories factories, bool refused) {
  const auto stub = shop::Shop::NewStub(
      grpc::experimental::CreateCustomChannelWithInterceptors(
          ServerAddress(), grpc::InsecureChannelCredentials(),
          grpc::ChannelArguments(), std::move(factories)));
  for (auto _ : state) {
    grpc::ClientContext context;
    shop::PriceReply reply;
    const grpc::Status status =
        stub->GetPrice(&context, shop::PriceRequest(), &reply);
    if (status.ok() == refused) state.SkipWithError("unexpected status");
  }
}

void BM_NoInterceptor(benchmark::State& state) { Call(state, {}, false); }
BENCHMARK(BM_NoInterceptor)->UseRealTime();

void BM_IdleInterceptor(benchmark::State& state) {
  Factories factories;
  factories.push_back(std::make_unique<IdleFactory>());
  Call(state, std::move(factories), false);
}
BENCHMARK(BM_IdleInterceptor)->UseRealTime();

void GuardedCall(benchmark::State& state, Mode mode) {
  const auto registry = BreakerRegistry::Create().value();
  registry->GetOrCreate({"shop", "autobreaker.shop.Shop", "GetPrice"})
      ->SetMode(mode);
  Factories factories;
  factories.push_back(MakeCircuitBreakerInterceptorFactory(
      registry, InterceptorOptions::WithName("shop")));
  Call(state, std::move(factories), mode == Mode::kForcedOpen);
}

void BM_GuardedClosed(benchmark::State& state) {
  GuardedCall(state, Mode::kAutomatic);
}
BENCHMARK(BM_GuardedClosed)->UseRealTime();

void BM_GuardedOpen(benchmark::State& state) {
  GuardedCall(state, Mode::kForcedOpen);
}
BENCHMARK(BM_GuardedOpen)->UseRealTime();

}  // namespace
}  // namespace autobreaker
