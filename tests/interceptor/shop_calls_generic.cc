// GenericStub, which knows messages as bytes and every method as a stream, and
// the template it is made from, here with the messages of the method.

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/strings/str_cat.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/tests/interceptor/queue_steps.h"
#include "autobreaker/tests/interceptor/scripted_reactors.h"
#include "autobreaker/tests/interceptor/shop_calls.h"

namespace autobreaker {
namespace {

std::string Path(const std::string& method) {
  return absl::StrCat("/", shop::Shop::service_full_name(), "/", method);
}

// ------------------------------------------------------------ As every kind

template <typename Request, typename Response>
Observed StreamQueue(const CallSite& site, const Manner& manner,
                     const std::string& method, const Request& request) {
  CallNotes notes;
  QueueSteps steps(&notes);
  site.context->set_initial_metadata_corked(manner.corked);
  grpc::TemplatedGenericStub<Request, Response> stub(site.channel);
  Response response;
  grpc::Status status;
  // gRPC copies the name too late for a temporary: the string has to live.
  const std::string path = Path(method);
  auto stream = stub.PrepareCall(site.context, path, steps.queue());
  stream->StartCall(steps.Tag(Step::kStart));
  if (manner.read_first) stream->Read(&response, steps.Tag(Step::kRead));
  if (!manner.corked) steps.Await(Step::kStart);
  if (manner.wait) {
    stream->ReadInitialMetadata(steps.Tag(Step::kMetadata));
    steps.Await(Step::kMetadata);
  }
  if (manner.late) site.await_server();
  if (manner.last) {
    stream->WriteLast(request, grpc::WriteOptions(), steps.Tag(Step::kWrite));
    steps.Await(Step::kWrite);
  } else {
    stream->Write(request, steps.Tag(Step::kWrite));
    steps.Await(Step::kWrite);
    stream->WritesDone(steps.Tag(Step::kDone));
    steps.Await(Step::kDone);
  }
  if (!manner.read_first) stream->Read(&response, steps.Tag(Step::kRead));
  while (steps.Await(Step::kRead)) {
    stream->Read(&response, steps.Tag(Step::kRead));
  }
  stream->Finish(&status, steps.Tag(Step::kFinish));
  steps.Await(Step::kFinish);
  return notes.Finish(status, *site.context);
}

template <typename Request, typename Response>
Observed StreamCallback(const CallSite& site, const Manner& manner,
                        const std::string& method, const Request& request) {
  grpc::TemplatedGenericStub<Request, Response> stub(site.channel);
  const std::string path = Path(method);
  ScriptedBidiReactor<Request, Response> reactor(request);
  return reactor.Run(site, manner, [&](auto* self) {
    stub.PrepareBidiStreamingCall(site.context, path, {}, self);
  });
}

// ----------------------------------------------------------------- As unary

template <typename Request, typename Response>
Observed UnaryQueue(const CallSite& site, const Manner& manner,
                    const std::string& method, const Request& request) {
  CallNotes notes;
  QueueSteps steps(&notes);
  site.context->set_initial_metadata_corked(manner.corked);
  grpc::TemplatedGenericStub<Request, Response> stub(site.channel);
  Response response;
  grpc::Status status;
  const std::string path = Path(method);
  const auto call =
      stub.PrepareUnaryCall(site.context, path, request, steps.queue());
  call->StartCall();
  if (manner.wait) {
    call->ReadInitialMetadata(steps.Tag(Step::kMetadata));
    steps.Await(Step::kMetadata);
  }
  call->Finish(&response, &status, steps.Tag(Step::kFinish));
  steps.Await(Step::kFinish);
  return notes.Finish(status, *site.context);
}

template <typename Request, typename Response>
Observed UnaryFunction(const CallSite& site, const Manner& manner,
                       const std::string& method, const Request& request) {
  CallNotes notes;
  site.context->set_initial_metadata_corked(manner.corked);
  grpc::TemplatedGenericStub<Request, Response> stub(site.channel);
  Response response;
  ScriptedEnd end;
  const std::string path = Path(method);
  stub.UnaryCall(site.context, path, {}, &request, &response,
                 [&end](const grpc::Status& status) { end.Done(status); });
  return end.Await(&notes, *site.context);
}

template <typename Request, typename Response>
Observed UnaryCallback(const CallSite& site, const Manner& manner,
                       const std::string& method, const Request& request) {
  grpc::TemplatedGenericStub<Request, Response> stub(site.channel);
  Response response;
  const std::string path = Path(method);
  ScriptedUnaryReactor reactor;
  return reactor.Run(site, manner, [&](ScriptedUnaryReactor* self) {
    stub.PrepareUnaryCall(site.context, path, {}, &request, &response, self);
  });
}

// ---------------------------------------------------------------- The table

template <typename Request>
using Driver = Observed (*)(const CallSite&, const Manner&, const std::string&,
                            const Request&);

// Puts the same into bytes.
grpc::ByteBuffer Bytes(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

class Table {
 public:
  template <typename Request>
  void Add(const std::string& name, const std::string& method,
           Driver<Request> run, const Request& request, const Manner& manner,
           const std::string& success, const std::string& refusal) {
    calls.push_back({"Generic" + name + manner.name, method,
                     [=](const CallSite& site) {
                       return run(site, manner, method, request);
                     },
                     success, refusal});
  }

  // `read` is what reading gives, and `unary_request` says that the server
  // does not know of the call before it has the whole request.
  template <typename Request, typename Response>
  void AddStreams(const std::string& kind, const std::string& method,
                  const Request& request, const std::string& read,
                  bool unary_request) {
    constexpr auto* queue = StreamQueue<Request, Response>;
    constexpr auto* callback = StreamCallback<Request, Response>;
    for (const Manner& manner :
         {kPlain, kCorked, kWait, kLate, kCorkedLate, kReadFirst,
          kCorkedReadFirst, kLast, kCorkedLast}) {
      if (unary_request && !manner.corked && (manner.wait || manner.late)) {
        continue;  // would wait for what the server cannot send yet
      }
      const std::string done[] = {manner.last ? "" : ", done 0",
                                  manner.last ? "" : ", done 1"};
      const std::string start[] = {manner.corked ? "" : "start 0, ",
                                   manner.corked ? "" : "start 1, "};
      const std::string metadata[] = {manner.wait ? "metadata 0, " : "",
                                      manner.wait ? "metadata 1, " : ""};
      if (!(manner.corked && manner.late)) {  // there is no such moment
        Add<Request>(kind + "Queue", method, queue, request, manner,
                     start[1] + metadata[1] + "write 1" + done[1] + ", read " +
                         read + ", finish 1",
                     start[0] + metadata[0] + "write 0" + done[0] +
                         ", read 0, finish 1");
      }
      Add<Request>(kind + "Callback", method, callback, request, manner,
                   "metadata 1, write 1" + done[1] + ", read " + read,
                   "metadata 0, write 0" + done[0] + ", read 0");
    }
  }

  template <typename Request, typename Response>
  void AddUnary(const std::string& kind, const std::string& method,
                const Request& request) {
    for (const Manner& manner : {kPlain, kCorked}) {
      Add<Request>(kind + "Queue", method, UnaryQueue<Request, Response>,
                   request, manner, "finish 1", "finish 1");
      Add<Request>(kind + "Function", method, UnaryFunction<Request, Response>,
                   request, manner, "", "");
      Add<Request>(kind + "Callback", method, UnaryCallback<Request, Response>,
                   request, manner, "metadata 1", "metadata 1");
    }
    Add<Request>(kind + "Queue", method, UnaryQueue<Request, Response>, request,
                 kWait, "metadata 1, finish 1", "metadata 1, finish 1");
  }

  std::vector<ShopCall> calls;
};

}  // namespace

std::vector<ShopCall> GenericCalls() {
  using grpc::ByteBuffer;
  shop::StockRequest two_levels;
  two_levels.set_levels(2);
  Table table;
  table.AddUnary<shop::PriceRequest, shop::PriceReply>("Unary", "GetPrice", {});
  table.AddUnary<ByteBuffer, ByteBuffer>("BytesUnary", "GetPrice",
                                         Bytes(shop::PriceRequest()));

  table.AddStreams<shop::PriceRequest, shop::PriceReply>(
      "UnaryAsStream", "GetPrice", {}, "10", /*unary_request=*/true);
  table.AddStreams<shop::StockRequest, shop::StockLevel>(
      "ServerStream", "WatchStock", two_levels, "110", true);
  table.AddStreams<shop::Receipt, shop::UploadReply>(
      "ClientStream", "UploadReceipts", {}, "10", false);
  table.AddStreams<shop::ChatMessage, shop::ChatMessage>("Bidi", "Chat", {},
                                                         "10", false);

  table.AddStreams<ByteBuffer, ByteBuffer>("BytesUnaryAsStream", "GetPrice",
                                           Bytes(shop::PriceRequest()), "10",
                                           true);
  table.AddStreams<ByteBuffer, ByteBuffer>("BytesServerStream", "WatchStock",
                                           Bytes(two_levels), "110", true);
  table.AddStreams<ByteBuffer, ByteBuffer>("BytesClientStream",
                                           "UploadReceipts",
                                           Bytes(shop::Receipt()), "10", false);
  table.AddStreams<ByteBuffer, ByteBuffer>(
      "BytesBidi", "Chat", Bytes(shop::ChatMessage()), "10", false);
  return table.calls;
}

}  // namespace autobreaker
