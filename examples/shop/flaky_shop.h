// A server for the small examples: a shop on the loopback interface that can be
// told to fail.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_EXAMPLES_SHOP_FLAKY_SHOP_H_
#define AUTOBREAKER_EXAMPLES_SHOP_FLAKY_SHOP_H_

#include <grpcpp/server.h>
#include <grpcpp/server_context.h>

#include <atomic>
#include <memory>
#include <string>

#include "autobreaker/examples/shop/shop.grpc.pb.h"

namespace autobreaker::demo {

// Serves GetPrice and PlaceOrder.
class FlakyShop final : public shop::Shop::Service {
 public:
  // Ends the program if the loopback interface has no port for it.
  FlakyShop();
  ~FlakyShop() override;

  // "host:port", for a channel.
  const std::string& address() const { return address_; }

  // While it fails, every call ends with UNAVAILABLE.
  void SetFailing(bool failing) { failing_.store(failing); }

  // Calls that reached it.
  int calls() const { return calls_.load(); }

 private:
  grpc::Status GetPrice(grpc::ServerContext* context,
                        const shop::PriceRequest* request,
                        shop::PriceReply* reply) override;
  grpc::Status PlaceOrder(grpc::ServerContext* context,
                          const shop::OrderRequest* request,
                          shop::OrderReply* reply) override;
  grpc::Status Answer();

  std::atomic<bool> failing_{false};
  std::atomic<int> calls_{0};
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_SHOP_FLAKY_SHOP_H_
