// The end of a call on one thread while, on another, it is first sent. Only a
// callback stream can do that, corked: it asks for its end before it sends.

#include <grpcpp/create_channel.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "absl/synchronization/notification.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using grpc::experimental::InterceptionHookPoints;
using shop::ChatMessage;

// A reactor that waits for its end to be told.
class ChatReactor : public grpc::ClientBidiReactor<ChatMessage, ChatMessage> {
 public:
  grpc::Status Await() {
    done_.WaitForNotification();
    return status_;
  }
  // Tells when the initial metadata have come, or will not.
  absl::Notification metadata;

 private:
  void OnReadInitialMetadataDone(bool) override { metadata.Notify(); }
  void OnDone(const grpc::Status& status) override {
    status_ = status;
    done_.Notify();
  }

  grpc::Status status_;
  absl::Notification done_;
};

class CorkedReactor : public ::testing::Test {
 protected:
  const Watchdog watchdog_{
      ::testing::UnitTest::GetInstance()->current_test_info()->name()};
  GuardedShop shop_;
};

TEST_F(CorkedReactor, WhoseDeadlinePassesBeforeItsWriteIsNotCounted) {
  ChatReactor reactor;
  grpc::ClientContext context;
  context.set_initial_metadata_corked(true);
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(5));
  shop_.stub->async()->Chat(&context, &reactor);
  reactor.StartCall();

  EXPECT_EQ(reactor.Await().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(shop_.SnapshotOf("Chat").requests, 0u);
}

TEST_F(CorkedReactor, ThatIsCancelledBeforeItsWriteIsNotCounted) {
  ChatReactor reactor;
  const auto context = GuardedShop::Context();
  context->set_initial_metadata_corked(true);
  shop_.stub->async()->Chat(context.get(), &reactor);
  reactor.StartCall();
  context->TryCancel();

  EXPECT_EQ(reactor.Await().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(shop_.SnapshotOf("Chat").requests, 0u);
}

TEST_F(CorkedReactor, ThatWritesAfterItsEndIsNotTheServersFailure) {
  for (const bool refused : {false, true}) {
    if (refused) shop_.ForceOpen("Chat");
    ChatReactor reactor;
    const auto context = GuardedShop::Context();
    context->set_initial_metadata_corked(true);
    shop_.stub->async()->Chat(context.get(), &reactor);
    reactor.AddHold();
    reactor.StartCall();
    context->TryCancel();
    // Cancelled: the end is on its way, or there.
    reactor.metadata.WaitForNotification();
    const ChatMessage message;
    reactor.StartWrite(&message);
    reactor.RemoveHold();
    const grpc::Status status = reactor.Await();
    EXPECT_TRUE(status.error_code() == grpc::StatusCode::CANCELLED ||
                (refused && ParseRefusal(status).has_value()));
  }
  EXPECT_EQ(shop_.SnapshotOf("Chat").failures, 0u);
  EXPECT_EQ(shop_.SnapshotOf("Chat").successes, 0u);
  EXPECT_EQ(shop_.SnapshotOf("Chat").abandoned, 0u);
  ExpectSettled(shop_.SnapshotOf("Chat"));
}

// The end (on gRPC's thread) and the first write (on this one) at once, many
// times, so that they meet in every order.
TEST_F(CorkedReactor, WhoseEndMeetsItsFirstWriteIsSettledOnce) {
  const ChatMessage message;
  for (int i = 0; i < 2000; ++i) {
    ChatReactor reactor;
    grpc::ClientContext context;
    context.set_initial_metadata_corked(true);
    shop_.stub->async()->Chat(&context, &reactor);
    reactor.AddHold();
    reactor.StartCall();
    context.TryCancel();
    reactor.StartWrite(&message);
    reactor.RemoveHold();
    EXPECT_EQ(reactor.Await().error_code(), grpc::StatusCode::CANCELLED);
  }
  const RegisteredSnapshot s = shop_.SnapshotOf("Chat");
  EXPECT_EQ(s.requests, s.ignored);
  EXPECT_EQ(shop_.service.calls(), 0);
  ExpectSettled(s);
}

// ------------------------------------------------------- At the worst moment

// Does something, once, when it is asked for the time: which a breaker does
// while it decides.
class InterruptingClock final : public Clock {
 public:
  void OnNextLook(std::function<void()> interrupt) {
    interrupt_ = std::move(interrupt);
  }
  MonotonicTime Now() const override {
    if (const auto interrupt = std::exchange(interrupt_, nullptr)) interrupt();
    return MonotonicTime(std::chrono::hours(1));
  }
  MonotonicTime CoarseNow() const override { return Now(); }
  absl::Time WallNow() const override { return absl::UnixEpoch(); }

 private:
  mutable std::function<void()> interrupt_;
};

// Tells when the interceptors further in have seen the end of the call.
class EndObserver final : public grpc::experimental::Interceptor {
 public:
  explicit EndObserver(absl::Notification* ended) : ended_(ended) {}
  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_STATUS)) {
      ended_->Notify();
    }
    methods->Proceed();
  }

 private:
  absl::Notification* const ended_;
};

class EndObserverFactory final
    : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit EndObserverFactory(absl::Notification* ended) : ended_(ended) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo*) override {
    return new EndObserver(ended_);
  }

 private:
  absl::Notification* const ended_;
};

class EndWhileDeciding : public CorkedReactor {
 protected:
  EndWhileDeciding() {
    RegistryOptions options;
    options.instruments.clock = &clock_;
    // Has the breaker look at the clock for every call.
    options.defaults.trip.slow_call_duration = absl::Hours(1);
    options.defaults.trip.slow_call_rate_threshold = 1;
    registry_ = BreakerRegistry::Create(options).value();
    InterceptorFactories factories;
    factories.push_back(std::make_unique<EndObserverFactory>(&ended_));
    factories.push_back(MakeCircuitBreakerInterceptorFactory(
        registry_, InterceptorOptions::WithName("default")));
    stub_ = shop::Shop::NewStub(
        grpc::experimental::CreateCustomChannelWithInterceptors(
            shop_.address, grpc::InsecureChannelCredentials(),
            grpc::ChannelArguments(), std::move(factories)));
  }

  std::shared_ptr<RegisteredBreaker> Breaker() {
    return registry_->GetOrCreate({"default", "autobreaker.shop.Shop", "Chat"});
  }

  // A call that ends exactly while the breaker decides about it.
  grpc::Status Run() {
    ChatReactor reactor;
    grpc::ClientContext context;
    context.set_initial_metadata_corked(true);
    stub_->async()->Chat(&context, &reactor);
    reactor.AddHold();
    reactor.StartCall();
    clock_.OnNextLook([&] {
      context.TryCancel();
      ended_.WaitForNotification();
    });
    const ChatMessage message;
    reactor.StartWrite(&message);
    reactor.RemoveHold();
    return reactor.Await();
  }

  InterruptingClock clock_;
  absl::Notification ended_;
  std::shared_ptr<BreakerRegistry> registry_;
  std::unique_ptr<shop::Shop::Stub> stub_;
};

TEST_F(EndWhileDeciding, GivesThePermitBackAsIgnored) {
  Breaker();
  EXPECT_EQ(Run().error_code(), grpc::StatusCode::CANCELLED);

  EXPECT_TRUE(ended_.HasBeenNotified());
  const RegisteredSnapshot s = Breaker()->Snapshot();
  EXPECT_EQ(s.requests, 1u);
  EXPECT_EQ(s.ignored, 1u);
  ExpectSettled(s);
  EXPECT_EQ(shop_.service.calls(), 0);
}

// The one refusal that its caller does not see: the call was over before.
TEST_F(EndWhileDeciding, OfARefusedCallStaysItsEnd) {
  Breaker()->SetMode(Mode::kForcedOpen);
  EXPECT_EQ(Run().error_code(), grpc::StatusCode::CANCELLED);

  EXPECT_TRUE(ended_.HasBeenNotified());
  const RegisteredSnapshot s = Breaker()->Snapshot();
  EXPECT_EQ(s.refused[static_cast<int>(RefusalReason::kForcedOpen)], 1u);
  EXPECT_EQ(s.requests, 0u);
  EXPECT_EQ(shop_.service.calls(), 0);
}

}  // namespace
}  // namespace autobreaker
