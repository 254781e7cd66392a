// A real gRPC server in the process of a test, which answers calls of any
// method as the test says, and channels to it that breakers guard.
//
//   ScriptedServer server;
//   server.Answer("/shop.Orders/Place",
//                 Reply::Fail(grpc::StatusCode::UNAVAILABLE));
//   OrderClient client(server.GuardedChannel(registry));
//   ...
//   EXPECT_EQ(server.calls("/shop.Orders/Place"), 20);
//
// It needs no generated service: what it sends is the bytes of a message.
//
// Thread-safety: every method may be called from any thread at once. The
// destructor cancels the calls that it has not answered.
#ifndef AUTOBREAKER_TESTING_SCRIPTED_SERVER_H_
#define AUTOBREAKER_TESTING_SCRIPTED_SERVER_H_

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/interceptor/circuit_breaker_interceptor.h"

namespace autobreaker {

// How a call is answered: a message, if there is one, and the status.
struct Reply {
  // A serialized message; an empty one has every field's default. It is sent
  // when the client has sent all that it will.
  static Reply Ok(std::string message = "") {
    return {grpc::Status::OK, std::move(message), {}, false};
  }
  // Sent at once, with no message before it. REQUIRES: code is not OK.
  static Reply Fail(grpc::StatusCode code, const std::string& text = "") {
    return {grpc::Status(code, text), std::nullopt, {}, false};
  }
  // Waits until the client gives up, or for ScriptedServer::Release(), and is
  // Ok() from then on.
  static Reply Hang() { return {grpc::Status::OK, "", {}, true}; }

  // The same, so much later: in real time, whatever clock the breakers have.
  Reply After(absl::Duration time) const {
    Reply reply = *this;
    reply.delay = time;
    return reply;
  }

  grpc::Status status;                 // at the end
  std::optional<std::string> message;  // before it, serialized
  absl::Duration delay;                // before both
  bool hangs = false;                  // see Hang()
};

class ScriptedServer {
 public:
  // Answers every call with Reply::Ok().
  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  // A channel to it, for as long as it lives.
  std::shared_ptr<grpc::Channel> GuardedChannel(
      std::shared_ptr<BreakerRegistry> registry,
      InterceptorOptions options = InterceptorOptions::WithName("scripted"),
      const grpc::ChannelArguments& arguments = {});
  // What the same program has without breakers.
  std::shared_ptr<grpc::Channel> UnguardedChannel(
      const grpc::ChannelArguments& arguments = {});

  // From now on, how it answers every call, whatever was said before.
  void AnswerAll(Reply reply);
  // The same for calls of `method`, such as "/shop.Orders/Place".
  void Answer(const std::string& method, Reply reply);
  // The same for so many calls of `method`, after which what was said before
  // holds again. Said twice, the second comes after the first.
  void AnswerNext(int count, const std::string& method, const Reply& reply);

  // Calls of `method` that have arrived.
  int calls(const std::string& method) const;

  // Calls that hang.
  int hanging() const;
  // Answers them with Reply::Ok(). Later ones hang until the next time.
  void Release();

 private:
  class Service;
  const std::unique_ptr<Service> service_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTING_SCRIPTED_SERVER_H_
