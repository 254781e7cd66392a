#include "autobreaker/examples/demo/admin_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

namespace autobreaker::demo {
namespace {

BreakerAdminOptions Options() {
  BreakerAdminOptions options;
  options.allow_changes = true;
  return options;
}

}  // namespace

std::unique_ptr<AdminServer> AdminServer::Start(
    const std::string& address, std::shared_ptr<BreakerRegistry> registry) {
  auto admin =
      std::unique_ptr<AdminServer>(new AdminServer(std::move(registry)));
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  // Or a second program on the same port would take every other caller.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(),
                           &admin->port_);
  builder.RegisterService(&admin->service_);
  admin->server_ = builder.BuildAndStart();
  if (admin->server_ == nullptr) return nullptr;
  return admin;
}

AdminServer::AdminServer(std::shared_ptr<BreakerRegistry> registry)
    : service_(std::move(registry), Options()) {}

AdminServer::~AdminServer() {
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
}

}  // namespace autobreaker::demo
