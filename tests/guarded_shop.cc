#include "tests/guarded_shop.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/client_interceptor.h>

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace autobreaker {

using grpc::ServerContext;

void FakeShop::AnswerWith(grpc::Status status) {
  absl::MutexLock lock(&mu_);
  status_ = std::move(status);
}

void FakeShop::SetHanging(bool hanging) {
  absl::MutexLock lock(&mu_);
  hanging_ = hanging;
}

grpc::Status FakeShop::Answer() {
  ++calls_;
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(
      +[](bool* hanging) { return !*hanging; }, &hanging_));
  return status_;
}

grpc::Status FakeShop::GetPrice(ServerContext*, const shop::PriceRequest*,
                                shop::PriceReply*) {
  return Answer();
}

grpc::Status FakeShop::PlaceOrder(ServerContext*, const shop::OrderRequest*,
                                  shop::OrderReply*) {
  return Answer();
}

grpc::Status FakeShop::WatchStock(
    ServerContext*, const shop::StockRequest* request,
    grpc::ServerWriter<shop::StockLevel>* writer) {
  for (int i = 0; i < request->levels(); ++i) {
    writer->Write(shop::StockLevel());
  }
  return Answer();
}

grpc::Status FakeShop::UploadReceipts(ServerContext*,
                                      grpc::ServerReader<shop::Receipt>* reader,
                                      shop::UploadReply*) {
  shop::Receipt receipt;
  while (reader->Read(&receipt)) {
  }
  return Answer();
}

grpc::Status FakeShop::Chat(
    ServerContext*,
    grpc::ServerReaderWriter<shop::ChatMessage, shop::ChatMessage>* stream) {
  shop::ChatMessage message;
  while (stream->Read(&message)) stream->Write(message);
  return Answer();
}

GuardedShop::GuardedShop(const BreakerOptions& options,
                         InterceptorOptions interceptor) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  server = builder.BuildAndStart();

  RegistryOptions registry_options;
  registry_options.defaults = options;
  registry_options.environment.clock = &clock;
  registry = BreakerRegistry::Create(registry_options).value();

  std::vector<
      std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>
      factories;
  factories.push_back(
      MakeCircuitBreakerInterceptorFactory(registry, std::move(interceptor)));
  channel = grpc::experimental::CreateCustomChannelWithInterceptors(
      absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials(),
      grpc::ChannelArguments(), std::move(factories));
  stub = shop::Shop::NewStub(channel);
}

GuardedShop::~GuardedShop() {
  service.SetHanging(false);
  // Calls that a failed test left behind end here.
  server->Shutdown(std::chrono::system_clock::now());
}

std::shared_ptr<CircuitBreaker> GuardedShop::BreakerOf(
    const std::string& method) {
  return registry->GetOrCreate({"shop", "autobreaker.shop.Shop", method});
}

BreakerSnapshot GuardedShop::SnapshotOf(const std::string& method) {
  return BreakerOf(method)->Snapshot();
}

std::unique_ptr<grpc::ClientContext> GuardedShop::Context() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::seconds(30));
  return context;
}

}  // namespace autobreaker
