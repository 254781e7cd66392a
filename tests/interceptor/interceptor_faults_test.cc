// Guarded calls when something is wrong: with the call, the answer, the server
// or the channel.

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/queue_steps.h"
#include "autobreaker/tests/interceptor/scripted_reactors.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "autobreaker/tests/interceptor/test_certificate.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using grpc::StatusCode;
using shop::ChatMessage;
using shop::PriceReply;
using shop::PriceRequest;
using ::testing::AnyOf;

std::chrono::system_clock::time_point In(int milliseconds) {
  return std::chrono::system_clock::now() +
         std::chrono::milliseconds(milliseconds);
}

bool IsRefusal(const grpc::Status& status) {
  return ParseRefusal(status).has_value();
}

// Opens at the first failure, for 5 s.
ShopOptions OneFailureOpens() {
  ShopOptions options;
  options.breaker.trip.consecutive_failures = 1;
  options.breaker.open.duration_jitter = 0;
  return options;
}

// ------------------------------------------------- Cancelled or late, refused

class RefusedCall : public ::testing::TestWithParam<ShopCall> {
 protected:
  void SetUp() override { shop_.ForceOpen(GetParam().method); }
  Observed Run(grpc::ClientContext* context) {
    return GetParam().run({shop_.channel, context});
  }

  const Watchdog watchdog_{GetParam().name};
  GuardedShop shop_;
};

TEST_P(RefusedCall, IsRefusedEvenIfCancelledBefore) {
  grpc::ClientContext context;
  context.TryCancel();
  EXPECT_TRUE(IsRefusal(Run(&context).status));
}

TEST_P(RefusedCall, StaysRefusedWhenCancelledAfter) {
  grpc::ClientContext context;
  const Observed observed = Run(&context);
  context.TryCancel();
  EXPECT_TRUE(IsRefusal(observed.status));
}

TEST_P(RefusedCall, IsRefusedEvenIfItsDeadlineHasPassed) {
  grpc::ClientContext context;
  context.set_deadline(In(-1000));
  EXPECT_TRUE(IsRefusal(Run(&context).status));
}

TEST_P(RefusedCall, IsRefusedAtOnceEvenIfItWouldWaitForTheServer) {
  shop_.server->Shutdown();
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  EXPECT_TRUE(IsRefusal(Run(&context).status));
}

TEST_P(RefusedCall, IsRefusedWheneverACancellationComes) {
  constexpr int kCalls = 200;
  for (int i = 0; i < kCalls; ++i) {
    grpc::ClientContext context;
    absl::Notification go;
    std::thread canceller([&] {
      go.WaitForNotification();
      context.TryCancel();
    });
    go.Notify();
    const Observed observed = Run(&context);
    canceller.join();
    EXPECT_TRUE(IsRefusal(observed.status)) << observed.status.error_message();
  }
  const RegisteredSnapshot s = shop_.SnapshotOf(GetParam().method);
  EXPECT_EQ(s.refused[static_cast<int>(RefusalReason::kForcedOpen)],
            static_cast<uint64_t>(kCalls));
  EXPECT_EQ(s.requests, 0u);
  EXPECT_EQ(shop_.service.calls(), 0);
}

INSTANTIATE_TEST_SUITE_P(, RefusedCall, ::testing::ValuesIn(PlainShopCalls()),
                         [](const ::testing::TestParamInfo<ShopCall>& info) {
                           return info.param.name;
                         });

// ---------------------------------------------------------- No server at all

TEST(NoServer, ConnectionRefusedIsAFailure) {
  GuardedShop shop;
  shop.server->Shutdown();
  EXPECT_EQ(shop.GetPrice().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

TEST(NoServer, WaitingForItPastTheDeadlineIsAFailure) {
  GuardedShop shop;
  shop.server->Shutdown();
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(In(2000));
  PriceReply reply;
  EXPECT_EQ(shop.stub->GetPrice(&context, {}, &reply).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

TEST(NoServer, LameChannelIsGuardedLikeAnyOther) {
  ShopOptions options;
  options.channel_credentials = nullptr;  // gives a lame channel
  GuardedShop shop(std::move(options));

  const grpc::Status status = shop.GetPrice();
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").successes, 1u);
  ExpectSettled(shop.SnapshotOf("GetPrice"));

  shop.ForceOpen("GetPrice");
  EXPECT_TRUE(IsRefusal(shop.GetPrice()));
}

// How the next call fares says how the server is.
TEST(NoServer, KilledMidStreamIsNeutral) {
  GuardedShop shop;
  const Watchdog watchdog("KilledMidStreamIsNeutral");
  const auto context = GuardedShop::Context();
  const auto stream = shop.stub->Chat(context.get());
  ChatMessage message;
  stream->Write(message);
  ASSERT_TRUE(stream->Read(&message));

  shop.server->Shutdown(std::chrono::system_clock::now());
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);

  EXPECT_EQ(shop.SnapshotOf("Chat").ignored, 1u);
  ExpectSettled(shop.SnapshotOf("Chat"));
}

TEST(Dropped, ChannelAndStubInFlightLeaveTheCallGuarded) {
  GuardedShop shop;
  shop.service.SetHanging(true);
  const auto context = GuardedShop::Context();
  PriceRequest request;
  PriceReply reply;
  grpc::Status status;
  absl::Notification done;
  shop.stub->async()->GetPrice(context.get(), &request, &reply,
                               [&](const grpc::Status& s) {
                                 status = s;
                                 done.Notify();
                               });
  shop.stub.reset();
  // And with it the factory and its table.
  shop.channel.reset();
  EXPECT_EQ(shop.SnapshotOf("GetPrice").in_flight, 1u);

  shop.service.SetHanging(false);
  done.WaitForNotification();

  EXPECT_TRUE(status.ok());
  EXPECT_EQ(shop.SnapshotOf("GetPrice").successes, 1u);
}

TEST(Dropped, RegistryLivesAsLongAsTheChannel) {
  GuardedShop shop;
  const std::weak_ptr<BreakerRegistry> registry = shop.registry;
  shop.registry.reset();
  EXPECT_TRUE(shop.GetPrice().ok());
  EXPECT_FALSE(registry.expired());
  shop.stub.reset();
  shop.channel.reset();
  EXPECT_TRUE(registry.expired());
}

// ------------------------------------------------------------------- Retries

ShopOptions WithRetries() {
  ShopOptions options;
  options.arguments.SetServiceConfigJSON(R"({
    "methodConfig": [{
      "name": [{"service": "autobreaker.shop.Shop"}],
      "retryPolicy": {
        "maxAttempts": 3, "initialBackoff": "0.01s", "maxBackoff": "0.01s",
        "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]
      }
    }]
  })");
  return options;
}

TEST(Retries, ThatSucceedInTheEndAreOneSuccess) {
  GuardedShop shop(WithRetries());
  shop.service.AnswerOnceWith(Unavailable());
  shop.service.AnswerOnceWith(Unavailable());

  EXPECT_TRUE(shop.GetPrice().ok());

  EXPECT_EQ(shop.service.calls(), 3);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").successes, 1u);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").requests, 1u);
}

TEST(Retries, ThatAllFailAreOneFailure) {
  GuardedShop shop(WithRetries());
  shop.service.AnswerWith(Unavailable());

  EXPECT_FALSE(shop.GetPrice().ok());

  EXPECT_EQ(shop.service.calls(), 3);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").requests, 1u);
}

TEST(Retries, AreNotMadeOfARefusal) {
  GuardedShop shop(WithRetries());
  shop.ForceOpen("GetPrice");

  EXPECT_TRUE(IsRefusal(shop.GetPrice()));

  EXPECT_EQ(shop.SnapshotOf("GetPrice")
                .refused[static_cast<int>(RefusalReason::kForcedOpen)],
            1u);
}

// gRPC for C++ has no hedging.
TEST(Hedging, IsNotDone) {
  ShopOptions options;
  options.arguments.SetServiceConfigJSON(R"({
    "methodConfig": [{
      "name": [{"service": "autobreaker.shop.Shop"}],
      "hedgingPolicy": {
        "maxAttempts": 3, "hedgingDelay": "0s",
        "nonFatalStatusCodes": ["UNAVAILABLE"]
      }
    }]
  })");
  GuardedShop shop(std::move(options));
  shop.service.AnswerWith(Unavailable());

  EXPECT_FALSE(shop.GetPrice().ok());

  EXPECT_EQ(shop.service.calls(), 1);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

// ------------------------------------------------------------------ Pushback

// For how long a failure with that pushback opens the breaker.
absl::Duration OpenTimeAfter(const std::string& pushback,
                             const ShopCall& call) {
  GuardedShop shop(OneFailureOpens());
  shop.service.AnswerWith(Unavailable());
  shop.service.SetTrailingMetadata({{"grpc-retry-pushback-ms", pushback}});
  grpc::ClientContext context;
  call.run({shop.channel, &context});
  return shop.SnapshotOf(call.method).open_remaining;
}

TEST(Pushback, OfTheServerIsHeardInEveryKindOfCall) {
  for (const ShopCall& call : PlainShopCalls()) {
    EXPECT_EQ(OpenTimeAfter("20000", call), absl::Seconds(20)) << call;
  }
}

TEST(Pushback, OfTheServerIsCapped) {
  EXPECT_EQ(OpenTimeAfter("9223372036854775807", PlainShopCalls().front()),
            absl::Seconds(60));
}

TEST(Pushback, ThatIsNoTimeIsNotHeard) {
  for (const char* const pushback :
       {"-1", "", "soon", "1e9", "99999999999999999999", "0"}) {
    EXPECT_EQ(OpenTimeAfter(pushback, PlainShopCalls().front()),
              absl::Seconds(5))
        << pushback;
  }
}

TEST(Pushback, OfASuccessIsNotHeard) {
  GuardedShop shop(OneFailureOpens());
  shop.service.SetTrailingMetadata({{"grpc-retry-pushback-ms", "20000"}});
  EXPECT_TRUE(shop.GetPrice().ok());
  EXPECT_EQ(shop.SnapshotOf("GetPrice").state, State::kClosed);
}

// ------------------------------------------------------------- Broken answers

// Answers every call with OK and bytes that are no message.
class JunkService final : public grpc::CallbackGenericService {
 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    Reactor() { StartRead(&request_); }

   private:
    void OnReadDone(bool) override {
      const grpc::Slice junk("\xff\xff\xff");
      reply_ = grpc::ByteBuffer(&junk, 1);
      StartWriteAndFinish(&reply_, grpc::WriteOptions(), grpc::Status::OK);
    }
    void OnDone() override { delete this; }

    grpc::ByteBuffer request_;
    grpc::ByteBuffer reply_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext*) override {
    return new Reactor;
  }
};

class Junk : public ::testing::Test {
 protected:
  Junk() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    registry_ = BreakerRegistry::Create().value();
    InterceptorFactories factories;
    factories.push_back(MakeCircuitBreakerInterceptorFactory(
        registry_, InterceptorOptions::WithName("default")));
    stub_ = shop::Shop::NewStub(
        grpc::experimental::CreateCustomChannelWithInterceptors(
            absl::StrCat("127.0.0.1:", port),
            grpc::InsecureChannelCredentials(), grpc::ChannelArguments(),
            std::move(factories)));
  }

  RegisteredSnapshot Snapshot(const std::string& method) {
    return registry_->GetOrCreate({"default", "autobreaker.shop.Shop", method})
        ->Snapshot();
  }

  const Watchdog watchdog_{"Junk"};
  JunkService service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<BreakerRegistry> registry_;
  std::unique_ptr<shop::Shop::Stub> stub_;
};

TEST_F(Junk, InAUnarySyncCallIsAFailure) {
  grpc::ClientContext context;
  PriceReply reply;
  EXPECT_EQ(stub_->GetPrice(&context, {}, &reply).error_code(),
            StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(Snapshot("GetPrice").failures, 1u);
}

TEST_F(Junk, InAUnaryQueueCallIsAFailure) {
  CallNotes notes;
  QueueSteps steps(&notes);
  grpc::ClientContext context;
  PriceReply reply;
  grpc::Status status;
  const auto call = stub_->AsyncGetPrice(&context, {}, steps.queue());
  call->Finish(&reply, &status, steps.Tag(Step::kFinish));
  EXPECT_FALSE(steps.Await(Step::kFinish));
  EXPECT_EQ(Snapshot("GetPrice").failures, 1u);
}

// The callback API tells the application that such a call went well.
TEST_F(Junk, InAUnaryFunctionCallIsAFailure) {
  grpc::ClientContext context;
  const PriceRequest request;
  PriceReply reply;
  grpc::Status status;
  absl::Notification done;
  stub_->async()->GetPrice(&context, &request, &reply,
                           [&](const grpc::Status& s) {
                             status = s;
                             done.Notify();
                           });
  done.WaitForNotification();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(Snapshot("GetPrice").failures, 1u);
}

// A limit of gRPC (1.51): for reactors, and for client streams in every API,
// its CallOpGenericRecvMessage says that the message came even if it could not
// be parsed. Neither the application nor an interceptor is told.
TEST_F(Junk, InAUnaryReactorCallLooksLikeASuccessToTheApplicationToo) {
  grpc::ClientContext context;
  const PriceRequest request;
  PriceReply reply;
  ScriptedUnaryReactor reactor;
  const Observed observed =
      reactor.Run({nullptr, &context}, kPlain, [&](auto* self) {
        stub_->async()->GetPrice(&context, &request, &reply, self);
      });
  EXPECT_TRUE(observed.status.ok());
  EXPECT_EQ(Snapshot("GetPrice").successes, 1u);
  ExpectSettled(Snapshot("GetPrice"));
}

TEST_F(Junk, InAClientStreamLooksLikeASuccessToTheApplicationToo) {
  grpc::ClientContext context;
  shop::UploadReply reply;
  ScriptedWriteReactor<shop::Receipt> reactor;
  const Observed observed =
      reactor.Run({nullptr, &context}, kPlain, [&](auto* self) {
        stub_->async()->UploadReceipts(&context, &reply, self);
      });
  EXPECT_TRUE(observed.status.ok());
  EXPECT_EQ(Snapshot("UploadReceipts").successes, 1u);
  ExpectSettled(Snapshot("UploadReceipts"));
}

// The server answered, and the client would not have it.
TEST(BrokenAnswer, OverTheReceiveLimitIsNeutral) {
  ShopOptions options;
  options.arguments.SetMaxReceiveMessageSize(10);
  GuardedShop shop(std::move(options));
  const auto context = GuardedShop::Context();
  const auto stream = shop.stub->Chat(context.get());
  ChatMessage message;
  message.set_text(std::string(100, 'x'));
  stream->Write(message);
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_THAT(stream->Finish().error_code(),
              AnyOf(StatusCode::RESOURCE_EXHAUSTED,
                    StatusCode::CANCELLED));  // gRPC 1.51, and 1.83
  EXPECT_EQ(shop.SnapshotOf("Chat").ignored, 1u);
}

// ----------------------------------------------------------------------- TLS

ShopOptions WithTls(const char* expected_host = kTestHostName) {
  ShopOptions options;
  grpc::SslServerCredentialsOptions server;
  server.pem_key_cert_pairs.push_back({kTestKey, kTestCertificate});
  options.server_credentials = grpc::SslServerCredentials(server);
  grpc::SslCredentialsOptions channel;
  channel.pem_root_certs = kTestCertificate;
  options.channel_credentials = grpc::SslCredentials(channel);
  options.arguments.SetSslTargetNameOverride(expected_host);
  return options;
}

TEST(Tls, EveryKindOfCallPassesAndIsRefused) {
  GuardedShop shop(WithTls());
  for (const ShopCall& call : PlainShopCalls()) {
    grpc::ClientContext context;
    const Observed observed = call.run({shop.channel, &context});
    EXPECT_TRUE(observed.status.ok()) << observed.status.error_message();
    EXPECT_EQ(observed.steps, call.steps_of_success) << call;
  }
  for (const ShopCall& call : PlainShopCalls()) {
    shop.ForceOpen(call.method);
    grpc::ClientContext context;
    const Observed observed = call.run({shop.channel, &context});
    EXPECT_TRUE(IsRefusal(observed.status)) << call;
    EXPECT_EQ(observed.steps, call.steps_of_refusal) << call;
  }
}

TEST(Tls, ServerThatIsNotTrustedIsAFailure) {
  GuardedShop shop(WithTls("another.test"));
  EXPECT_EQ(shop.GetPrice().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

}  // namespace
}  // namespace autobreaker

// OpenSSL keeps 904 bytes of errors for each thread. At exit it forgets where
// they are, so a thread of gRPC that ends after that cannot free its own: once
// in some 400 runs the leak sanitizer finds them. None of our code calls
// OpenSSL.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libcrypto.so";
}
