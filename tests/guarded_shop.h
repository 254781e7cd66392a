// A real Shop server on a loopback port and a guarded channel to it.
#ifndef AUTOBREAKER_TESTS_GUARDED_SHOP_H_
#define AUTOBREAKER_TESTS_GUARDED_SHOP_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/server.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "breaker/fake_clock.h"
#include "breaker/registry.h"
#include "interceptor/circuit_breaker_interceptor.h"
#include "proto/shop.grpc.pb.h"

namespace autobreaker {

// Answers every call with one status, after its messages.
class FakeShop final : public shop::Shop::Service {
 public:
  void AnswerWith(grpc::Status status);
  // While hanging, no call is answered.
  void SetHanging(bool hanging);
  int calls() const { return calls_; }

 private:
  grpc::Status Answer();

  grpc::Status GetPrice(grpc::ServerContext*, const shop::PriceRequest*,
                        shop::PriceReply*) override;
  grpc::Status PlaceOrder(grpc::ServerContext*, const shop::OrderRequest*,
                          shop::OrderReply*) override;
  grpc::Status WatchStock(grpc::ServerContext*, const shop::StockRequest*,
                          grpc::ServerWriter<shop::StockLevel>*) override;
  grpc::Status UploadReceipts(grpc::ServerContext*,
                              grpc::ServerReader<shop::Receipt>*,
                              shop::UploadReply*) override;
  grpc::Status Chat(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<shop::ChatMessage, shop::ChatMessage>*) override;

  std::atomic<int> calls_{0};
  absl::Mutex mu_;
  bool hanging_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
};

struct GuardedShop {
  explicit GuardedShop(
      const BreakerOptions& options = BreakerOptions(),
      InterceptorOptions interceptor = InterceptorOptions::WithName("shop"));
  ~GuardedShop();

  // The breaker of a method of the Shop service, made if need be.
  std::shared_ptr<CircuitBreaker> BreakerOf(const std::string& method);
  BreakerSnapshot SnapshotOf(const std::string& method);

  // A context whose deadline guards against a call that hangs.
  static std::unique_ptr<grpc::ClientContext> Context();

  FakeClock clock;
  FakeShop service;
  std::unique_ptr<grpc::Server> server;
  std::shared_ptr<BreakerRegistry> registry;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<shop::Shop::Stub> stub;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_GUARDED_SHOP_H_
