#include "tests/shop_calls.h"

#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"

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

// Writes down the steps of one call.
class Notes {
 public:
  bool Step(const char* what, bool ok) {
    std::string step = absl::StrCat(what, " ", ok ? 1 : 0);
    if (steps_.empty() || steps_.back() != step) {
      steps_.push_back(std::move(step));
    }
    return ok;
  }

  Observed Finish(const grpc::Status& status,
                  const grpc::ClientContext& context) {
    Observed observed;
    observed.status = status;
    observed.steps = std::move(steps_);
    for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
      observed.trailing_metadata.emplace(
          std::string(key.data(), key.size()),
          std::string(value.data(), value.size()));
    }
    return observed;
  }

 private:
  std::vector<std::string> steps_;
};

StockRequest TwoLevels() {
  StockRequest request;
  request.set_levels(2);
  return request;
}

Observed UnarySync(Shop::Stub* stub, grpc::ClientContext* context) {
  Notes notes;
  PriceReply reply;
  const grpc::Status status = stub->GetPrice(context, PriceRequest(), &reply);
  return notes.Finish(status, *context);
}

Observed ClientStreamSync(Shop::Stub* stub, grpc::ClientContext* context) {
  Notes notes;
  UploadReply reply;
  const auto writer = stub->UploadReceipts(context, &reply);
  notes.Step("write", writer->Write(Receipt()));
  notes.Step("write", writer->Write(Receipt()));
  notes.Step("writes_done", writer->WritesDone());
  return notes.Finish(writer->Finish(), *context);
}

Observed ServerStreamSync(Shop::Stub* stub, grpc::ClientContext* context) {
  Notes notes;
  StockLevel level;
  const auto reader = stub->WatchStock(context, TwoLevels());
  while (notes.Step("read", reader->Read(&level))) {
  }
  return notes.Finish(reader->Finish(), *context);
}

Observed BidiSync(Shop::Stub* stub, grpc::ClientContext* context) {
  Notes notes;
  ChatMessage reply;
  const auto stream = stub->Chat(context);
  notes.Step("write", stream->Write(ChatMessage()));
  notes.Step("read", stream->Read(&reply));
  notes.Step("writes_done", stream->WritesDone());
  notes.Step("read", stream->Read(&reply));
  return notes.Finish(stream->Finish(), *context);
}

Observed UnaryCallback(Shop::Stub* stub, grpc::ClientContext* context) {
  Notes notes;
  const PriceRequest request;
  PriceReply reply;
  grpc::Status status;
  absl::Notification done;
  stub->async()->GetPrice(context, &request, &reply, [&](grpc::Status s) {
    status = std::move(s);
    done.Notify();
  });
  done.WaitForNotification();
  return notes.Finish(status, *context);
}

// gRPC may tell of the end while the last step is still being noted, so each
// reactor makes its steps one after another and ends by itself.
class ClientStreamReactor final : public grpc::ClientWriteReactor<Receipt> {
 public:
  Observed Run(Shop::Stub* stub, grpc::ClientContext* context) {
    stub->async()->UploadReceipts(context, &reply_, this);
    StartWrite(&receipt_);
    StartCall();
    done_.WaitForNotification();
    return notes_.Finish(status_, *context);
  }

 private:
  void OnWriteDone(bool ok) override {
    if (notes_.Step("write", ok)) StartWritesDone();
  }
  void OnWritesDoneDone(bool ok) override { notes_.Step("writes_done", ok); }
  void OnDone(const grpc::Status& status) override {
    status_ = status;
    done_.Notify();
  }

  Notes notes_;
  Receipt receipt_;
  UploadReply reply_;
  grpc::Status status_;
  absl::Notification done_;
};

class ServerStreamReactor final : public grpc::ClientReadReactor<StockLevel> {
 public:
  Observed Run(Shop::Stub* stub, grpc::ClientContext* context) {
    stub->async()->WatchStock(context, &request_, this);
    StartRead(&level_);
    StartCall();
    done_.WaitForNotification();
    return notes_.Finish(status_, *context);
  }

 private:
  void OnReadDone(bool ok) override {
    if (notes_.Step("read", ok)) StartRead(&level_);
  }
  void OnDone(const grpc::Status& status) override {
    status_ = status;
    done_.Notify();
  }

  Notes notes_;
  const StockRequest request_ = TwoLevels();
  StockLevel level_;
  grpc::Status status_;
  absl::Notification done_;
};

class BidiReactor final
    : public grpc::ClientBidiReactor<ChatMessage, ChatMessage> {
 public:
  Observed Run(Shop::Stub* stub, grpc::ClientContext* context) {
    stub->async()->Chat(context, this);
    StartWrite(&message_);
    StartCall();
    done_.WaitForNotification();
    return notes_.Finish(status_, *context);
  }

 private:
  void OnWriteDone(bool ok) override {
    notes_.Step("write", ok);
    StartRead(&reply_);
  }
  void OnReadDone(bool ok) override {
    if (notes_.Step("read", ok)) StartWritesDone();
  }
  void OnWritesDoneDone(bool ok) override {
    notes_.Step("writes_done", ok);
    StartRead(&reply_);
  }
  void OnDone(const grpc::Status& status) override {
    status_ = status;
    done_.Notify();
  }

  Notes notes_;
  ChatMessage message_;
  ChatMessage reply_;
  grpc::Status status_;
  absl::Notification done_;
};

template <typename Reactor>
Observed RunReactor(Shop::Stub* stub, grpc::ClientContext* context) {
  Reactor reactor;
  return reactor.Run(stub, context);
}

}  // namespace

const std::vector<ShopCall>& AllShopCalls() {
  static const auto* const calls = new std::vector<ShopCall>{
      {"UnarySync", "GetPrice", UnarySync, {}, {}},
      {"UnaryCallback", "GetPrice", UnaryCallback, {}, {}},
      {"ClientStreamSync",
       "UploadReceipts",
       ClientStreamSync,
       {"write 1", "writes_done 1"},
       {"write 0", "writes_done 0"}},
      {"ClientStreamCallback",
       "UploadReceipts",
       RunReactor<ClientStreamReactor>,
       {"write 1", "writes_done 1"},
       {"write 0"}},
      {"ServerStreamSync",
       "WatchStock",
       ServerStreamSync,
       {"read 1", "read 0"},
       {"read 0"}},
      {"ServerStreamCallback",
       "WatchStock",
       RunReactor<ServerStreamReactor>,
       {"read 1", "read 0"},
       {"read 0"}},
      {"BidiSync",
       "Chat",
       BidiSync,
       {"write 1", "read 1", "writes_done 1", "read 0"},
       {"write 0", "read 0", "writes_done 0", "read 0"}},
      {"BidiCallback",
       "Chat",
       RunReactor<BidiReactor>,
       {"write 1", "read 1", "writes_done 1", "read 0"},
       {"write 0", "read 0"}},
  };
  return *calls;
}

}  // namespace autobreaker
