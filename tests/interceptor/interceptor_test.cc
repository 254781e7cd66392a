// Every kind of call through a guarded channel, against a real server.

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "autobreaker/breaker/transition_listener.h"
#include "autobreaker/interceptor/circuit_breaker_interceptor.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

class EveryCall : public ::testing::TestWithParam<ShopCall> {
 protected:
  const ShopCall& call() const { return GetParam(); }

  // Makes the call; when this returns, its context is gone.
  Observed Run() {
    const auto context = GuardedShop::Context();
    return call().run({shop_.channel, context.get()});
  }
  RegisteredSnapshot Snapshot() { return shop_.SnapshotOf(call().method); }

  GuardedShop shop_;
};

TEST_P(EveryCall, PassesUnchangedWhileClosed) {
  const Observed observed = Run();

  EXPECT_TRUE(observed.status.ok()) << observed.status.error_message();
  EXPECT_EQ(observed.steps, call().steps_of_success);
  EXPECT_EQ(observed.trailing_metadata.count(kRefusalMetadataKey), 0u);
  EXPECT_EQ(shop_.service.calls(), 1);
}

TEST_P(EveryCall, IsCountedAsSuccessWhenTheServerAnswers) {
  Run();

  EXPECT_EQ(Snapshot().successes, 1u);
  ExpectSettled(Snapshot());
}

TEST_P(EveryCall, IsCountedAsFailureByTheStatusItEndsWith) {
  shop_.service.AnswerWith(Broken());

  const Observed observed = Run();

  EXPECT_EQ(observed.status.error_message(), "the shop burned down");
  EXPECT_EQ(Snapshot().failures, 1u);
  ExpectSettled(Snapshot());
}

TEST_P(EveryCall, OpensTheBreakerWhenItKeepsFailing) {
  shop_.service.AnswerWith(Broken());

  for (int i = 0; i < 20; ++i) Run();

  EXPECT_EQ(Snapshot().state, State::kOpen);
}

// As a callback that writes to a log on a full disk.
class Hangs final : public TransitionListener {
 public:
  void OnTransition(const Transition&) noexcept override {
    go_on.get_future().wait();
  }
  std::promise<void> go_on;
};

TEST_P(EveryCall, WaitsForNobodyWhoHearsThatTheBreakerOpens) {
  const auto hangs = std::make_shared<Hangs>();
  shop_.registry->AddListener(hangs);
  shop_.service.AnswerWith(Broken());

  for (int i = 0; i < 20; ++i) Run();  // they return, or this test never ends

  EXPECT_EQ(Snapshot().state, State::kOpen);
  EXPECT_FALSE(shop_.registry->HasToldAll());
  hangs->go_on.set_value();
}

TEST_P(EveryCall, IsRefusedWhileOpenAndNeverReachesTheServer) {
  shop_.BreakerOf(call().method)->SetMode(Mode::kForcedOpen);

  const Observed observed = Run();

  const std::optional<RefusalInfo> refusal = ParseRefusal(observed.status);
  ASSERT_TRUE(refusal.has_value()) << observed.status.error_message();
  EXPECT_EQ(refusal->key, shop_.BreakerOf(call().method)->key());
  EXPECT_EQ(refusal->reason, RefusalReason::kForcedOpen);
  EXPECT_EQ(observed.steps, call().steps_of_refusal);
  EXPECT_EQ(shop_.service.calls(), 0);
  EXPECT_EQ(shop_.channel->GetState(/*try_to_connect=*/false),
            GRPC_CHANNEL_IDLE);
}

TEST_P(EveryCall, IsMarkedInTheTrailingMetadataWhenRefused) {
  shop_.BreakerOf(call().method)->SetMode(Mode::kForcedOpen);

  const Observed observed = Run();

  const auto& trailing = observed.trailing_metadata;
  ASSERT_EQ(trailing.count(kRefusalMetadataKey), 1u);
  EXPECT_EQ(trailing.find(kRefusalMetadataKey)->second, "forced_open");
  ASSERT_EQ(trailing.count("grpc-status-details-bin"), 1u);
  EXPECT_EQ(trailing.find("grpc-status-details-bin")->second,
            observed.status.error_details());
}

TEST_P(EveryCall, IsCountedAsRefusedOnceAndAsNothingElse) {
  shop_.BreakerOf(call().method)->SetMode(Mode::kForcedOpen);

  for (int i = 0; i < 3; ++i) Run();

  const RegisteredSnapshot s = Snapshot();
  EXPECT_EQ(s.refused[static_cast<int>(RefusalReason::kForcedOpen)], 3u);
  EXPECT_EQ(s.requests, 0u);
  ExpectSettled(s);
}

TEST_P(EveryCall, ProbesWhenTheOpenTimeIsOverAndClosesTheBreaker) {
  shop_.service.AnswerWith(Broken());
  for (int i = 0; i < 20; ++i) Run();
  shop_.service.AnswerWith(grpc::Status::OK);
  shop_.clock.Advance(absl::Seconds(5));

  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(Snapshot().state, State::kHalfOpen);
    EXPECT_TRUE(Run().status.ok());
  }

  EXPECT_EQ(Snapshot().state, State::kClosed);
}

TEST_P(EveryCall, IsRefusedWhileAllProbesAreUnderWay) {
  const auto breaker = shop_.BreakerOf(call().method);
  breaker->SetMode(Mode::kForcedOpen);
  breaker->SetMode(Mode::kAutomatic);
  std::vector<Permit> probes;
  for (int i = 0; i < 3; ++i) probes.push_back(breaker->TryAcquire());

  const Observed observed = Run();

  const std::optional<RefusalInfo> refusal = ParseRefusal(observed.status);
  ASSERT_TRUE(refusal.has_value()) << observed.status.error_message();
  EXPECT_EQ(refusal->reason, RefusalReason::kHalfOpen);
  EXPECT_EQ(observed.steps, call().steps_of_refusal);
  EXPECT_EQ(shop_.service.calls(), 0);
}

TEST_P(EveryCall, IsRefusedWhileAsManyAreUnderWayAsMayBe) {
  const auto breaker = shop_.BreakerOf(call().method);
  BreakerOptions options = breaker->options();
  options.max_calls_in_flight = 1;
  ASSERT_TRUE(breaker->UpdateOptions(options).ok());
  Permit other = breaker->TryAcquire();

  const Observed observed = Run();

  const std::optional<RefusalInfo> refusal = ParseRefusal(observed.status);
  ASSERT_TRUE(refusal.has_value()) << observed.status.error_message();
  EXPECT_EQ(refusal->reason, RefusalReason::kTooManyCalls);
  EXPECT_EQ(refusal->retry_after, std::nullopt);
  EXPECT_EQ(observed.steps, call().steps_of_refusal);
  EXPECT_EQ(shop_.service.calls(), 0);
  other.Record(Outcome::kSuccess);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Run().status.ok()) << "one by one";
  ExpectSettled(Snapshot());
}

TEST_P(EveryCall, IsAFailureWhenItHangsPastItsDeadlineUnlessItDelivered) {
  const bool delivers =
      call().method == "WatchStock" || call().method == "Chat";
  // A busy machine may need longer than this to bring a call to the server: a
  // deadline is of use when the call got so far.
  std::chrono::milliseconds deadline(50);
  for (bool got_far = false; !got_far; deadline *= 2) {
    ASSERT_LE(deadline, std::chrono::seconds(15));
    GuardedShop shop;
    shop.service.SetHanging(true);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);

    const Observed observed = call().run({shop.channel, &context});

    EXPECT_EQ(observed.status.error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED);
    got_far = delivers ? absl::StrContains(observed.steps, "read 1")
                       : shop.service.calls() == 1;
    if (!got_far) continue;
    EXPECT_EQ(shop.SnapshotOf(call().method).failures, delivers ? 0u : 1u);
    EXPECT_EQ(shop.SnapshotOf(call().method).successes, delivers ? 1u : 0u);
  }
}

TEST_P(EveryCall, IsIgnoredWhenItsDeadlineHadPassedBeforeItWasSent) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() -
                       std::chrono::seconds(1));

  const Observed observed = call().run({shop_.channel, &context});

  EXPECT_EQ(observed.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(Snapshot().ignored, 1u);
  EXPECT_EQ(Snapshot().failures, 0u);
}

TEST_P(EveryCall, IsIgnoredWhenItWasCancelledBeforeItWasSent) {
  grpc::ClientContext context;
  context.TryCancel();

  const Observed observed = call().run({shop_.channel, &context});

  EXPECT_EQ(observed.status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(Snapshot().ignored, 1u);
  ExpectSettled(Snapshot());
}

TEST_P(EveryCall, CancelledBeforeItWasSentIsIgnoredHoweverItIsClassified) {
  InterceptorOptions options = InterceptorOptions::WithName("shop");
  options.classification.failures = {grpc::StatusCode::CANCELLED};
  GuardedShop shop(RateOptions(), options);
  grpc::ClientContext context;
  context.TryCancel();

  call().run({shop.channel, &context});

  EXPECT_EQ(shop.SnapshotOf(call().method).ignored, 1u);
}

INSTANTIATE_TEST_SUITE_P(Shop, EveryCall, ::testing::ValuesIn(PlainShopCalls()),
                         [](const ::testing::TestParamInfo<ShopCall>& info) {
                           return info.param.name;
                         });

// ------------------------------------------------------------------- Streams

TEST(Stream, ThatFailsMidWayIsAFailure) {
  GuardedShop shop;
  shop.service.AnswerWith(Broken());
  const auto context = GuardedShop::Context();
  shop::StockRequest request;
  request.set_levels(2);
  const auto reader = shop.stub->WatchStock(context.get(), request);
  shop::StockLevel level;
  ASSERT_TRUE(reader->Read(&level));
  EXPECT_EQ(shop.SnapshotOf("WatchStock").in_flight, 1u);
  while (reader->Read(&level)) {
  }
  reader->Finish();

  EXPECT_EQ(shop.SnapshotOf("WatchStock").failures, 1u);
}

TEST(Stream, DroppedWithoutFinishIsAbandonedWhenItsContextGoes) {
  GuardedShop shop;
  {
    const auto context = GuardedShop::Context();
    const auto stream = shop.stub->Chat(context.get());
    stream->Write(shop::ChatMessage());
    EXPECT_EQ(shop.SnapshotOf("Chat").in_flight, 1u);
    context->TryCancel();
  }

  EXPECT_EQ(shop.SnapshotOf("Chat").abandoned, 1u);
  ExpectSettled(shop.SnapshotOf("Chat"));
}

TEST(Stream, CancelledProbeLeavesTheBreakerHalfOpenAndItsPlaceFree) {
  BreakerOptions options = RateOptions();
  options.half_open.max_calls = 1;
  GuardedShop shop(options);
  shop.service.SetHanging(true);
  shop.BreakerOf("Chat")->SetMode(Mode::kForcedOpen);
  shop.BreakerOf("Chat")->SetMode(Mode::kAutomatic);
  const auto context = GuardedShop::Context();
  const auto stream = shop.stub->Chat(context.get());
  ASSERT_EQ(shop.SnapshotOf("Chat").probes_in_flight, 1);

  context->TryCancel();
  stream->Finish();

  EXPECT_EQ(shop.SnapshotOf("Chat").state, State::kHalfOpen);
  EXPECT_EQ(shop.SnapshotOf("Chat").probes_in_flight, 0);
}

TEST(Stream, IsUnderWayUntilItEnds) {
  BreakerOptions options = RateOptions();
  options.max_calls_in_flight = 1;
  GuardedShop shop(options);
  const auto context = GuardedShop::Context();
  const auto stream = shop.stub->Chat(context.get());
  stream->Write(shop::ChatMessage());

  const auto context_of_other = GuardedShop::Context();
  const std::optional<RefusalInfo> refusal =
      ParseRefusal(shop.stub->Chat(context_of_other.get())->Finish());
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reason, RefusalReason::kTooManyCalls);

  stream->WritesDone();
  shop::ChatMessage message;
  while (stream->Read(&message)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
  const auto context_of_next = GuardedShop::Context();
  const auto next = shop.stub->Chat(context_of_next.get());
  next->WritesDone();
  EXPECT_TRUE(next->Finish().ok());
}

// ------------------------------------------------------------ Classification

TEST(StatusCodes, AreCountedAsTheCallerSeesThem) {
  GuardedShop shop;
  shop.service.AnswerOnceWith(Unavailable());
  shop.service.AnswerOnceWith(grpc::Status(grpc::StatusCode::NOT_FOUND, ""));
  for (int i = 0; i < 3; ++i) shop.GetPrice();

  std::array<uint64_t, kStatusCodeCount> expected = {};
  expected[grpc::StatusCode::OK] = 1;
  expected[grpc::StatusCode::NOT_FOUND] = 1;
  expected[grpc::StatusCode::UNAVAILABLE] = 1;
  EXPECT_EQ(shop.SnapshotOf("GetPrice").status_codes, expected);
}

TEST(StatusCodes, DoNotCountRefusals) {
  GuardedShop shop;
  shop.ForceOpen("GetPrice");
  shop.GetPrice();

  EXPECT_EQ(shop.SnapshotOf("GetPrice").status_codes,
            (std::array<uint64_t, kStatusCodeCount>{}));
}

TEST(Classification, ThousandNotFoundsLeaveTheBreakerClosed) {
  GuardedShop shop;
  shop.service.AnswerWith(grpc::Status(grpc::StatusCode::NOT_FOUND, ""));
  for (int i = 0; i < 1000; ++i) {
    grpc::ClientContext context;
    shop::PriceReply reply;
    shop.stub->GetPrice(&context, shop::PriceRequest(), &reply);
  }

  EXPECT_EQ(shop.SnapshotOf("GetPrice").state, State::kClosed);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").successes, 1000u);
}

TEST(Classification, OfAMethodAppliesToThatMethodAlone) {
  InterceptorOptions options = InterceptorOptions::WithName("shop");
  options.classification_for["autobreaker.shop.Shop/GetPrice"].failures = {
      grpc::StatusCode::NOT_FOUND};
  GuardedShop shop(RateOptions(), options);
  shop.service.AnswerWith(grpc::Status(grpc::StatusCode::NOT_FOUND, ""));
  grpc::ClientContext price_context;
  shop::PriceReply price;
  shop.stub->GetPrice(&price_context, shop::PriceRequest(), &price);
  grpc::ClientContext order_context;
  shop::OrderReply order;
  shop.stub->PlaceOrder(&order_context, shop::OrderRequest(), &order);

  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
  EXPECT_EQ(shop.SnapshotOf("PlaceOrder").failures, 0u);
}

TEST(Classification, ByFunctionSeesWhatTheServerAnswered) {
  InterceptorOptions options = InterceptorOptions::WithName("shop");
  options.classification_for["autobreaker.shop.Shop/GetPrice"].function =
      [](const CallEnd& end) {
        return end.status.error_details() == "overloaded" ? Outcome::kFailure
                                                          : Outcome::kIgnored;
      };
  GuardedShop shop(RateOptions(), options);
  shop.service.AnswerOnceWith(
      grpc::Status(grpc::StatusCode::ABORTED, "", "overloaded"));
  shop.GetPrice();
  shop.GetPrice();

  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").ignored, 1u);
}

TEST(Classification, OfAMethodGoesBeforeThatOfItsService) {
  InterceptorOptions options = InterceptorOptions::WithName("shop");
  options.classification.failures = {};
  options.classification_for["autobreaker.shop.Shop"].failures = {};
  options.classification_for["autobreaker.shop.Shop/GetPrice"].failures = {
      grpc::StatusCode::UNAVAILABLE};
  GuardedShop shop(RateOptions(), options);
  shop.service.AnswerWith(Unavailable());

  shop.GetPrice();

  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

TEST(Classification, ThatThrowsIsCountedAndTheCodesDecide) {
  InterceptorOptions options = InterceptorOptions::WithName("shop");
  options.classification.function = [](const CallEnd&) -> Outcome {
    throw std::runtime_error("broken");
  };
  GuardedShop shop(RateOptions(), options);
  shop.service.AnswerOnceWith(Unavailable());
  shop.GetPrice();
  shop.GetPrice();

  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").successes, 1u);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").callback_exceptions, 2u);
}

}  // namespace
}  // namespace autobreaker
