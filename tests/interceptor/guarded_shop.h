// A real Shop server and a guarded channel to it.
#ifndef AUTOBREAKER_TESTS_INTERCEPTOR_GUARDED_SHOP_H_
#define AUTOBREAKER_TESTS_INTERCEPTOR_GUARDED_SHOP_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_interceptor.h>
#include <grpcpp/support/status.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/interceptor/circuit_breaker_interceptor.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/rate_options.h"

namespace autobreaker {

using InterceptorFactories = std::vector<
    std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>;

// Answers calls with one status, after their messages. Sends the initial
// metadata of streams at once, and a message too if the client says
// "shop-greet".
class FakeShop final : public shop::Shop::Service {
 public:
  using Metadata = std::multimap<std::string, std::string>;

  void AnswerWith(grpc::Status status);
  // Before that, and once.
  void AnswerOnceWith(grpc::Status status);
  void SetInitialMetadata(Metadata initial);
  void SetTrailingMetadata(Metadata trailing);
  // While hanging, no call is answered.
  void SetHanging(bool hanging);

  // How many calls there were; waits until there were as many.
  int calls() const;
  void AwaitCalls(int calls) const;
  // What the client sent with the last one.
  Metadata last_metadata() const;

 private:
  void Begin(grpc::ServerContext* context);
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

  mutable absl::Mutex mu_;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
  bool hanging_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
  std::deque<grpc::Status> once_ ABSL_GUARDED_BY(mu_);
  Metadata initial_ ABSL_GUARDED_BY(mu_);
  Metadata trailing_ ABSL_GUARDED_BY(mu_);
  Metadata last_metadata_ ABSL_GUARDED_BY(mu_);
};

struct ShopOptions {
  BreakerOptions breaker = RateOptions();
  InterceptorOptions interceptor = InterceptorOptions::WithName("shop");
  // What the server serves in place of FakeShop; must outlive it.
  grpc::Service* service = nullptr;
  // Else over loopback TCP.
  bool in_process = false;
  grpc::ChannelArguments arguments;
  std::map<std::string, int> server_arguments;
  std::shared_ptr<grpc::ServerCredentials> server_credentials =
      grpc::InsecureServerCredentials();
  std::shared_ptr<grpc::ChannelCredentials> channel_credentials =
      grpc::InsecureChannelCredentials();
  // In place of GuardedShop::clock; must outlive it.
  const Clock* breakers_clock = nullptr;
  // Interceptors on the application's side of the breaker's and on the other.
  InterceptorFactories outer;
  InterceptorFactories inner;
};

struct GuardedShop {
  explicit GuardedShop(
      const BreakerOptions& options = RateOptions(),
      InterceptorOptions interceptor = InterceptorOptions::WithName("shop"));
  explicit GuardedShop(ShopOptions options);
  ~GuardedShop();

  // The breaker of a method of the Shop service, made if need be.
  std::shared_ptr<RegisteredBreaker> BreakerOf(const std::string& method);
  RegisteredSnapshot SnapshotOf(const std::string& method);
  // Opens it as an operator would.
  void ForceOpen(const std::string& method);
  // Leaves it half-open, with no probe under way.
  void MakeHalfOpen(const std::string& method);

  // One GetPrice() and how it ended.
  grpc::Status GetPrice();

  // A context whose deadline guards against a call that hangs.
  static std::unique_ptr<grpc::ClientContext> Context();

  FakeClock clock;
  FakeShop service;
  std::unique_ptr<grpc::Server> server;
  std::string address;
  std::shared_ptr<BreakerRegistry> registry;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<shop::Shop::Stub> stub;
};

// A call of any name, such as "/a.B/C", with a Shop's messages.
grpc::Status CallGeneric(const std::shared_ptr<grpc::Channel>& channel,
                         const std::string& method);

// The statuses of a server in trouble. A stream that delivered may end with the
// first for want of a connection alone, and with the second never.
grpc::Status Unavailable();
grpc::Status Broken();

// How many calls ended with a status, as counted by code.
uint64_t StatusesOf(const RegisteredSnapshot& snapshot);

// Expects that the books of a breaker balance and no call is left in them: not
// in the outcomes, the status codes or the durations.
void ExpectSettled(const RegisteredSnapshot& snapshot);

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_INTERCEPTOR_GUARDED_SHOP_H_
