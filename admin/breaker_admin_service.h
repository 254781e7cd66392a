// A gRPC service that looks at the breakers of a running program and overrules
// them: BreakerAdmin in proto/admin.proto.
//
//   autobreaker::BreakerAdminOptions options;
//   options.allow_changes = true;
//   autobreaker::BreakerAdminService admin(registry, options);
//   grpc::ServerBuilder builder;
//   builder.AddListeningPort("127.0.0.1:8081", credentials);
//   builder.RegisterService(&admin);
//   std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
//
// It refuses nobody by itself: serve it only where operators reach it, such as
// on a port of its own with credentials of its own. Who may look and who may
// change is for BreakerAdminOptions::authorize.
//
// Errors are those that proto/admin.proto names; a message names the field, its
// value and what it must be, and a request that fails changes nothing.
//
// Must remain live until the server is shut down, as any service. A Watch()
// lasts until its client ends it, so call Stop() before Server::Shutdown(). The
// registry may be used by others meanwhile, and the service keeps it alive.
//
// Thread-safety: gRPC calls it from any thread at once. It holds up no call of
// a breaker: a call that changes a state puts the change into a queue. One
// thread, from the first Watch() to Stop(), hands the changes on.
#ifndef AUTOBREAKER_ADMIN_BREAKER_ADMIN_SERVICE_H_
#define AUTOBREAKER_ADMIN_BREAKER_ADMIN_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "autobreaker/admin/admin_change.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/proto/admin.grpc.pb.h"

namespace autobreaker {

// What a call of the service would do.
enum class AdminAccess {
  kRead,    // List(), Get(), Watch()
  kChange,  // Update(), SetMode(), Reset()
};

// What callers of the service may do, and who is asked and told.
struct BreakerAdminOptions {
  // Whether Update(), SetMode() and Reset() do what they are for. If not, they
  // are PERMISSION_DENIED.
  bool allow_changes = false;

  // Watches that there may be at once; others are RESOURCE_EXHAUSTED. 1 to
  // 10,000; what is outside counts as the nearest of these.
  int64_t max_watches = 100;

  // Whether a call may do that, by who makes it: its peer, its auth_context(),
  // its metadata. An error is what the caller gets. Asked of every call before
  // all else; not asked when not set. Called from any thread, several at once.
  // If it throws, the call is refused with INTERNAL.
  std::function<absl::Status(const grpc::ServerContextBase&, AdminAccess)>
      authorize;

  // Told of each change that was made. Called from any thread, several at once,
  // before the caller has an answer. What it throws is dropped.
  std::function<void(const AdminChange&)> audit;
};

class WatchHub;

class BreakerAdminService final : public v1::BreakerAdmin::CallbackService {
 public:
  // REQUIRES: registry is not null.
  explicit BreakerAdminService(std::shared_ptr<BreakerRegistry> registry,
                               BreakerAdminOptions options = {});
  ~BreakerAdminService() override;

  // Cancels all watches, and refuses those that come later with UNAVAILABLE.
  // Call it before Server::Shutdown(), which waits for every call to end.
  void Stop();

 private:
  using Context = grpc::CallbackServerContext;

  grpc::ServerUnaryReactor* List(Context* context,
                                 const v1::ListRequest* request,
                                 v1::ListResponse* response) override;
  grpc::ServerUnaryReactor* Get(Context* context, const v1::GetRequest* request,
                                v1::Breaker* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(
      Context* context, const v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* Update(Context* context,
                                   const v1::UpdateRequest* request,
                                   v1::Breaker* response) override;
  grpc::ServerUnaryReactor* SetMode(Context* context,
                                    const v1::SetModeRequest* request,
                                    v1::Breaker* response) override;
  grpc::ServerUnaryReactor* Reset(Context* context,
                                  const v1::ResetRequest* request,
                                  v1::Breaker* response) override;

  absl::Status Authorize(const Context& context, AdminAccess access) const;
  // Finds the breaker and does `change` to it, if that is allowed.
  absl::Status Change(const Context& context, const char* method,
                      const v1::BreakerKey& key,
                      absl::FunctionRef<absl::Status(CircuitBreaker&)> change,
                      v1::Breaker* response) const;

  const std::shared_ptr<BreakerRegistry> registry_;
  const BreakerAdminOptions options_;
  const std::shared_ptr<WatchHub> hub_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_ADMIN_BREAKER_ADMIN_SERVICE_H_
