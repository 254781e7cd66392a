// Guarded streams that live: they tell how the server is before they end.

#include <grpc/grpc.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using grpc::StatusCode;
using shop::StockLevel;

// Time enough to bring a call to the server and back, on a busy machine too.
constexpr std::chrono::seconds kLongEnough(2);

// Opens at the first failure.
ShopOptions OneFailureOpens() {
  ShopOptions options;
  options.breaker.trip.consecutive_failures = 1;
  return options;
}

// A WatchStock() that is under way.
class Watch {
 public:
  explicit Watch(GuardedShop& shop, int levels = 1,
                 std::chrono::milliseconds deadline = std::chrono::seconds(30))
      : context_(std::make_unique<grpc::ClientContext>()) {
    context_->set_deadline(std::chrono::system_clock::now() + deadline);
    shop::StockRequest request;
    request.set_levels(levels);
    reader_ = shop.stub->WatchStock(context_.get(), request);
  }

  bool Read() {
    StockLevel level;
    return reader_->Read(&level);
  }
  void AwaitInitialMetadata() { reader_->WaitForInitialMetadata(); }
  // Reads to the end.
  grpc::Status Finish() {
    while (Read()) {
    }
    return reader_->Finish();
  }
  grpc::Status Cancel() {
    context_->TryCancel();
    return Finish();
  }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<StockLevel>> reader_;
};

class Streams : public ::testing::Test {
 private:
  const Watchdog watchdog_{
      ::testing::UnitTest::GetInstance()->current_test_info()->name()};
};

// ---------------------------------------------------------------- Half-open

// V6.
TEST_F(Streams, ThatStayOpenCloseABreakerThatIsHalfOpen) {
  GuardedShop shop{BreakerOptions()};
  shop.MakeHalfOpen("WatchStock");
  shop.service.SetHanging(true);

  std::vector<std::unique_ptr<Watch>> streams;
  for (int i = 0;
       i < 60 && shop.SnapshotOf("WatchStock").state != State::kClosed; ++i) {
    shop.clock.Advance(absl::Milliseconds(10));
    streams.push_back(std::make_unique<Watch>(shop));
    ASSERT_TRUE(streams.back()->Read()) << "refused the " << i + 1 << "th";
  }

  const RegisteredSnapshot s = shop.SnapshotOf("WatchStock");
  EXPECT_EQ(s.state, State::kClosed);
  EXPECT_EQ(s.in_flight, streams.size());
  shop.service.SetHanging(false);
  for (auto& stream : streams) EXPECT_TRUE(stream->Finish().ok());
  ExpectSettled(shop.SnapshotOf("WatchStock"));
}

TEST_F(Streams, CountAsSuccessesAtTheirFirstMessage) {
  GuardedShop shop;
  shop.MakeHalfOpen("WatchStock");
  shop.service.SetHanging(true);
  Watch watch(shop, 2);
  EXPECT_EQ(shop.SnapshotOf("WatchStock").probe_successes, 0);
  EXPECT_TRUE(watch.Read());
  EXPECT_TRUE(watch.Read());
  EXPECT_EQ(shop.SnapshotOf("WatchStock").probe_successes, 1);
  shop.service.SetHanging(false);
  EXPECT_TRUE(watch.Finish().ok());
  const RegisteredSnapshot s = shop.SnapshotOf("WatchStock");
  EXPECT_EQ(s.probe_successes, 1);
  EXPECT_EQ(s.successes, 1u);
}

TEST_F(Streams, InBothDirectionsCountAtTheirFirstMessageToo) {
  GuardedShop shop;
  shop.MakeHalfOpen("Chat");
  const auto context = GuardedShop::Context();
  const auto chat = shop.stub->Chat(context.get());
  shop::ChatMessage message;
  ASSERT_TRUE(chat->Write(message));
  ASSERT_TRUE(chat->Read(&message));
  EXPECT_EQ(shop.SnapshotOf("Chat").probe_successes, 1);
  chat->WritesDone();
  EXPECT_TRUE(chat->Finish().ok());
}

TEST_F(Streams, CountAtInitialMetadataWithAnEntry) {
  GuardedShop shop;
  shop.service.SetInitialMetadata({{"shop-branch", "north"}});
  shop.MakeHalfOpen("WatchStock");
  shop.service.SetHanging(true);
  Watch watch(shop, 0);
  watch.AwaitInitialMetadata();
  EXPECT_EQ(shop.SnapshotOf("WatchStock").probe_successes, 1);
}

TEST_F(Streams, OfRequestsCountAtInitialMetadataWithAnEntryToo) {
  GuardedShop shop;
  shop.service.SetInitialMetadata({{"shop-branch", "north"}});
  shop.MakeHalfOpen("UploadReceipts");
  const auto context = GuardedShop::Context();
  shop::UploadReply reply;
  const auto upload = shop.stub->UploadReceipts(context.get(), &reply);
  upload->WaitForInitialMetadata();
  EXPECT_EQ(shop.SnapshotOf("UploadReceipts").probe_successes, 1);
  upload->WritesDone();
  EXPECT_TRUE(upload->Finish().ok());
}

// A server that fails a call at once, without headers.
class ClosedShop final : public shop::Shop::Service {
  grpc::Status WatchStock(grpc::ServerContext* context,
                          const shop::StockRequest*,
                          grpc::ServerWriter<StockLevel>*) override {
    context->AddTrailingMetadata("shop-branch", "north");
    return Unavailable();
  }
};

TEST_F(Streams, ThatFailAtOnceMakeNoProgress) {
  ClosedShop closed;
  ShopOptions options;
  options.service = &closed;
  GuardedShop shop(std::move(options));
  shop.MakeHalfOpen("WatchStock");
  Watch watch(shop);
  watch.AwaitInitialMetadata();
  EXPECT_EQ(shop.SnapshotOf("WatchStock").probe_successes, 0);
  EXPECT_EQ(watch.Finish().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(shop.SnapshotOf("WatchStock").state, State::kOpen);
}

TEST_F(Streams, ThatFailAfterTheirFirstMessageReopen) {
  GuardedShop shop;
  shop.service.AnswerWith(grpc::Status(StatusCode::INTERNAL, "a bug"));
  shop.MakeHalfOpen("WatchStock");
  Watch watch(shop);
  EXPECT_EQ(watch.Finish().error_code(), StatusCode::INTERNAL);
  EXPECT_EQ(shop.SnapshotOf("WatchStock").state, State::kOpen);
}

TEST_F(Streams, ThatAreCancelledAfterTheirFirstMessageHaveCounted) {
  GuardedShop shop;
  shop.service.SetHanging(true);
  shop.MakeHalfOpen("WatchStock");
  Watch watch(shop);
  ASSERT_TRUE(watch.Read());
  EXPECT_EQ(watch.Cancel().error_code(), StatusCode::CANCELLED);
  const RegisteredSnapshot s = shop.SnapshotOf("WatchStock");
  EXPECT_EQ(s.probe_successes, 1);
  EXPECT_EQ(s.ignored, 1u);
}

// V8: the breaker's clock is moved, not the call's.
TEST_F(Streams, AndOtherCallsThatOutliveTheirLeaseCountWhenTheySucceed) {
  GuardedShop shop;
  shop.MakeHalfOpen("GetPrice");
  shop.service.SetHanging(true);
  const auto context = GuardedShop::Context();
  const shop::PriceRequest request;
  shop::PriceReply reply;
  std::mutex mu;
  std::condition_variable ended;
  bool done = false;
  shop.stub->async()->GetPrice(context.get(), &request, &reply,
                               [&](const grpc::Status&) {
                                 const std::lock_guard<std::mutex> lock(mu);
                                 done = true;
                                 ended.notify_one();
                               });
  shop.service.AwaitCalls(1);
  shop.clock.Advance(absl::Seconds(61));
  shop.service.SetHanging(false);
  std::unique_lock<std::mutex> lock(mu);
  ended.wait(lock, [&] { return done; });
  const RegisteredSnapshot s = shop.SnapshotOf("GetPrice");
  EXPECT_EQ(s.probe_successes, 1);
  EXPECT_EQ(s.late_results, 0u);
}

// Holds up the thread that reports progress, where that reads the clock, until
// the status of the call is known.
class HoldsUpUntilTheEnd final : public Clock {
 public:
  MonotonicTime Now() const override {
    // The first reading is of the call's begin.
    if (shop != nullptr && ++readings == 2) held_up = AwaitStatus();
    return clock_.Now();
  }
  MonotonicTime CoarseNow() const override { return clock_.CoarseNow(); }
  absl::Time WallNow() const override { return clock_.WallNow(); }

  GuardedShop* shop = nullptr;
  mutable std::atomic<int> readings{0};
  mutable std::atomic<bool> held_up{false};

 private:
  bool AwaitStatus() const {
    const auto give_up =
        std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (StatusesOf(shop->SnapshotOf("WatchStock")) == 0 &&
           std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
    }
    return StatusesOf(shop->SnapshotOf("WatchStock")) > 0;
  }

  FakeClock clock_;
};

class OneMessage final : public grpc::ClientReadReactor<StockLevel> {
 public:
  void Run(shop::Shop::Stub* stub, grpc::ClientContext* context) {
    request_.set_levels(1);
    stub->async()->WatchStock(context, &request_, this);
    StartRead(&level_);
    StartCall();
    done_.WaitForNotification();
  }

 private:
  void OnDone(const grpc::Status&) override { done_.Notify(); }

  shop::StockRequest request_;
  StockLevel level_;
  absl::Notification done_;
};

// With reactors, the status can come on another thread than the message.
TEST_F(Streams, ThatEndWhileTheirProgressIsReportedAreSettledOnce) {
  HoldsUpUntilTheEnd clock;
  ShopOptions options;
  options.breaker.half_open.successes_to_close = 1;
  options.breakers_clock = &clock;
  GuardedShop shop(std::move(options));
  shop.ForceOpen("WatchStock");
  shop.BreakerOf("WatchStock")->SetMode(Mode::kAutomatic);  // now half-open
  clock.shop = &shop;
  const auto context = GuardedShop::Context();
  OneMessage().Run(shop.stub.get(), context.get());
  EXPECT_TRUE(clock.held_up);
  const RegisteredSnapshot s = shop.SnapshotOf("WatchStock");
  EXPECT_EQ(s.successes, 1u);
  EXPECT_EQ(s.abandoned, 0u);
  ExpectSettled(s);
}

// ------------------------------------------------------------- How they end

// V7.
TEST_F(Streams, ThatDeliveredAreSuccessesAtTheirOwnDeadline) {
  GuardedShop shop(OneFailureOpens());
  shop.service.SetHanging(true);
  Watch watch(shop, 10, kLongEnough);
  EXPECT_EQ(watch.Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  const RegisteredSnapshot s = shop.SnapshotOf("WatchStock");
  EXPECT_EQ(s.state, State::kClosed);
  EXPECT_EQ(s.successes, 1u);
}

TEST_F(Streams, ThatDeliveredNothingAreFailuresAtTheirDeadline) {
  GuardedShop shop;
  shop.service.SetHanging(true);
  Watch watch(shop, 0, kLongEnough);
  EXPECT_EQ(watch.Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(shop.SnapshotOf("WatchStock").failures, 1u);
}

TEST_F(Streams, WhoseServerSaysThatItsOwnTimeIsOverAreFailures) {
  GuardedShop shop;
  shop.service.AnswerWith(grpc::Status(StatusCode::DEADLINE_EXCEEDED, "slow"));
  EXPECT_EQ(Watch(shop).Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(shop.SnapshotOf("WatchStock").failures, 1u);
}

TEST_F(Streams, WhoseConnectionIsTooOldAreNeutral) {
  ShopOptions options = OneFailureOpens();
  options.server_arguments[GRPC_ARG_MAX_CONNECTION_AGE_MS] = 2000;
  options.server_arguments[GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS] = 100;
  GuardedShop shop(std::move(options));
  shop.service.SetHanging(true);
  Watch watch(shop);
  ASSERT_TRUE(watch.Read());
  EXPECT_EQ(watch.Finish().error_code(), StatusCode::UNAVAILABLE);
  const RegisteredSnapshot s = shop.SnapshotOf("WatchStock");
  EXPECT_EQ(s.state, State::kClosed);
  EXPECT_EQ(s.ignored, 1u);
}

TEST_F(Streams, WhoseServerSaysMoreThanThatItIsUnavailableAreFailures) {
  GuardedShop shop;
  shop.service.AnswerWith(Unavailable());
  shop.service.SetTrailingMetadata({{"shop-branch", "north"}});
  EXPECT_EQ(Watch(shop).Finish().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(shop.SnapshotOf("WatchStock").failures, 1u);
}

TEST_F(Streams, WhoseConnectionIsLostBeforeAnyMessageAreFailures) {
  GuardedShop shop;
  shop.service.SetHanging(true);
  Watch watch(shop, 0);
  shop.service.AwaitCalls(1);
  // It waits for the call that hangs.
  std::thread shutdown(
      [&] { shop.server->Shutdown(std::chrono::system_clock::now()); });
  EXPECT_EQ(watch.Finish().error_code(), StatusCode::UNAVAILABLE);
  shop.service.SetHanging(false);
  shutdown.join();
  EXPECT_EQ(shop.SnapshotOf("WatchStock").failures, 1u);
}

TEST_F(Streams, AreJudgedByTheProgramsFunctionIfThereIsOne) {
  ShopOptions options;
  options.interceptor.classification.function = [](const CallEnd&) {
    return Outcome::kFailure;
  };
  GuardedShop shop(std::move(options));
  shop.service.AnswerWith(Unavailable());
  Watch(shop).Finish();
  EXPECT_EQ(shop.SnapshotOf("WatchStock").failures, 1u);
}

}  // namespace
}  // namespace autobreaker
