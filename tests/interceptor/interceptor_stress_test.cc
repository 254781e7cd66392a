// A hundred thousand calls of every kind from eight threads, against a server
// that fails as a seeded sequence says, while time flies: whatever the order of
// events, the books balance and refused means refused.

#include <grpcpp/completion_queue.h>
#include <grpcpp/support/client_callback.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using shop::ChatMessage;
using shop::PriceReply;
using shop::PriceRequest;
using shop::Receipt;
using shop::Shop;
using shop::StockLevel;
using shop::StockRequest;
using shop::UploadReply;

constexpr uint64_t kSeed = 20261123;
constexpr int kThreads = 8;
constexpr int kCallsPerThread = 12'500;
constexpr std::array<const char*, 4> kMethods = {"GetPrice", "WatchStock",
                                                 "UploadReceipts", "Chat"};

// ------------------------------------------------------------------ The server

// Good and bad times in turn; in both it now and then ends a call before it
// has heard it out.
class FaultyShop final : public Shop::Service {
 private:
  struct Fate {
    bool early;
    grpc::Status status;
  };

  Fate NextFate() {
    const uint64_t n = calls_.fetch_add(1);
    std::minstd_rand random(static_cast<uint32_t>(kSeed + n * 2654435761u));
    random.discard(3);
    const auto percent = [&random] { return random() / 7 % 100; };
    const bool bad_times = n / 1000 % 2 == 1;
    Fate fate{percent() < 10, grpc::Status::OK};
    if (percent() < (bad_times ? 60 : 1)) {
      constexpr std::array<grpc::StatusCode, 4> kCodes = {
          grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::INTERNAL,
          grpc::StatusCode::NOT_FOUND, grpc::StatusCode::RESOURCE_EXHAUSTED};
      fate.status = grpc::Status(kCodes[percent() % kCodes.size()], "a fault");
    }
    return fate;
  }

  grpc::Status GetPrice(grpc::ServerContext*, const PriceRequest*,
                        PriceReply*) override {
    return NextFate().status;
  }
  grpc::Status WatchStock(grpc::ServerContext*, const StockRequest*,
                          grpc::ServerWriter<StockLevel>* writer) override {
    const Fate fate = NextFate();
    if (!fate.early) {
      for (int i = 0; i < 3; ++i) writer->Write(StockLevel());
    }
    return fate.status;
  }
  grpc::Status UploadReceipts(grpc::ServerContext*,
                              grpc::ServerReader<Receipt>* reader,
                              UploadReply*) override {
    const Fate fate = NextFate();
    Receipt receipt;
    while (!fate.early && reader->Read(&receipt)) {
    }
    return fate.status;
  }
  grpc::Status Chat(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<ChatMessage, ChatMessage>* stream) override {
    const Fate fate = NextFate();
    ChatMessage message;
    while (!fate.early && stream->Read(&message)) stream->Write(message);
    return fate.status;
  }

  std::atomic<uint64_t> calls_{0};
};

// ------------------------------------------------------------------- The calls

// What the applications saw, all together.
class Tally {
 public:
  void Begin() {
    absl::MutexLock lock(&mu_);
    ++begun_;
  }
  // `messages`: whether any came.
  void End(const grpc::Status& status, bool messages) {
    const bool refused = ParseRefusal(status).has_value();
    absl::MutexLock lock(&mu_);
    ++ended_;
    if (refused) ++refused_;
    if (refused && messages) ++broken_;
  }
  // Waits until no more than that many calls are under way.
  void AwaitAtMost(uint64_t calls) {
    absl::MutexLock lock(&mu_);
    const auto enough = [this, calls] {
      mu_.AssertHeld();
      return begun_ - ended_ <= calls;
    };
    mu_.Await(absl::Condition(&enough));
  }

  uint64_t ended() const {
    absl::MutexLock lock(&mu_);
    return ended_;
  }
  uint64_t refused() const {
    absl::MutexLock lock(&mu_);
    return refused_;
  }
  // Calls that were refused and got messages all the same.
  uint64_t broken() const {
    absl::MutexLock lock(&mu_);
    return broken_;
  }

 private:
  mutable absl::Mutex mu_;
  uint64_t begun_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t ended_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t refused_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t broken_ ABSL_GUARDED_BY(mu_) = 0;
};

// Owns a call of the callback API and deletes it, context and all, in the
// callback that tells its end.
struct OwnedUnary {
  grpc::ClientContext context;
  PriceRequest request;
  PriceReply reply;
};

template <typename Base, typename Request, typename Response>
class Owned : public Base {
 public:
  explicit Owned(Tally* tally) : tally_(tally) {}

  grpc::ClientContext context;
  Request request;
  Response response;

 protected:
  void OnDone(const grpc::Status& status) override {
    Tally* const tally = tally_;
    const bool messages = messages_;
    delete this;
    tally->End(status, messages);
  }
  bool messages_ = false;

 private:
  Tally* const tally_;
};

class OwnedReader final : public Owned<grpc::ClientReadReactor<StockLevel>,
                                       StockRequest, StockLevel> {
 public:
  using Owned::Owned;

 private:
  void OnReadDone(bool ok) override {
    messages_ |= ok;
    if (ok) StartRead(&response);
  }
};

class OwnedWriter final
    : public Owned<grpc::ClientWriteReactor<Receipt>, Receipt, UploadReply> {
 public:
  using Owned::Owned;

 private:
  void OnWriteDone(bool ok) override {
    if (ok) StartWritesDone();
  }
};

class OwnedChat final
    : public Owned<grpc::ClientBidiReactor<ChatMessage, ChatMessage>,
                   ChatMessage, ChatMessage> {
 public:
  using Owned::Owned;

 private:
  void OnWriteDone(bool) override { StartWritesDone(); }
  void OnReadDone(bool ok) override {
    messages_ |= ok;
    if (ok) StartRead(&response);
  }
};

// One thread's part of the calls.
class Caller {
 public:
  Caller(GuardedShop* shop, Tally* tally, int number)
      : shop_(shop), tally_(tally), random_(kSeed + number) {}
  ~Caller() {
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void Run() {
    static constexpr void (Caller::*kCalls[])() = {
        &Caller::UnarySync,     &Caller::ReaderSync,   &Caller::WriterSync,
        &Caller::ChatSync,      &Caller::UnaryQueue,   &Caller::ChatQueue,
        &Caller::UnaryCallback, &Caller::ReadCallback, &Caller::WriteCallback,
        &Caller::ChatCallback};
    for (int i = 0; i < kCallsPerThread; ++i) {
      tally_->Begin();
      (this->*kCalls[random_() / 16 % std::size(kCalls)])();
      tally_->AwaitAtMost(64);
      shop_->clock.Advance(absl::Microseconds(100));
    }
  }

 private:
  bool Percent(uint32_t percent) { return random_() / 16 % 100 < percent; }

  // Some calls are in a hurry, some are called off before they begin, and some
  // send nothing before their first message. Not both: the end of a corked
  // callback stream may be told before it is asked whether it may pass.
  void Vary(grpc::ClientContext* context, bool may_cork) {
    if (may_cork && Percent(30)) {
      context->set_initial_metadata_corked(true);
    } else if (Percent(3)) {
      context->TryCancel();
    } else if (Percent(3)) {
      context->set_deadline(std::chrono::system_clock::now() +
                            std::chrono::milliseconds(1));
    }
  }

  void UnarySync() {
    grpc::ClientContext context;
    Vary(&context, false);
    PriceReply reply;
    tally_->End(shop_->stub->GetPrice(&context, {}, &reply), false);
  }

  void ReaderSync() {
    grpc::ClientContext context;
    Vary(&context, false);
    const auto reader = shop_->stub->WatchStock(&context, {});
    StockLevel level;
    bool messages = false;
    while (reader->Read(&level)) messages = true;
    tally_->End(reader->Finish(), messages);
  }

  void WriterSync() {
    grpc::ClientContext context;
    Vary(&context, true);
    UploadReply reply;
    const auto writer = shop_->stub->UploadReceipts(&context, &reply);
    writer->Write(Receipt());
    writer->WritesDone();
    tally_->End(writer->Finish(), false);
  }

  void ChatSync() {
    grpc::ClientContext context;
    Vary(&context, true);
    const auto stream = shop_->stub->Chat(&context);
    ChatMessage message;
    stream->Write(message);
    stream->WritesDone();
    bool messages = false;
    while (stream->Read(&message)) messages = true;
    tally_->End(stream->Finish(), messages);
  }

  bool Next() {
    void* tag;
    bool ok = false;
    queue_.Next(&tag, &ok);
    return ok;
  }

  void UnaryQueue() {
    grpc::ClientContext context;
    Vary(&context, false);
    const auto call = shop_->stub->AsyncGetPrice(&context, {}, &queue_);
    PriceReply reply;
    grpc::Status status;
    call->Finish(&reply, &status, nullptr);
    Next();
    tally_->End(status, false);
  }

  void ChatQueue() {
    grpc::ClientContext context;
    Vary(&context, false);
    auto stream = shop_->stub->AsyncChat(&context, &queue_, nullptr);
    Next();
    ChatMessage message;
    stream->WriteLast(message, grpc::WriteOptions(), nullptr);
    Next();
    bool messages = false;
    for (;;) {
      stream->Read(&message, nullptr);
      if (!Next()) break;
      messages = true;
    }
    grpc::Status status;
    stream->Finish(&status, nullptr);
    Next();
    tally_->End(status, messages);
  }

  void UnaryCallback() {
    auto* const call = new OwnedUnary;
    Vary(&call->context, false);
    shop_->stub->async()->GetPrice(
        &call->context, &call->request, &call->reply,
        [call, tally = tally_](const grpc::Status& status) {
          delete call;
          tally->End(status, false);
        });
  }

  void ReadCallback() {
    auto* const call = new OwnedReader(tally_);
    Vary(&call->context, false);
    shop_->stub->async()->WatchStock(&call->context, &call->request, call);
    call->StartRead(&call->response);
    call->StartCall();
  }

  void WriteCallback() {
    auto* const call = new OwnedWriter(tally_);
    Vary(&call->context, true);
    shop_->stub->async()->UploadReceipts(&call->context, &call->response, call);
    call->StartWrite(&call->request);
    call->StartCall();
  }

  void ChatCallback() {
    auto* const call = new OwnedChat(tally_);
    Vary(&call->context, true);
    shop_->stub->async()->Chat(&call->context, call);
    call->StartRead(&call->response);
    call->StartWrite(&call->request);
    call->StartCall();
  }

  GuardedShop* const shop_;
  Tally* const tally_;
  std::minstd_rand random_;
  grpc::CompletionQueue queue_;
};

// ---------------------------------------------------------------------- The
// test

TEST(InterceptorStress, BooksBalanceAndRefusedMeansRefused) {
  const Watchdog watchdog("InterceptorStress", absl::Minutes(4));
  FaultyShop service;
  ShopOptions options;
  options.service = &service;
  options.breaker.trip.failure_rate_threshold = 0.3;
  options.breaker.trip.minimum_calls = 10;
  options.breaker.trip.window = absl::Milliseconds(50);
  options.breaker.open.duration = absl::Milliseconds(5);
  options.breaker.open.duration_max = absl::Milliseconds(20);
  // Short, so that some probes outlive it.
  options.breaker.half_open.lease = absl::Milliseconds(2);
  GuardedShop shop(std::move(options));
  Tally tally;

  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] { Caller(&shop, &tally, t).Run(); });
  }
  for (std::thread& thread : threads) thread.join();
  tally.AwaitAtMost(0);

  EXPECT_EQ(tally.ended(), uint64_t{kThreads} * kCallsPerThread);
  EXPECT_EQ(tally.broken(), 0u);
  uint64_t refused = 0;
  uint64_t requests = 0;
  for (const char* const method : kMethods) {
    SCOPED_TRACE(method);
    const RegisteredSnapshot s = shop.SnapshotOf(method);
    ExpectSettled(s);
    EXPECT_EQ(s.abandoned, 0u);
    EXPECT_GE(StatusesOf(s), s.successes + s.failures);
    // Or nothing was tried.
    const auto opened = s.transitions[static_cast<int>(State::kClosed)]
                                     [static_cast<int>(State::kOpen)];
    const auto closed = s.transitions[static_cast<int>(State::kHalfOpen)]
                                     [static_cast<int>(State::kClosed)];
    EXPECT_GE(opened, 5u);
    EXPECT_GE(closed, 5u);
    EXPECT_GT(s.successes, 0u);
    EXPECT_GT(s.failures, 0u);
    EXPECT_GT(s.ignored, 0u);
    requests += s.requests;
    for (const uint64_t of_one_reason : s.refused) refused += of_one_reason;
  }
  EXPECT_EQ(tally.refused(), refused);
  EXPECT_EQ(tally.ended(), requests + refused);
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace autobreaker
