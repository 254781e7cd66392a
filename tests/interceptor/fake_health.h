// A server with nothing but a standard health service, to be told what to say.
#ifndef AUTOBREAKER_TESTS_INTERCEPTOR_FAKE_HEALTH_H_
#define AUTOBREAKER_TESTS_INTERCEPTOR_FAKE_HEALTH_H_

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "autobreaker/examples/health/health.grpc.pb.h"

namespace autobreaker {

class FakeHealth final : public grpc::health::v1::Health::Service {
 public:
  using Response = grpc::health::v1::HealthCheckResponse;

  FakeHealth() { Start(); }
  ~FakeHealth() override {
    SetHanging(false);
    Stop();
  }

  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }

  void Say(Response::ServingStatus serving_status) {
    absl::MutexLock lock(&mu_);
    status_ = grpc::Status::OK;
    serving_status_ = serving_status;
  }
  void Fail(grpc::StatusCode code) {
    absl::MutexLock lock(&mu_);
    status_ = grpc::Status(code, "not well");
  }
  // While hanging, no check is answered.
  void SetHanging(bool hanging) {
    absl::MutexLock lock(&mu_);
    hanging_ = hanging;
  }

  int checks() const {
    absl::MutexLock lock(&mu_);
    return checks_;
  }
  // Whose health the last check asked for.
  std::string service() const {
    absl::MutexLock lock(&mu_);
    return service_;
  }

  // Tries to connect again soon after the server was stopped.
  std::shared_ptr<grpc::Channel> channel() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 10);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 10);
    return grpc::CreateCustomChannel(
        address_, grpc::InsecureChannelCredentials(), arguments);
  }

 private:
  grpc::Status Check(grpc::ServerContext*,
                     const grpc::health::v1::HealthCheckRequest* request,
                     Response* response) override {
    absl::MutexLock lock(&mu_);
    ++checks_;
    service_ = request->service();
    mu_.Await(absl::Condition(
        +[](bool* hanging) { return !*hanging; }, &hanging_));
    response->set_status(serving_status_);
    return status_;
  }

  // Not a port, which another program could take while the server is stopped.
  const std::string address_ =
      absl::StrCat("unix-abstract:autobreaker-test-",
                   absl::Uniform<uint64_t>(absl::BitGen()));
  std::unique_ptr<grpc::Server> server_;
  mutable absl::Mutex mu_;
  int checks_ ABSL_GUARDED_BY(mu_) = 0;
  std::string service_ ABSL_GUARDED_BY(mu_);
  bool hanging_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
  Response::ServingStatus serving_status_ ABSL_GUARDED_BY(mu_) =
      Response::SERVING;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_INTERCEPTOR_FAKE_HEALTH_H_
