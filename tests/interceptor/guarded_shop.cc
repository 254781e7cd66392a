#include "autobreaker/tests/interceptor/guarded_shop.h"

#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstdint>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/instruments.h"
#include "gtest/gtest.h"

namespace autobreaker {

using grpc::ServerContext;

void FakeShop::AnswerWith(grpc::Status status) {
  absl::MutexLock lock(&mu_);
  status_ = std::move(status);
}

void FakeShop::AnswerOnceWith(grpc::Status status) {
  absl::MutexLock lock(&mu_);
  once_.push_back(std::move(status));
}

void FakeShop::SetInitialMetadata(Metadata initial) {
  absl::MutexLock lock(&mu_);
  initial_ = std::move(initial);
}

void FakeShop::SetTrailingMetadata(Metadata trailing) {
  absl::MutexLock lock(&mu_);
  trailing_ = std::move(trailing);
}

void FakeShop::SetHanging(bool hanging) {
  absl::MutexLock lock(&mu_);
  hanging_ = hanging;
}

int FakeShop::calls() const {
  absl::MutexLock lock(&mu_);
  return calls_;
}

void FakeShop::AwaitCalls(int calls) const {
  absl::MutexLock lock(&mu_);
  const auto enough = [this, calls] {
    mu_.AssertHeld();
    return calls_ >= calls;
  };
  mu_.Await(absl::Condition(&enough));
}

FakeShop::Metadata FakeShop::last_metadata() const {
  absl::MutexLock lock(&mu_);
  return last_metadata_;
}

void FakeShop::Begin(ServerContext* context) {
  absl::MutexLock lock(&mu_);
  ++calls_;
  last_metadata_.clear();
  for (const auto& [key, value] : context->client_metadata()) {
    last_metadata_.emplace(std::string(key.data(), key.size()),
                           std::string(value.data(), value.size()));
  }
  for (const auto& [key, value] : initial_) {
    context->AddInitialMetadata(key, value);
  }
  for (const auto& [key, value] : trailing_) {
    context->AddTrailingMetadata(key, value);
  }
}

grpc::Status FakeShop::Answer() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(
      +[](bool* hanging) { return !*hanging; }, &hanging_));
  if (once_.empty()) return status_;
  grpc::Status status = std::move(once_.front());
  once_.pop_front();
  return status;
}

grpc::Status FakeShop::GetPrice(ServerContext* context,
                                const shop::PriceRequest*, shop::PriceReply*) {
  Begin(context);
  return Answer();
}

grpc::Status FakeShop::PlaceOrder(ServerContext* context,
                                  const shop::OrderRequest*,
                                  shop::OrderReply*) {
  Begin(context);
  return Answer();
}

grpc::Status FakeShop::WatchStock(
    ServerContext* context, const shop::StockRequest* request,
    grpc::ServerWriter<shop::StockLevel>* writer) {
  Begin(context);
  writer->SendInitialMetadata();
  for (int i = 0; i < request->levels(); ++i) {
    writer->Write(shop::StockLevel());
  }
  return Answer();
}

grpc::Status FakeShop::UploadReceipts(ServerContext* context,
                                      grpc::ServerReader<shop::Receipt>* reader,
                                      shop::UploadReply*) {
  Begin(context);
  reader->SendInitialMetadata();
  shop::Receipt receipt;
  while (reader->Read(&receipt)) {
  }
  return Answer();
}

grpc::Status FakeShop::Chat(
    ServerContext* context,
    grpc::ServerReaderWriter<shop::ChatMessage, shop::ChatMessage>* stream) {
  Begin(context);
  stream->SendInitialMetadata();
  shop::ChatMessage message;
  if (context->client_metadata().count("shop-greet") > 0) {
    stream->Write(message);
  }
  while (stream->Read(&message)) stream->Write(message);
  return Answer();
}

namespace {

ShopOptions With(const BreakerOptions& breaker,
                 InterceptorOptions interceptor) {
  ShopOptions options;
  options.breaker = breaker;
  options.interceptor = std::move(interceptor);
  return options;
}

}  // namespace

GuardedShop::GuardedShop(const BreakerOptions& options,
                         InterceptorOptions interceptor)
    : GuardedShop(With(options, std::move(interceptor))) {}

GuardedShop::GuardedShop(ShopOptions options) {
  int port = 0;
  grpc::ServerBuilder builder;
  if (!options.in_process) {
    builder.AddListeningPort("127.0.0.1:0", options.server_credentials, &port);
  }
  builder.RegisterService(options.service != nullptr ? options.service
                                                     : &service);
  for (const auto& [name, value] : options.server_arguments) {
    builder.AddChannelArgument(name, value);
  }
  server = builder.BuildAndStart();
  address = absl::StrCat("127.0.0.1:", port);

  RegistryOptions registry_options;
  registry_options.defaults = options.breaker;
  registry_options.instruments.clock =
      options.breakers_clock != nullptr ? options.breakers_clock : &clock;
  registry_options.instruments.duration_buckets = DefaultDurationBuckets();
  registry_options.instruments.count_status_codes = true;
  registry = BreakerRegistry::Create(registry_options).value();

  InterceptorFactories factories = std::move(options.outer);
  factories.push_back(MakeCircuitBreakerInterceptorFactory(
      registry, std::move(options.interceptor)));
  for (auto& factory : options.inner) factories.push_back(std::move(factory));
  channel = options.in_process
                ? server->experimental().InProcessChannelWithInterceptors(
                      options.arguments, std::move(factories))
                : grpc::experimental::CreateCustomChannelWithInterceptors(
                      address, options.channel_credentials, options.arguments,
                      std::move(factories));
  stub = shop::Shop::NewStub(channel);
}

GuardedShop::~GuardedShop() {
  service.SetHanging(false);
  // Calls that a failed test left behind end here.
  server->Shutdown(std::chrono::system_clock::now());
}

std::shared_ptr<RegisteredBreaker> GuardedShop::BreakerOf(
    const std::string& method) {
  return registry->GetOrCreate({"shop", "autobreaker.shop.Shop", method});
}

RegisteredSnapshot GuardedShop::SnapshotOf(const std::string& method) {
  return BreakerOf(method)->Snapshot();
}

void GuardedShop::ForceOpen(const std::string& method) {
  BreakerOf(method)->SetMode(Mode::kForcedOpen);
}

void GuardedShop::MakeHalfOpen(const std::string& method) {
  BreakerOf(method)->SetMode(Mode::kForcedOpen);
  BreakerOf(method)->SetMode(Mode::kAutomatic);
}

grpc::Status GuardedShop::GetPrice() {
  const auto context = Context();
  shop::PriceReply reply;
  return stub->GetPrice(context.get(), shop::PriceRequest(), &reply);
}

std::unique_ptr<grpc::ClientContext> GuardedShop::Context() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::seconds(30));
  return context;
}

grpc::Status CallGeneric(const std::shared_ptr<grpc::Channel>& channel,
                         const std::string& method) {
  grpc::TemplatedGenericStub<shop::PriceRequest, shop::PriceReply> stub(
      channel);
  const auto context = GuardedShop::Context();
  grpc::CompletionQueue queue;
  const shop::PriceRequest request;
  const auto call =
      stub.PrepareUnaryCall(context.get(), method, request, &queue);
  call->StartCall();
  shop::PriceReply reply;
  grpc::Status status;
  call->Finish(&reply, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return status;
}

grpc::Status Unavailable() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the shop burned down");
}

grpc::Status Broken() {
  return grpc::Status(grpc::StatusCode::INTERNAL, "the shop burned down");
}

uint64_t StatusesOf(const RegisteredSnapshot& s) {
  return std::accumulate(s.status_codes.begin(), s.status_codes.end(),
                         uint64_t{0});
}

void ExpectSettled(const RegisteredSnapshot& s) {
  EXPECT_EQ(s.in_flight, 0u);
  EXPECT_EQ(s.requests, s.successes + s.failures + s.ignored + s.abandoned);
  // A call that ends before it is sent has none, nor one that a test made up.
  EXPECT_LE(StatusesOf(s), s.successes + s.failures + s.ignored);
  if (s.durations[0].buckets.empty()) return;  // not recorded
  uint64_t timed = 0;
  for (const DurationCounts& durations : s.durations) {
    timed += std::accumulate(durations.buckets.begin(), durations.buckets.end(),
                             uint64_t{0});
  }
  EXPECT_EQ(timed, s.successes + s.failures);
}

}  // namespace autobreaker
