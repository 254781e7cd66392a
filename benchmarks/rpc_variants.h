// A shop that answers every call at once, and channels to it that differ in one
// thing: which interceptor they have.
#ifndef AUTOBREAKER_BENCHMARKS_RPC_VARIANTS_H_
#define AUTOBREAKER_BENCHMARKS_RPC_VARIANTS_H_

#include <grpcpp/server.h>
#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <string>
#include <vector>

#include "autobreaker/examples/shop/shop.grpc.pb.h"

namespace autobreaker {

// Each is compared with the one before it.
enum class Variant {
  kNone,    // no interceptor
  kIdle,    // one that proceeds and does nothing else: gRPC's own price
  kClosed,  // a breaker that admits every call
  kOpen,    // a breaker that refuses every call
};
inline constexpr Variant kVariants[] = {Variant::kNone, Variant::kIdle,
                                        Variant::kClosed, Variant::kOpen};
inline constexpr int kVariantCount = 4;
const char* NameOf(Variant variant);

// What to hand to a channel.
std::vector<
    std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>
InterceptorsOf(Variant variant);

// Over loopback TCP, to "127.0.0.1:port".
std::unique_ptr<shop::Shop::Stub> ConnectOverTcp(const std::string& address,
                                                 Variant variant);
// Within the process, without sockets.
std::unique_ptr<shop::Shop::Stub> ConnectInProcess(grpc::Server* server,
                                                   Variant variant);

// One unary call. Ends the program unless it is refused by kOpen and succeeds
// in the others.
void CallSynchronously(shop::Shop::Stub* stub, Variant variant);
void CallWithCallback(shop::Shop::Stub* stub, Variant variant);

// Listens on loopback until destroyed.
class EmptyShop {
 public:
  EmptyShop();
  ~EmptyShop();

  const std::string& address() const { return address_; }
  grpc::Server* server() { return server_.get(); }

 private:
  class Service final : public shop::Shop::Service {
    grpc::Status GetPrice(grpc::ServerContext*, const shop::PriceRequest*,
                          shop::PriceReply*) override {
      return grpc::Status::OK;
    }
  };

  Service service_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BENCHMARKS_RPC_VARIANTS_H_
