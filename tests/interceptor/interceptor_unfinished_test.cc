// Calls whose end is never told, or late, or before they were sent: the permit
// comes back all the same, and says nothing about the server.

#include <grpcpp/completion_queue.h>
#include <grpcpp/support/client_callback.h>

#include <memory>

#include "absl/synchronization/notification.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

// gRPC (1.51) itself leaks the request of a unary queue call that nobody
// finishes, which is what some of these calls are.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:gpr_malloc";
}

namespace autobreaker {
namespace {

using shop::ChatMessage;
using shop::PriceReply;
using shop::PriceRequest;
using shop::StockLevel;
using shop::StockRequest;

class Unfinished : public ::testing::Test {
 protected:
  static ShopOptions OneProbe() {
    ShopOptions options;
    options.breaker.half_open.max_calls = 1;
    return options;
  }

  // Expects that one call was counted, as the neutral `outcome`.
  void ExpectOnly(Outcome outcome, const std::string& method) {
    const RegisteredSnapshot s = shop_.SnapshotOf(method);
    EXPECT_EQ(s.requests, 1u);
    EXPECT_EQ(s.abandoned, outcome == Outcome::kAbandoned ? 1u : 0u);
    EXPECT_EQ(s.ignored, outcome == Outcome::kIgnored ? 1u : 0u);
    ExpectSettled(s);
  }

  const Watchdog watchdog_{
      ::testing::UnitTest::GetInstance()->current_test_info()->name()};
  GuardedShop shop_{OneProbe()};
};

// A reactor that waits for its end to be told.
template <typename Base>
class Awaited : public Base {
 public:
  grpc::Status Await() {
    done_.WaitForNotification();
    return status_;
  }
  bool done() const { return done_.HasBeenNotified(); }

 private:
  void OnDone(const grpc::Status& status) override {
    status_ = status;
    done_.Notify();
  }

  grpc::Status status_;
  absl::Notification done_;
};

using ChatReactor = Awaited<grpc::ClientBidiReactor<ChatMessage, ChatMessage>>;

// ------------------------------------------------ Dropped without its Finish

TEST_F(Unfinished, SyncStreamIsAbandonedWhenItsContextGoes) {
  {
    const auto context = GuardedShop::Context();
    const auto stream = shop_.stub->Chat(context.get());
    stream->Write(ChatMessage());
    EXPECT_EQ(shop_.SnapshotOf("Chat").in_flight, 1u);
  }
  ExpectOnly(Outcome::kAbandoned, "Chat");
}

TEST_F(Unfinished, SyncStreamIsAbandonedAfterTryCancelToo) {
  {
    const auto context = GuardedShop::Context();
    const auto stream = shop_.stub->Chat(context.get());
    stream->Write(ChatMessage());
    context->TryCancel();
  }
  ExpectOnly(Outcome::kAbandoned, "Chat");
}

TEST_F(Unfinished, SyncServerStreamIsAbandonedWithUnreadMessages) {
  {
    const auto context = GuardedShop::Context();
    StockRequest request;
    request.set_levels(3);
    const auto reader = shop_.stub->WatchStock(context.get(), request);
    StockLevel level;
    EXPECT_TRUE(reader->Read(&level));
  }
  ExpectOnly(Outcome::kAbandoned, "WatchStock");
}

TEST_F(Unfinished, QueueStreamIsAbandonedWhenItsContextGoes) {
  grpc::CompletionQueue queue;
  void* tag;
  bool ok;
  {
    const auto context = GuardedShop::Context();
    const auto stream = shop_.stub->AsyncChat(context.get(), &queue, nullptr);
    queue.Next(&tag, &ok);
    EXPECT_EQ(shop_.SnapshotOf("Chat").in_flight, 1u);
    context->TryCancel();
  }
  queue.Shutdown();
  ExpectOnly(Outcome::kAbandoned, "Chat");
}

TEST_F(Unfinished, ProbeThatIsDroppedFreesItsPlace) {
  shop_.MakeHalfOpen("Chat");
  {
    const auto context = GuardedShop::Context();
    const auto stream = shop_.stub->Chat(context.get());
    stream->Write(ChatMessage());
    EXPECT_EQ(shop_.SnapshotOf("Chat").probes_in_flight, 1);
  }
  EXPECT_EQ(shop_.SnapshotOf("Chat").probes_in_flight, 0);
  EXPECT_EQ(shop_.SnapshotOf("Chat").state, State::kHalfOpen);
}

// ------------------------------------------------------- Finished, not polled

TEST_F(Unfinished, QueueCallIsInFlightUntilSomebodyPolls) {
  grpc::CompletionQueue queue;
  const auto context = GuardedShop::Context();
  PriceReply reply;
  grpc::Status status;
  const auto call = shop_.stub->AsyncGetPrice(context.get(), {}, &queue);
  call->Finish(&reply, &status, nullptr);
  shop_.service.AwaitCalls(1);
  EXPECT_EQ(shop_.SnapshotOf("GetPrice").in_flight, 1u);

  void* tag;
  bool ok;
  queue.Next(&tag, &ok);

  EXPECT_EQ(shop_.SnapshotOf("GetPrice").successes, 1u);
  ExpectSettled(shop_.SnapshotOf("GetPrice"));
}

TEST_F(Unfinished, QueueCallThatIsNeverPolledIsSettledWhenTheQueueDrains) {
  {
    grpc::CompletionQueue queue;
    const auto context = GuardedShop::Context();
    PriceReply reply;
    grpc::Status status;
    const auto call = shop_.stub->AsyncGetPrice(context.get(), {}, &queue);
    call->Finish(&reply, &status, nullptr);
    // gRPC wants a queue drained before it is destroyed, and that polls.
    queue.Shutdown();
    void* tag;
    bool ok;
    while (queue.Next(&tag, &ok)) {
    }
  }
  EXPECT_EQ(shop_.SnapshotOf("GetPrice").successes, 1u);
  ExpectSettled(shop_.SnapshotOf("GetPrice"));
}

// ------------------------------------------------------------ Unread messages

TEST_F(Unfinished, CallbackStreamIsInFlightWhileMessagesAreUnread) {
  Awaited<grpc::ClientReadReactor<StockLevel>> reactor;
  const auto context = GuardedShop::Context();
  StockRequest request;
  request.set_levels(1);
  shop_.stub->async()->WatchStock(context.get(), &request, &reactor);
  reactor.StartCall();
  shop_.service.AwaitCalls(1);
  EXPECT_EQ(shop_.SnapshotOf("WatchStock").in_flight, 1u);
  EXPECT_FALSE(reactor.done());

  context->TryCancel();
  EXPECT_EQ(reactor.Await().error_code(), grpc::StatusCode::CANCELLED);

  ExpectOnly(Outcome::kIgnored, "WatchStock");
}

// ------------------------------------------------------------- Leaked context

TEST_F(Unfinished, LeakedProbeGivesItsPlaceToAnotherWhenItsLeaseEnds) {
  shop_.MakeHalfOpen("GetPrice");
  shop_.service.SetHanging(true);
  // Not deleted before the other call is over: the same as never.
  grpc::CompletionQueue queue;
  const auto leaked = GuardedShop::Context();
  PriceReply reply;
  grpc::Status status;
  const auto call = shop_.stub->AsyncGetPrice(leaked.get(), {}, &queue);
  call->Finish(&reply, &status, nullptr);
  EXPECT_TRUE(ParseRefusal(shop_.GetPrice()).has_value());
  shop_.service.SetHanging(false);

  shop_.clock.Advance(absl::Seconds(60));
  EXPECT_TRUE(shop_.GetPrice().ok());
  EXPECT_EQ(shop_.SnapshotOf("GetPrice").probe_successes, 1);

  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  EXPECT_EQ(shop_.SnapshotOf("GetPrice").late_results, 0u);
  EXPECT_EQ(shop_.SnapshotOf("GetPrice").probe_successes, 2);
}

// -------------------------------------------------------------- Never started

TEST_F(Unfinished, PreparedQueueCallTakesNothing) {
  grpc::CompletionQueue queue;
  {
    const auto context = GuardedShop::Context();
    const auto call =
        shop_.stub->PrepareAsyncGetPrice(context.get(), {}, &queue);
    EXPECT_EQ(shop_.SnapshotOf("GetPrice").requests, 0u);
  }
  EXPECT_EQ(shop_.SnapshotOf("GetPrice").requests, 0u);
}

TEST_F(Unfinished, StartedQueueCallWithoutFinishTakesNothing) {
  grpc::CompletionQueue queue;
  {
    const auto context = GuardedShop::Context();
    const auto call = shop_.stub->AsyncGetPrice(context.get(), {}, &queue);
  }
  EXPECT_EQ(shop_.SnapshotOf("GetPrice").requests, 0u);
}

TEST_F(Unfinished, PreparedStreamTakesNothing) {
  grpc::CompletionQueue queue;
  {
    const auto context = GuardedShop::Context();
    const auto stream = shop_.stub->PrepareAsyncChat(context.get(), &queue);
  }
  EXPECT_EQ(shop_.SnapshotOf("Chat").requests, 0u);
}

TEST_F(Unfinished, ReactorThatIsNeverStartedTakesNothing) {
  // Static, since gRPC holds on to the context and the reactor for ever.
  static auto* const context = new grpc::ClientContext;
  static auto* const reactor = new ChatReactor;
  shop_.stub->async()->Chat(context, reactor);
  EXPECT_EQ(shop_.SnapshotOf("Chat").requests, 0u);
}

TEST_F(Unfinished, CorkedSyncStreamWithoutAWriteTakesNothing) {
  {
    const auto context = GuardedShop::Context();
    context->set_initial_metadata_corked(true);
    const auto stream = shop_.stub->Chat(context.get());
  }
  EXPECT_EQ(shop_.SnapshotOf("Chat").requests, 0u);
}

}  // namespace
}  // namespace autobreaker
