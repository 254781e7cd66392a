#include "autobreaker/testing/scripted_server.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/testing/matchers.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using grpc::StatusCode;

constexpr char kGetPrice[] = "/autobreaker.shop.Shop/GetPrice";
constexpr char kPlaceOrder[] = "/autobreaker.shop.Shop/PlaceOrder";

// Far longer than anything takes that does not hang.
std::unique_ptr<grpc::ClientContext> Context(
    std::chrono::milliseconds deadline = std::chrono::seconds(30)) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + deadline);
  return context;
}

class ScriptedServerTest : public ::testing::Test {
 protected:
  StatusCode GetPrice(
      std::chrono::milliseconds deadline = std::chrono::seconds(30)) {
    return stub_->GetPrice(Context(deadline).get(), {}, &price_).error_code();
  }
  StatusCode PlaceOrder() {
    shop::OrderReply reply;
    return stub_->PlaceOrder(Context().get(), {}, &reply).error_code();
  }
  void AwaitHanging(int calls) {
    Watchdog watchdog("a call that does not arrive");
    while (server_->hanging() != calls) std::this_thread::yield();
  }

  std::optional<ScriptedServer> server_{std::in_place};
  std::unique_ptr<shop::Shop::Stub> stub_ =
      shop::Shop::NewStub(server_->UnguardedChannel());
  shop::PriceReply price_;
};

TEST_F(ScriptedServerTest, AnswersEveryMethodUnlessToldOtherwise) {
  EXPECT_EQ(GetPrice(), StatusCode::OK);
  EXPECT_EQ(PlaceOrder(), StatusCode::OK);
}

TEST_F(ScriptedServerTest, CountsCallsByMethod) {
  GetPrice();
  GetPrice();
  EXPECT_EQ(server_->calls(kGetPrice), 2);
  EXPECT_EQ(server_->calls(kPlaceOrder), 0);
}

TEST_F(ScriptedServerTest, AnswersWithTheMessageItIsGiven) {
  shop::PriceReply reply;
  reply.set_cents(1234);
  server_->Answer(kGetPrice, Reply::Ok(reply.SerializeAsString()));
  GetPrice();
  EXPECT_EQ(price_.cents(), 1234);
}

TEST_F(ScriptedServerTest, AnswersAMethodAsItWasTold) {
  server_->Answer(kGetPrice, Reply::Fail(StatusCode::UNAVAILABLE));
  EXPECT_EQ(GetPrice(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(GetPrice(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(PlaceOrder(), StatusCode::OK);
}

TEST_F(ScriptedServerTest, AnswersSoManyCallsOtherwise) {
  server_->AnswerNext(2, kGetPrice, Reply::Fail(StatusCode::UNAVAILABLE));
  server_->AnswerNext(1, kGetPrice, Reply::Fail(StatusCode::INTERNAL));
  EXPECT_EQ(GetPrice(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(GetPrice(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(GetPrice(), StatusCode::INTERNAL);
  EXPECT_EQ(GetPrice(), StatusCode::OK);
}

TEST_F(ScriptedServerTest, AnswersEveryCallWhateverWasSaidBefore) {
  server_->Answer(kGetPrice, Reply::Fail(StatusCode::UNAVAILABLE));
  server_->AnswerNext(1, kGetPrice, Reply::Fail(StatusCode::UNAVAILABLE));
  server_->AnswerAll(Reply::Fail(StatusCode::ABORTED));
  EXPECT_EQ(GetPrice(), StatusCode::ABORTED);
  EXPECT_EQ(PlaceOrder(), StatusCode::ABORTED);
}

TEST_F(ScriptedServerTest, HangsUntilTheClientGivesUp) {
  server_->Answer(kGetPrice, Reply::Hang());
  EXPECT_EQ(GetPrice(std::chrono::milliseconds(20)),
            StatusCode::DEADLINE_EXCEEDED);
  AwaitHanging(0);
}

TEST_F(ScriptedServerTest, ReleasesWhatHangs) {
  server_->Answer(kGetPrice, Reply::Hang());
  StatusCode code = StatusCode::UNKNOWN;
  std::thread caller([&] { code = GetPrice(); });
  AwaitHanging(1);
  server_->Release();
  caller.join();
  EXPECT_EQ(code, StatusCode::OK);
}

TEST_F(ScriptedServerTest, EndsWhatHangsWhenItEnds) {
  server_->Answer(kGetPrice, Reply::Hang());
  StatusCode code = StatusCode::OK;
  std::thread caller([&] { code = GetPrice(); });
  AwaitHanging(1);
  server_.reset();
  caller.join();
  EXPECT_NE(code, StatusCode::OK);
}

TEST_F(ScriptedServerTest, AnswersLaterIfItIsTold) {
  server_->Answer(kGetPrice, Reply::Ok().After(absl::Milliseconds(20)));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(GetPrice(), StatusCode::OK);
  EXPECT_GE(std::chrono::steady_clock::now() - start,
            std::chrono::milliseconds(20));
}

TEST_F(ScriptedServerTest, WaitsForNoAnswerThatTheClientDoesNotWaitFor) {
  server_->Answer(kGetPrice, Reply::Ok().After(absl::Hours(1)));
  EXPECT_EQ(GetPrice(std::chrono::milliseconds(20)),
            StatusCode::DEADLINE_EXCEEDED);
  server_.reset();  // it returns, or this test never ends
}

TEST_F(ScriptedServerTest, AnswersStreamsOfAllKinds) {
  const auto context = Context();
  shop::UploadReply reply;
  auto upload = stub_->UploadReceipts(context.get(), &reply);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(upload->Write({}));
  upload->WritesDone();
  EXPECT_TRUE(upload->Finish().ok());

  const auto chat_context = Context();
  auto chat = stub_->Chat(chat_context.get());
  EXPECT_TRUE(chat->Write({}));
  chat->WritesDone();
  shop::ChatMessage message;
  EXPECT_TRUE(chat->Read(&message));
  EXPECT_FALSE(chat->Read(&message));
  EXPECT_TRUE(chat->Finish().ok());
}

TEST_F(ScriptedServerTest, MayBeToldWhileItIsCalled) {
  RunThreads(3, [&](int t) {
    for (int i = 0; i < 200; ++i) {
      if (t > 0) {
        shop::PriceReply reply;
        stub_->GetPrice(Context(std::chrono::milliseconds(50)).get(), {},
                        &reply);
        continue;
      }
      server_->AnswerNext(1, kGetPrice, Reply::Hang());
      server_->Answer(kGetPrice, Reply::Fail(StatusCode::ABORTED));
      server_->AnswerAll(Reply::Ok().After(absl::Microseconds(100)));
      server_->Release();
    }
  });
}

TEST_F(ScriptedServerTest, BreakersGuardItsChannel) {
  const auto registry = BreakerRegistry::Create().value();
  stub_ = shop::Shop::NewStub(server_->GuardedChannel(registry));
  const auto breaker =
      registry->GetOrCreate({"scripted", "autobreaker.shop.Shop", "GetPrice"});
  breaker->SetMode(Mode::kForcedOpen);
  EXPECT_THAT(stub_->GetPrice(Context().get(), {}, &price_), IsRefusal());
  EXPECT_EQ(server_->calls(kGetPrice), 0);
}

}  // namespace
}  // namespace autobreaker
