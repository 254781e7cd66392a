#include "autobreaker/testing/scripted_server.h"

#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_interceptor.h>
#include <grpcpp/support/slice.h>

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/time/clock.h"

namespace autobreaker {
namespace {

// One call that is being answered. Lives until gRPC is done with it, and
// whoever else has it.
class Call final : public grpc::ServerGenericBidiReactor {
 public:
  static std::shared_ptr<Call> Make(Reply reply) {
    std::shared_ptr<Call> call(new Call(std::move(reply)));
    call->self_ = call;
    return call;
  }

  bool hangs() const { return reply_.hangs; }

  void Begin() {
    if (!reply_.hangs) GoOn();
  }

  void GoOn() {
    if (reply_.status.ok()) return Read();
    AnswerInTime();
  }

  void OnReadDone(bool ok) override {
    if (ok) return Read();
    AnswerInTime();
  }

  void OnCancel() override {
    FinishOnce([this] { Finish(grpc::Status::CANCELLED); });
    const std::lock_guard<std::mutex> lock(mu_);
    if (alarm_ != nullptr) alarm_->Cancel();
  }

  void OnDone() override {
    std::shared_ptr<Call> self;  // outlives the lock
    const std::lock_guard<std::mutex> lock(mu_);
    is_over_ = true;
    self = std::move(self_);
  }

  bool is_over() {
    const std::lock_guard<std::mutex> lock(mu_);
    return is_over_;
  }

 private:
  explicit Call(Reply reply) : reply_(std::move(reply)) {}

  void Read() {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!finished_) StartRead(&received_);
  }

  void Answer() {
    FinishOnce([this] {
      if (!reply_.message.has_value()) return Finish(reply_.status);
      const grpc::Slice slice(*reply_.message);
      sent_ = grpc::ByteBuffer(&slice, 1);
      StartWriteAndFinish(&sent_, grpc::WriteOptions(), reply_.status);
    });
  }

  void AnswerInTime() {
    if (reply_.delay <= absl::ZeroDuration()) return Answer();
    const std::lock_guard<std::mutex> lock(mu_);
    if (finished_) return;
    alarm_ = std::make_unique<grpc::Alarm>();
    alarm_->Set(absl::ToChronoTime(absl::Now() + reply_.delay),
                [self = self_](bool went_off) {
                  if (went_off) self->Answer();
                  // It has this function, and so `self`.
                  const std::lock_guard<std::mutex> lock(self->mu_);
                  self->alarm_.reset();
                });
  }

  // Runs `way` unless the call was finished already. No read begins after it.
  template <typename Way>
  void FinishOnce(Way way) {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      if (std::exchange(finished_, true)) return;
    }
    way();
  }

  Reply reply_;
  grpc::ByteBuffer received_;
  grpc::ByteBuffer sent_;
  std::shared_ptr<Call> self_;  // until gRPC is done

  std::mutex mu_;
  std::unique_ptr<grpc::Alarm> alarm_;
  bool finished_ = false;
  bool is_over_ = false;
};

}  // namespace

class ScriptedServer::Service final : public grpc::CallbackGenericService {
 public:
  Service() {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
  }
  // Cancels what is not answered, and waits for its end.
  ~Service() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    std::shared_ptr<Call> call;
    {
      const std::lock_guard<std::mutex> lock(mu);
      ++calls[context->method()];
      call = Call::Make(NextReplyLocked(context->method()));
      if (call->hangs()) hanging.push_back(call);
    }
    call->Begin();
    return call.get();
  }

  grpc::Server& server() { return *server_; }

  // Of those that hang, the ones that nobody gave up.
  std::vector<std::shared_ptr<Call>> HangingLocked() const {
    std::vector<std::shared_ptr<Call>> left;
    for (const auto& call : hanging) {
      if (!call->is_over()) left.push_back(call);
    }
    return left;
  }

  std::mutex mu;
  Reply of_all = Reply::Ok();
  std::map<std::string, Reply> of_method;
  std::map<std::string, std::deque<Reply>> of_next;
  std::map<std::string, int> calls;
  std::vector<std::shared_ptr<Call>> hanging;

 private:
  Reply NextReplyLocked(const std::string& method) {
    std::deque<Reply>& next = of_next[method];
    if (!next.empty()) {
      Reply reply = std::move(next.front());
      next.pop_front();
      return reply;
    }
    const auto found = of_method.find(method);
    return found != of_method.end() ? found->second : of_all;
  }

  std::unique_ptr<grpc::Server> server_;
};

ScriptedServer::ScriptedServer() : service_(std::make_unique<Service>()) {}

ScriptedServer::~ScriptedServer() = default;

std::shared_ptr<grpc::Channel> ScriptedServer::GuardedChannel(
    std::shared_ptr<BreakerRegistry> registry, InterceptorOptions options,
    const grpc::ChannelArguments& arguments) {
  std::vector<
      std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>
      factories;
  factories.push_back(MakeCircuitBreakerInterceptorFactory(std::move(registry),
                                                           std::move(options)));
  return service_->server().experimental().InProcessChannelWithInterceptors(
      arguments, std::move(factories));
}

std::shared_ptr<grpc::Channel> ScriptedServer::UnguardedChannel(
    const grpc::ChannelArguments& arguments) {
  return service_->server().InProcessChannel(arguments);
}

void ScriptedServer::Answer(const std::string& method, Reply reply) {
  const std::lock_guard<std::mutex> lock(service_->mu);
  service_->of_method.insert_or_assign(method, std::move(reply));
}

void ScriptedServer::AnswerAll(Reply reply) {
  const std::lock_guard<std::mutex> lock(service_->mu);
  service_->of_method.clear();
  service_->of_next.clear();
  service_->of_all = std::move(reply);
}

void ScriptedServer::AnswerNext(int count, const std::string& method,
                                const Reply& reply) {
  const std::lock_guard<std::mutex> lock(service_->mu);
  std::deque<Reply>& next = service_->of_next[method];
  for (int i = 0; i < count; ++i) next.push_back(reply);
}

int ScriptedServer::calls(const std::string& method) const {
  const std::lock_guard<std::mutex> lock(service_->mu);
  const auto found = service_->calls.find(method);
  return found != service_->calls.end() ? found->second : 0;
}

int ScriptedServer::hanging() const {
  const std::lock_guard<std::mutex> lock(service_->mu);
  service_->hanging = service_->HangingLocked();
  return static_cast<int>(service_->hanging.size());
}

void ScriptedServer::Release() {
  std::vector<std::shared_ptr<Call>> calls;
  {
    const std::lock_guard<std::mutex> lock(service_->mu);
    calls = std::exchange(service_->hanging, {});
  }
  for (const auto& call : calls) call->GoOn();
}

}  // namespace autobreaker
