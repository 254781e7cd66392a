// The synchronous API.

#include <grpcpp/support/sync_stream.h>

#include "autobreaker/examples/shop/shop.grpc.pb.h"
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

Observed Unary(const CallSite& site, const Manner& manner) {
  CallNotes notes;
  site.context->set_initial_metadata_corked(manner.corked);
  PriceReply reply;
  const grpc::Status status =
      Shop::NewStub(site.channel)->GetPrice(site.context, {}, &reply);
  return notes.Finish(status, *site.context);
}

Observed ServerStream(const CallSite& site, const Manner& manner) {
  CallNotes notes;
  site.context->set_initial_metadata_corked(manner.corked);
  StockRequest request;
  request.set_levels(2);
  StockLevel level;
  const auto reader =
      Shop::NewStub(site.channel)->WatchStock(site.context, request);
  if (manner.wait) reader->WaitForInitialMetadata();
  while (notes.Add(Step::kRead, reader->Read(&level))) {
  }
  return notes.Finish(reader->Finish(), *site.context);
}

Observed ClientStream(const CallSite& site, const Manner& manner) {
  CallNotes notes;
  site.context->set_initial_metadata_corked(manner.corked);
  UploadReply reply;
  const auto writer =
      Shop::NewStub(site.channel)->UploadReceipts(site.context, &reply);
  if (manner.wait) writer->WaitForInitialMetadata();
  if (manner.late) site.await_server();
  notes.Add(Step::kWrite, writer->Write(Receipt()));
  if (manner.last) {
    notes.Add(
        Step::kWrite,
        writer->Write(Receipt(), grpc::WriteOptions().set_last_message()));
  } else {
    notes.Add(Step::kWrite, writer->Write(Receipt()));
    notes.Add(Step::kDone, writer->WritesDone());
  }
  return notes.Finish(writer->Finish(), *site.context);
}

Observed Bidi(const CallSite& site, const Manner& manner) {
  CallNotes notes;
  site.context->set_initial_metadata_corked(manner.corked);
  // The server speaks first, or reading first would wait for ever.
  if (manner.read_first) site.context->AddMetadata("shop-greet", "1");
  ChatMessage message;
  const auto stream = Shop::NewStub(site.channel)->Chat(site.context);
  if (manner.wait) stream->WaitForInitialMetadata();
  if (manner.late) site.await_server();
  if (manner.read_first) notes.Add(Step::kRead, stream->Read(&message));
  if (manner.last) {
    notes.Add(Step::kWrite,
              stream->Write(message, grpc::WriteOptions().set_last_message()));
  } else {
    notes.Add(Step::kWrite, stream->Write(message));
  }
  notes.Add(Step::kRead, stream->Read(&message));
  if (!manner.last) notes.Add(Step::kDone, stream->WritesDone());
  notes.Add(Step::kRead, stream->Read(&message));
  return notes.Finish(stream->Finish(), *site.context);
}

}  // namespace

std::vector<ShopCall> SyncCalls() {
  std::vector<ShopCall> calls;
  const auto add = [&calls](const char* kind, const char* method, auto* run,
                            const Manner& manner, const char* success,
                            const char* refusal) {
    calls.push_back(
        {std::string(kind) + "Sync" + manner.name, method,
         [run, manner](const CallSite& site) { return run(site, manner); },
         success, refusal});
  };
  for (const Manner& manner : {kPlain, kCorked}) {
    add("Unary", "GetPrice", Unary, manner, "", "");
  }
  for (const Manner& manner : {kPlain, kCorked, kWait}) {
    add("ServerStream", "WatchStock", ServerStream, manner, "read 110",
        "read 0");
  }
  for (const Manner& manner : {kPlain, kCorked, kWait, kLate}) {
    add("ClientStream", "UploadReceipts", ClientStream, manner,
        "write 11, done 1", "write 00, done 0");
    add("Bidi", "Chat", Bidi, manner, "write 1, done 1, read 10",
        "write 0, done 0, read 00");
  }
  for (const Manner& manner : {kLast, kCorkedLast}) {
    add("ClientStream", "UploadReceipts", ClientStream, manner, "write 11",
        "write 00");
    add("Bidi", "Chat", Bidi, manner, "write 1, read 10", "write 0, read 00");
  }
  add("Bidi", "Chat", Bidi, kReadFirst, "write 1, done 1, read 110",
      "write 0, done 0, read 000");
  return calls;
}

}  // namespace autobreaker
