// Puts what breakers know into a program's own health service.
//
// The service is gRPC's standard one, asked by the name of what is depended on:
// Check("shop") is NOT_SERVING while a breaker named "shop" is open. The health
// of the program as a whole, Check(""), stays SERVING: it has a fallback, and
// taking it out of the load balancer would help nobody.
//
// It reads snapshots when it is asked and does not wait for transitions: a
// snapshot brings an open breaker forward to half-open when its time is over,
// where a breaker without calls would stay open for ever. Half-open is SERVING,
// or no call would come to close it.
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/examples/health/health.grpc.pb.h"
#include "autobreaker/examples/shop/flaky_shop.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/interceptor/guarded_channel.h"

namespace autobreaker::demo {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

class BreakerHealth final : public Health::Service {
 public:
  explicit BreakerHealth(std::shared_ptr<const BreakerRegistry> registry)
      : registry_(std::move(registry)) {}

  grpc::Status Check(grpc::ServerContext* context,
                     const HealthCheckRequest* request,
                     HealthCheckResponse* response) override {
    response->set_status(HealthCheckResponse::SERVING);
    if (request->service().empty()) return grpc::Status::OK;
    bool found = false;
    for (const auto& breaker : registry_->Breakers()) {
      if (breaker->key().name != request->service()) continue;
      found = true;
      const BreakerSnapshot s = breaker->Snapshot();
      // In shadow mode calls pass all the same.
      if (s.state != State::kOpen || s.mode == Mode::kShadow) continue;
      response->set_status(HealthCheckResponse::NOT_SERVING);
      // For people who ask with grpcurl -v.
      context->AddTrailingMetadata(
          "open-breaker",
          absl::StrCat(s.key.service, "/", s.key.method, ": ",
                       std::string(ToString(s.last_trip->reason)), ", ",
                       s.window.failures, " of ", s.window.finished(),
                       " calls failed"));
    }
    if (found) return grpc::Status::OK;
    return grpc::Status(grpc::StatusCode::NOT_FOUND,
                        absl::StrCat("nothing was called under the name \"",
                                     request->service(), "\""));
  }

 private:
  const std::shared_ptr<const BreakerRegistry> registry_;
};

void Ask(Health::Stub& health, const std::string& service) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(1));
  HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  const grpc::Status status = health.Check(&context, request, &response);
  const std::string answer =
      status.ok() ? HealthCheckResponse::ServingStatus_Name(response.status())
                  : status.error_message();
  absl::PrintF("health of \"%s\": %s\n", service, answer);
  const auto& trailing = context.GetServerTrailingMetadata();
  for (auto [it, end] = trailing.equal_range("open-breaker"); it != end; ++it) {
    absl::PrintF("  %s\n", std::string(it->second.data(), it->second.size()));
  }
}

int Run() {
  FlakyShop shop;
  RegistryOptions options;
  // For the example, which is quicker than any lost connection.
  options.defaults.trip.evidence->tolerated_burst = absl::ZeroDuration();
  options.defaults.open.duration = absl::Seconds(10);
  const auto registry = BreakerRegistry::Create(options).value();

  BreakerHealth health_service(registry);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&health_service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  const auto health = Health::NewStub(grpc::CreateChannel(
      absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));

  const auto stub = shop::Shop::NewStub(
      CreateGuardedChannel(shop.address(), grpc::InsecureChannelCredentials(),
                           registry, InterceptorOptions::WithName("shop")));
  const auto ask_shop = [&stub](int times) {
    for (int i = 0; i < times; ++i) {
      grpc::ClientContext context;
      shop::PriceReply reply;
      stub->GetPrice(&context, shop::PriceRequest(), &reply);
    }
  };
  Ask(*health, "shop");
  ask_shop(10);
  Ask(*health, "shop");
  shop.SetFailing(true);
  ask_shop(100);
  Ask(*health, "shop");
  Ask(*health, "");
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace autobreaker::demo

int main() { return autobreaker::demo::Run(); }
