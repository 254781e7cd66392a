// The completion queue API.

#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/tests/interceptor/queue_steps.h"
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

// Calls are prepared and then started in some manners, and made in one go in
// others: gRPC has both, with code of their own.

Observed Unary(const CallSite& site, const Manner& manner) {
  CallNotes notes;
  QueueSteps steps(&notes);
  site.context->set_initial_metadata_corked(manner.corked);
  const auto stub = Shop::NewStub(site.channel);
  PriceReply reply;
  grpc::Status status;
  if (manner.wait) {
    const auto call = stub->AsyncGetPrice(site.context, {}, steps.queue());
    call->ReadInitialMetadata(steps.Tag(Step::kMetadata));
    steps.Await(Step::kMetadata);
    call->Finish(&reply, &status, steps.Tag(Step::kFinish));
    steps.Await(Step::kFinish);
  } else {
    const auto call =
        stub->PrepareAsyncGetPrice(site.context, {}, steps.queue());
    call->StartCall();
    call->Finish(&reply, &status, steps.Tag(Step::kFinish));
    steps.Await(Step::kFinish);
  }
  return notes.Finish(status, *site.context);
}

Observed ServerStream(const CallSite& site, const Manner& manner) {
  CallNotes notes;
  QueueSteps steps(&notes);
  site.context->set_initial_metadata_corked(manner.corked);
  const auto stub = Shop::NewStub(site.channel);
  StockRequest request;
  request.set_levels(2);
  StockLevel level;
  grpc::Status status;
  auto reader =
      stub->PrepareAsyncWatchStock(site.context, request, steps.queue());
  reader->StartCall(steps.Tag(Step::kStart));
  if (manner.read_first) reader->Read(&level, steps.Tag(Step::kRead));
  steps.Await(Step::kStart);
  if (manner.wait) {
    reader->ReadInitialMetadata(steps.Tag(Step::kMetadata));
    steps.Await(Step::kMetadata);
  }
  if (!manner.read_first) reader->Read(&level, steps.Tag(Step::kRead));
  while (steps.Await(Step::kRead)) {
    reader->Read(&level, steps.Tag(Step::kRead));
  }
  reader->Finish(&status, steps.Tag(Step::kFinish));
  steps.Await(Step::kFinish);
  return notes.Finish(status, *site.context);
}

Observed ClientStream(const CallSite& site, const Manner& manner) {
  CallNotes notes;
  QueueSteps steps(&notes);
  site.context->set_initial_metadata_corked(manner.corked);
  const auto stub = Shop::NewStub(site.channel);
  UploadReply reply;
  grpc::Status status;
  auto writer = stub->AsyncUploadReceipts(site.context, &reply, steps.queue(),
                                          steps.Tag(Step::kStart));
  if (!manner.corked) steps.Await(Step::kStart);
  if (manner.wait) {
    writer->ReadInitialMetadata(steps.Tag(Step::kMetadata));
    steps.Await(Step::kMetadata);
  }
  if (manner.late) site.await_server();
  writer->Write(Receipt(), steps.Tag(Step::kWrite));
  steps.Await(Step::kWrite);
  if (manner.last) {
    writer->WriteLast(Receipt(), grpc::WriteOptions(), steps.Tag(Step::kWrite));
    steps.Await(Step::kWrite);
  } else {
    writer->Write(Receipt(), steps.Tag(Step::kWrite));
    steps.Await(Step::kWrite);
    writer->WritesDone(steps.Tag(Step::kDone));
    steps.Await(Step::kDone);
  }
  writer->Finish(&status, steps.Tag(Step::kFinish));
  steps.Await(Step::kFinish);
  return notes.Finish(status, *site.context);
}

Observed Bidi(const CallSite& site, const Manner& manner) {
  CallNotes notes;
  QueueSteps steps(&notes);
  site.context->set_initial_metadata_corked(manner.corked);
  const auto stub = Shop::NewStub(site.channel);
  ChatMessage message;
  ChatMessage reply;
  grpc::Status status;
  auto stream = stub->PrepareAsyncChat(site.context, steps.queue());
  stream->StartCall(steps.Tag(Step::kStart));
  if (manner.read_first) stream->Read(&reply, steps.Tag(Step::kRead));
  if (!manner.corked) steps.Await(Step::kStart);
  if (manner.wait) {
    stream->ReadInitialMetadata(steps.Tag(Step::kMetadata));
    steps.Await(Step::kMetadata);
  }
  if (manner.late) site.await_server();
  if (manner.last) {
    stream->WriteLast(message, grpc::WriteOptions(), steps.Tag(Step::kWrite));
  } else {
    stream->Write(message, steps.Tag(Step::kWrite));
  }
  steps.Await(Step::kWrite);
  if (!manner.read_first) stream->Read(&reply, steps.Tag(Step::kRead));
  const bool read = steps.Await(Step::kRead);
  if (!manner.last) {
    stream->WritesDone(steps.Tag(Step::kDone));
    steps.Await(Step::kDone);
  }
  if (read) {
    stream->Read(&reply, steps.Tag(Step::kRead));
    steps.Await(Step::kRead);
  }
  stream->Finish(&status, steps.Tag(Step::kFinish));
  steps.Await(Step::kFinish);
  return notes.Finish(status, *site.context);
}

}  // namespace

std::vector<ShopCall> QueueCalls() {
  std::vector<ShopCall> calls;
  const auto add = [&calls](const char* kind, const char* method, auto* run,
                            const Manner& manner, const char* success,
                            const char* refusal) {
    calls.push_back(
        {std::string(kind) + "Queue" + manner.name, method,
         [run, manner](const CallSite& site) { return run(site, manner); },
         success, refusal});
  };
  for (const Manner& manner : {kPlain, kCorked}) {
    add("Unary", "GetPrice", Unary, manner, "finish 1", "finish 1");
  }
  add("Unary", "GetPrice", Unary, kWait, "metadata 1, finish 1",
      "metadata 1, finish 1");
  for (const Manner& manner : {kPlain, kCorked, kReadFirst}) {
    add("ServerStream", "WatchStock", ServerStream, manner,
        "start 1, read 110, finish 1", "start 1, read 0, finish 1");
  }
  add("ServerStream", "WatchStock", ServerStream, kWait,
      "start 1, metadata 1, read 110, finish 1",
      "start 1, metadata 1, read 0, finish 1");

  for (const Manner& manner : {kPlain, kLate}) {
    add("ClientStream", "UploadReceipts", ClientStream, manner,
        "start 1, write 11, done 1, finish 1",
        "start 0, write 00, done 0, finish 1");
  }
  add("ClientStream", "UploadReceipts", ClientStream, kWait,
      "start 1, metadata 1, write 11, done 1, finish 1",
      "start 0, metadata 0, write 00, done 0, finish 1");
  add("ClientStream", "UploadReceipts", ClientStream, kCorked,
      "write 11, done 1, finish 1", "write 00, done 0, finish 1");
  add("ClientStream", "UploadReceipts", ClientStream, kLast,
      "start 1, write 11, finish 1", "start 0, write 00, finish 1");
  add("ClientStream", "UploadReceipts", ClientStream, kCorkedLast,
      "write 11, finish 1", "write 00, finish 1");

  for (const Manner& manner : {kPlain, kLate, kReadFirst}) {
    add("Bidi", "Chat", Bidi, manner,
        "start 1, write 1, done 1, read 10, finish 1",
        "start 0, write 0, done 0, read 0, finish 1");
  }
  add("Bidi", "Chat", Bidi, kWait,
      "start 1, metadata 1, write 1, done 1, read 10, finish 1",
      "start 0, metadata 0, write 0, done 0, read 0, finish 1");
  for (const Manner& manner : {kCorked, kCorkedReadFirst}) {
    add("Bidi", "Chat", Bidi, manner, "write 1, done 1, read 10, finish 1",
        "write 0, done 0, read 0, finish 1");
  }
  add("Bidi", "Chat", Bidi, kLast, "start 1, write 1, read 10, finish 1",
      "start 0, write 0, read 0, finish 1");
  add("Bidi", "Chat", Bidi, kCorkedLast, "write 1, read 10, finish 1",
      "write 0, read 0, finish 1");
  return calls;
}

}  // namespace autobreaker
