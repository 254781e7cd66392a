// A program that has a breaker/registry.h, a proto/config.proto and a
// proto/admin.proto of its own, and all of AutoBreaker in the same binary.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_interceptor.h>
#include <grpcpp/support/status.h>
#include <prometheus/metric_family.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "autobreaker/admin/breaker_admin_service.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/config/config.h"
#include "autobreaker/exporter/breaker_collector.h"
#include "autobreaker/interceptor/circuit_breaker_interceptor.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/proto/admin.grpc.pb.h"
#include "breaker/registry.h"
#include "proto/admin.grpc.pb.h"
#include "proto/config.pb.h"

#ifndef BAKERYS_OWN_ABSEIL
#error "AutoBreaker was built with an abseil that is not the bakery's."
#endif

namespace bakery {
namespace {

constexpr char kConfig[] = R"json({
  "breakers": [
    {"names": [{"service": "bakery.Oven"}],
     "options": {"trip": {"consecutiveFailures": 2}}}
  ]
})json";

// Always cold.
class ColdOven final : public Oven::Service {
  grpc::Status Bake(grpc::ServerContext*, const Config* config,
                    Loaf*) override {
    return {grpc::StatusCode::UNAVAILABLE, "no heat for " + config->bread()};
  }
};

void Expect(bool fact, const std::string& what) {
  if (fact) return;
  std::cerr << "not so: " << what << "\n";
  std::exit(1);
}

std::shared_ptr<grpc::Channel> GuardedChannel(
    const std::string& target,
    const std::shared_ptr<autobreaker::BreakerRegistry>& registry) {
  std::vector<
      std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>
      factories;
  factories.push_back(autobreaker::MakeCircuitBreakerInterceptorFactory(
      registry, autobreaker::InterceptorOptions::WithName("oven")));
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      target, grpc::InsecureChannelCredentials(), grpc::ChannelArguments(),
      std::move(factories));
}

grpc::Status Bake(Oven::Stub* oven) {
  Config config;
  config.set_bread("rye");
  Loaf loaf;
  grpc::ClientContext context;
  return oven->Bake(&context, config, &loaf);
}

// The state of the only breaker, as the admin service tells it.
autobreaker::v1::State ListedState(const std::string& target) {
  const auto admin = autobreaker::v1::BreakerAdmin::NewStub(
      grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));
  autobreaker::v1::ListResponse response;
  grpc::ClientContext context;
  const grpc::Status status = admin->List(&context, {}, &response);
  Expect(status.ok(), "the admin service answers");
  Expect(response.breakers_size() == 1, "it lists one breaker");
  return response.breakers(0).state();
}

// The sum of a family's counters, as Prometheus would see them.
double Exported(const std::shared_ptr<autobreaker::BreakerRegistry>& registry,
                const std::string& family) {
  const auto collector = autobreaker::BreakerCollector::Create(registry);
  Expect(collector.ok(), "a collector is made");
  double sum = 0;
  for (const prometheus::MetricFamily& collected : (*collector)->Collect()) {
    if (collected.name != family) continue;
    for (const auto& metric : collected.metric) sum += metric.counter.value;
  }
  return sum;
}

void Main() {
  BreakerRegistry electrical;
  electrical.Add("oven");
  Expect(electrical.Has("oven"), "the bakery's own registry works");

  const auto registry = autobreaker::BreakerRegistry::Create().value();
  const auto config = autobreaker::ParseConfig(
      kConfig, autobreaker::ConfigFormat::kJson, "bakery.json");
  Expect(config.ok(), config.status().ToString());
  const absl::Status applied =
      autobreaker::ApplyConfig(*config, registry.get());
  Expect(applied.ok(), applied.ToString());

  ColdOven cold;
  autobreaker::BreakerAdminService admin(registry);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&cold);
  builder.RegisterService(&admin);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  Expect(server != nullptr, "the server starts");
  const std::string target = "127.0.0.1:" + std::to_string(port);

  const auto oven = Oven::NewStub(GuardedChannel(target, registry));
  for (int i = 1; i <= 2; ++i) {
    const grpc::Status failed = Bake(oven.get());
    Expect(failed.error_message() == "no heat for rye",
           "the server answers call " + std::to_string(i));
  }
  Expect(autobreaker::ParseRefusal(Bake(oven.get())).has_value(),
         "the breaker refuses the third, as the configuration has it");
  Expect(ListedState(target) == autobreaker::v1::OPEN, "it is listed as open");
  Expect(Exported(registry, "circuit_breaker_trips_total") == 1,
         "one trip is exported");
  server->Shutdown();
  std::cout << "a consumer's own workspace: built beside its own "
               "breaker/registry.h, proto/config.proto and proto/admin.proto; "
               "configured, refused, listed and exported\n";
}

}  // namespace
}  // namespace bakery

int main() { bakery::Main(); }
