// The server of the demo: a real gRPC server that breaks on a schedule.
//
// Thread-safety: the server serves from threads of its own; its owner makes
// and destroys it.
#ifndef AUTOBREAKER_EXAMPLES_SHOP_SHOP_SERVER_H_
#define AUTOBREAKER_EXAMPLES_SHOP_SHOP_SERVER_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "autobreaker/breaker/clock.h"
#include "autobreaker/examples/shop/fault_schedule.h"

namespace autobreaker::demo {

class BreakingShop;

class ShopServer {
 public:
  // Listens on a free port of the loopback interface; null if that fails.
  // Breaks as `faults` has it from `start` on. Besides the Shop it serves
  // grpc.health.v1.Health.
  static std::unique_ptr<ShopServer> Start(MonotonicTime start,
                                           const FaultSchedule& faults);

  ~ShopServer();

  // "host:port", for a channel.
  const std::string& address() const { return address_; }

 private:
  ShopServer();

  std::string address_;
  std::unique_ptr<BreakingShop> shop_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_SHOP_SHOP_SERVER_H_
