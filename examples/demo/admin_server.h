// A server for operators beside the program's own: the breakers' admin service,
// and reflection, so that grpcurl and the like need no files.
//
// Thread-safety: the server serves from threads of its own; its owner makes and
// destroys it.
#ifndef AUTOBREAKER_EXAMPLES_DEMO_ADMIN_SERVER_H_
#define AUTOBREAKER_EXAMPLES_DEMO_ADMIN_SERVER_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "autobreaker/admin/breaker_admin_service.h"
#include "autobreaker/breaker/registry.h"

namespace autobreaker::demo {

class AdminServer {
 public:
  // Listens on "host:port", where port 0 picks a free one; null if that fails.
  // Whoever reaches it may change breakers.
  static std::unique_ptr<AdminServer> Start(
      const std::string& address, std::shared_ptr<BreakerRegistry> registry);

  // Sends away those who watch.
  ~AdminServer();

  int port() const { return port_; }

 private:
  explicit AdminServer(std::shared_ptr<BreakerRegistry> registry);

  BreakerAdminService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_DEMO_ADMIN_SERVER_H_
