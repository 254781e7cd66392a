#include "autobreaker/examples/demo/traffic.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "autobreaker/examples/health/health.grpc.pb.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"

namespace autobreaker::demo {
namespace {

namespace health = grpc::health::v1;

// 16 calls a second and method. Several threads, so that calls that hang do not
// keep others from finding out.
constexpr int kThreadsPerCall = 4;
constexpr absl::Duration kPeriod = absl::Milliseconds(250);

constexpr int kStockLevels = 4;
constexpr int kReceipts = 3;
constexpr int kMessages = 2;

void SetDeadline(absl::Duration deadline, grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() +
                        absl::ToChronoMicroseconds(deadline));
}

}  // namespace

std::vector<CallFunction> ShopCalls(std::shared_ptr<grpc::Channel> channel,
                                    absl::Duration deadline,
                                    std::function<void()> on_order) {
  const std::shared_ptr<shop::Shop::Stub> stub = shop::Shop::NewStub(channel);
  return {
      [stub, deadline] {
        grpc::ClientContext context;
        SetDeadline(deadline, &context);
        shop::PriceRequest request;
        request.set_item("tea");
        shop::PriceReply reply;
        stub->GetPrice(&context, request, &reply);
      },
      [stub, deadline, on_order = std::move(on_order)] {
        grpc::ClientContext context;
        SetDeadline(deadline, &context);
        shop::OrderRequest request;
        request.set_item("tea");
        request.set_count(1);
        shop::OrderReply reply;
        if (stub->PlaceOrder(&context, request, &reply).ok()) on_order();
      },
      [stub, deadline] {
        grpc::ClientContext context;
        SetDeadline(deadline, &context);
        shop::StockRequest request;
        request.set_item("tea");
        request.set_levels(kStockLevels);
        const auto reader = stub->WatchStock(&context, request);
        shop::StockLevel level;
        while (reader->Read(&level)) {
        }
        reader->Finish();
      },
      [stub, deadline] {
        grpc::ClientContext context;
        SetDeadline(deadline, &context);
        shop::UploadReply reply;
        const auto writer = stub->UploadReceipts(&context, &reply);
        shop::Receipt receipt;
        receipt.set_text("one tea");
        for (int i = 0; i < kReceipts && writer->Write(receipt); ++i) {
        }
        writer->WritesDone();
        writer->Finish();
      },
      [stub, deadline] {
        grpc::ClientContext context;
        SetDeadline(deadline, &context);
        const auto stream = stub->Chat(&context);
        shop::ChatMessage message;
        message.set_text("hello");
        for (int i = 0; i < kMessages; ++i) {
          if (!stream->Write(message) || !stream->Read(&message)) break;
        }
        stream->WritesDone();
        stream->Finish();
      },
  };
}

std::vector<CallFunction> HealthCalls(std::shared_ptr<grpc::Channel> channel,
                                      absl::Duration deadline) {
  const std::shared_ptr<health::Health::Stub> stub =
      health::Health::NewStub(channel);
  return {
      [stub, deadline] {
        grpc::ClientContext context;
        SetDeadline(deadline, &context);
        health::HealthCheckResponse response;
        stub->Check(&context, health::HealthCheckRequest(), &response);
      },
      [stub, deadline] {
        grpc::ClientContext context;
        SetDeadline(deadline, &context);
        const auto reader = stub->Watch(&context, health::HealthCheckRequest());
        health::HealthCheckResponse response;
        // Servers go on watching for ever; one answer is enough.
        if (reader->Read(&response)) context.TryCancel();
        reader->Finish();
      },
  };
}

Traffic::Traffic(const std::vector<CallFunction>& calls) {
  const absl::Time now = absl::Now();
  for (const CallFunction& call : calls) {
    for (int i = 0; i < kThreadsPerCall; ++i) {
      threads_.emplace_back(&Traffic::KeepCalling, this, call,
                            now + kPeriod * i / kThreadsPerCall);
    }
  }
}

Traffic::~Traffic() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void Traffic::KeepCalling(const CallFunction& call, absl::Time first) {
  for (absl::Time next = first;;) {
    {
      absl::MutexLock lock(&mu_);
      if (mu_.AwaitWithDeadline(absl::Condition(&stopping_), next)) return;
    }
    call();
    next = std::max(next + kPeriod, absl::Now());
  }
}

}  // namespace autobreaker::demo
