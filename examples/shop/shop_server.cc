#include "autobreaker/examples/shop/shop_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"

namespace autobreaker::demo {
namespace {

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;
using std::chrono::system_clock;

// Longer than calls of the demo may be slow, shorter than their deadline.
constexpr auto kSlowness = std::chrono::milliseconds(150);
// For clients that set no deadline.
constexpr auto kLongestHang = std::chrono::seconds(5);

}  // namespace

class BreakingShop final : public shop::Shop::Service {
 public:
  BreakingShop(MonotonicTime start, const FaultSchedule& faults)
      : start_(start), faults_(faults) {}

  // Ends every pause, so that the server can shut down.
  void Stop() {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }

 private:
  Fault NextFault(ShopMethod method) {
    const uint64_t call = calls_[static_cast<int>(method)].fetch_add(1);
    const auto elapsed = MonotonicTime::clock::now() - start_;
    return faults_.FaultFor(method, absl::FromChrono(elapsed), call);
  }

  void PauseUntil(system_clock::time_point time) {
    absl::MutexLock lock(&mu_);
    mu_.AwaitWithDeadline(absl::Condition(&stopping_), absl::FromChrono(time));
  }

  static Status Broken(StatusCode code) {
    return Status(code, "the demo's schedule says so");
  }

  Status GetPrice(ServerContext*, const shop::PriceRequest* request,
                  shop::PriceReply* reply) override {
    if (NextFault(ShopMethod::kGetPrice) == Fault::kFails) {
      return Broken(StatusCode::INTERNAL);
    }
    reply->set_cents(100 * static_cast<int64_t>(request->item().size()));
    return Status::OK;
  }

  Status PlaceOrder(ServerContext*, const shop::OrderRequest*,
                    shop::OrderReply* reply) override {
    if (NextFault(ShopMethod::kPlaceOrder) == Fault::kFails) {
      return Broken(StatusCode::UNAVAILABLE);
    }
    reply->set_order_id(absl::StrCat("order-", ++orders_));
    return Status::OK;
  }

  Status WatchStock(ServerContext*, const shop::StockRequest* request,
                    grpc::ServerWriter<shop::StockLevel>* writer) override {
    const bool breaks_off =
        NextFault(ShopMethod::kWatchStock) == Fault::kBreaksOff;
    shop::StockLevel level;
    for (int32_t i = 0; i < request->levels(); ++i) {
      if (breaks_off && i >= request->levels() / 2) {
        return Broken(StatusCode::DATA_LOSS);
      }
      level.set_count(request->levels() - i);
      if (!writer->Write(level)) break;
    }
    return Status::OK;
  }

  Status UploadReceipts(ServerContext* context,
                        grpc::ServerReader<shop::Receipt>* reader,
                        shop::UploadReply* reply) override {
    const Fault fault = NextFault(ShopMethod::kUpload);
    shop::Receipt receipt;
    int32_t receipts = 0;
    while (reader->Read(&receipt)) ++receipts;
    if (fault == Fault::kHangs) {
      PauseUntil(
          std::min(context->deadline(), system_clock::now() + kLongestHang));
    }
    reply->set_receipts(receipts);
    return Status::OK;
  }

  Status Chat(ServerContext*,
              grpc::ServerReaderWriter<shop::ChatMessage, shop::ChatMessage>*
                  stream) override {
    const Fault fault = NextFault(ShopMethod::kChat);
    shop::ChatMessage message;
    if (!stream->Read(&message)) return Status::OK;
    if (fault == Fault::kIsSlow) PauseUntil(system_clock::now() + kSlowness);
    do {
      if (!stream->Write(message)) break;
    } while (stream->Read(&message));
    return Status::OK;
  }

  const MonotonicTime start_;
  const FaultSchedule faults_;
  std::array<std::atomic<uint64_t>, kShopMethodCount> calls_ = {};
  std::atomic<uint64_t> orders_{0};
  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

std::unique_ptr<ShopServer> ShopServer::Start(MonotonicTime start,
                                              const FaultSchedule& faults) {
  auto server = std::unique_ptr<ShopServer>(new ShopServer);
  server->shop_ = std::make_unique<BreakingShop>(start, faults);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(server->shop_.get());
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) return nullptr;
  server->address_ = absl::StrCat("127.0.0.1:", port);
  return server;
}

ShopServer::ShopServer() = default;

ShopServer::~ShopServer() {
  shop_->Stop();
  if (server_ != nullptr) {
    server_->Shutdown(system_clock::now() + std::chrono::seconds(1));
  }
}

}  // namespace autobreaker::demo
