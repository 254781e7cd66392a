// A real server with the admin service over a registry, and a client of it.
#ifndef AUTOBREAKER_TESTS_ADMIN_ADMIN_SERVER_H_
#define AUTOBREAKER_TESTS_ADMIN_ADMIN_SERVER_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "autobreaker/admin/breaker_admin_service.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/proto/admin.grpc.pb.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/rate_options.h"

namespace autobreaker {

inline BreakerAdminOptions ChangesAllowed() {
  BreakerAdminOptions options;
  options.allow_changes = true;
  return options;
}

// A context whose deadline guards against a call that hangs.
inline std::unique_ptr<grpc::ClientContext> AdminContext() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::seconds(30));
  return context;
}

struct AdminServer {
  explicit AdminServer(BreakerAdminOptions options = ChangesAllowed()) {
    RegistryOptions registry_options;
    registry_options.defaults = RateOptions();
    registry_options.instruments.clock = &clock;
    registry_options.instruments.count_status_codes = true;
    registry = BreakerRegistry::Create(registry_options).value();
    service = std::make_unique<BreakerAdminService>(registry, options);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(service.get());
    server = builder.BuildAndStart();
    // Or much is sent to a reader that does not read.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    channel = grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port),
                                        grpc::InsecureChannelCredentials(),
                                        arguments);
    stub = v1::BreakerAdmin::NewStub(channel);
  }
  ~AdminServer() { Stop(); }

  void Stop() {
    if (server != nullptr) server->Shutdown(std::chrono::system_clock::now());
    server.reset();
  }

  std::shared_ptr<CircuitBreaker> Make(const std::string& name,
                                       const std::string& service_name = "",
                                       const std::string& method = "") {
    return registry->GetOrCreate({name, service_name, method});
  }

  FakeClock clock;
  std::shared_ptr<BreakerRegistry> registry;
  std::unique_ptr<BreakerAdminService> service;
  std::unique_ptr<grpc::Server> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::BreakerAdmin::Stub> stub;
};

// One Watch() and its reader.
struct AdminWatch {
  explicit AdminWatch(v1::BreakerAdmin::Stub& stub,
                      const v1::WatchRequest& request = {})
      : context(AdminContext()), reader(stub.Watch(context.get(), request)) {}

  // The next message; one of no event if the stream is over.
  v1::WatchResponse Next() {
    v1::WatchResponse response;
    if (!reader->Read(&response)) response.Clear();
    return response;
  }

  grpc::Status Cancel() {
    context->TryCancel();
    v1::WatchResponse response;
    while (reader->Read(&response)) {
    }
    return reader->Finish();
  }

  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> reader;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_ADMIN_ADMIN_SERVER_H_
