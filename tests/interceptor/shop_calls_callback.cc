// The callback API: functions and reactors.

#include <grpcpp/support/client_callback.h>

#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/tests/interceptor/scripted_reactors.h"
#include "autobreaker/tests/interceptor/shop_calls.h"

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

Observed UnaryFunction(const CallSite& site, const Manner& manner) {
  CallNotes notes;
  site.context->set_initial_metadata_corked(manner.corked);
  const PriceRequest request;
  PriceReply reply;
  ScriptedEnd end;
  Shop::NewStub(site.channel)
      ->async()
      ->GetPrice(site.context, &request, &reply,
                 [&end](const grpc::Status& status) { end.Done(status); });
  return end.Await(&notes, *site.context);
}

Observed Unary(const CallSite& site, const Manner& manner) {
  const auto stub = Shop::NewStub(site.channel);
  const PriceRequest request;
  PriceReply reply;
  ScriptedUnaryReactor reactor;
  return reactor.Run(site, manner, [&](ScriptedUnaryReactor* self) {
    stub->async()->GetPrice(site.context, &request, &reply, self);
  });
}

Observed ServerStream(const CallSite& site, const Manner& manner) {
  const auto stub = Shop::NewStub(site.channel);
  StockRequest request;
  request.set_levels(2);
  ScriptedReadReactor<StockLevel> reactor;
  return reactor.Run(site, manner, [&](auto* self) {
    stub->async()->WatchStock(site.context, &request, self);
  });
}

Observed ClientStream(const CallSite& site, const Manner& manner) {
  const auto stub = Shop::NewStub(site.channel);
  UploadReply reply;
  ScriptedWriteReactor<Receipt> reactor;
  return reactor.Run(site, manner, [&](auto* self) {
    stub->async()->UploadReceipts(site.context, &reply, self);
  });
}

Observed Bidi(const CallSite& site, const Manner& manner) {
  const auto stub = Shop::NewStub(site.channel);
  ScriptedBidiReactor<ChatMessage, ChatMessage> reactor;
  return reactor.Run(site, manner, [&](auto* self) {
    stub->async()->Chat(site.context, self);
  });
}

}  // namespace

std::vector<ShopCall> CallbackCalls() {
  std::vector<ShopCall> calls;
  const auto add = [&calls](const char* kind, const char* method, auto* run,
                            const Manner& manner, const char* success,
                            const char* refusal) {
    calls.push_back(
        {std::string(kind) + "Callback" + manner.name, method,
         [run, manner](const CallSite& site) { return run(site, manner); },
         success, refusal});
  };
  // gRPC tells a call that an interceptor hijacks that its initial metadata
  // came, whatever the interceptor does.
  for (const Manner& manner : {kPlain, kCorked}) {
    add("UnaryFunction", "GetPrice", UnaryFunction, manner, "", "");
    add("Unary", "GetPrice", Unary, manner, "metadata 1", "metadata 1");
  }
  for (const Manner& manner : {kPlain, kCorked, kLate, kReadFirst}) {
    add("ServerStream", "WatchStock", ServerStream, manner,
        "metadata 1, read 110", "metadata 1, read 0");
  }
  for (const Manner& manner : {kPlain, kCorked, kWait, kLate, kCorkedLate}) {
    add("ClientStream", "UploadReceipts", ClientStream, manner,
        "metadata 1, write 11, done 1", "metadata 0, write 00, done 0");
  }
  for (const Manner& manner : {kLast, kCorkedLast}) {
    add("ClientStream", "UploadReceipts", ClientStream, manner,
        "metadata 1, write 11", "metadata 0, write 00");
  }
  for (const Manner& manner : {kPlain, kCorked, kWait, kLate, kCorkedLate,
                               kReadFirst, kCorkedReadFirst}) {
    add("Bidi", "Chat", Bidi, manner, "metadata 1, write 1, done 1, read 10",
        "metadata 0, write 0, done 0, read 0");
  }
  for (const Manner& manner : {kLast, kCorkedLast}) {
    add("Bidi", "Chat", Bidi, manner, "metadata 1, write 1, read 10",
        "metadata 0, write 0, read 0");
  }
  return calls;
}

}  // namespace autobreaker
