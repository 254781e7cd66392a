#include "autobreaker/interceptor/health_prober.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>
#include <grpcpp/support/status.h>

#include <future>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/breaker/types.h"
#include "autobreaker/interceptor/classification.h"
#include "autobreaker/proto/health_check.pb.h"

namespace autobreaker {
namespace {

using details::HealthCheckRequest;
using details::HealthCheckResponse;

// At most one probe in ten is asked for in vain, and counted in calls that is
// seldom enough at any rate of calls.
constexpr int kProbesLeftAlone = 9;

grpc::ByteBuffer RequestFor(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  const grpc::Slice slice(request.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

// What an answer says about the server.
Outcome OutcomeOf(const grpc::Status& status,
                  const grpc::ByteBuffer& response) {
  if (!status.ok()) {
    return Classification().ByCode(status.error_code()) == Outcome::kFailure
               ? Outcome::kFailure
               : Outcome::kIgnored;
  }
  grpc::Slice slice;
  HealthCheckResponse parsed;
  if (!response.DumpToSingleSlice(&slice).ok() ||
      !parsed.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) {
    return Outcome::kIgnored;
  }
  switch (parsed.status()) {
    case HealthCheckResponse::SERVING:
      return Outcome::kSuccess;
    case HealthCheckResponse::SERVICE_UNKNOWN:  // some say it for NOT_FOUND
      return Outcome::kIgnored;
    default:
      return Outcome::kFailure;
  }
}

// One call of the health service.
struct Check {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
};

// Opens when nobody shares it any more.
struct Latch {
  ~Latch() { opens.set_value(); }

  std::promise<void> opens;
};

}  // namespace

class HealthProber::Impl {
 public:
  Impl(std::shared_ptr<grpc::Channel> channel, HealthProberOptions options)
      : options_(std::move(options)),
        stub_(std::move(channel)),
        latch_(std::make_shared<Latch>()) {}

  ~Impl();

  bool TakeOver(std::shared_ptr<CircuitBreaker> breaker, Permit* permit);

 private:
  // The permits that wait for an answer, by breaker, which outlives them.
  using Waiting =
      std::map<std::shared_ptr<CircuitBreaker>, std::vector<Permit>>;

  void End(const grpc::Status& status, const Check& check);

  const HealthProberOptions options_;
  grpc::GenericStub stub_;

  Mutex mu_;
  // Null, and nobody waiting, unless a check is under way.
  std::shared_ptr<Check> check_ ABSL_GUARDED_BY(mu_);
  Waiting waiting_ ABSL_GUARDED_BY(mu_);
  // How many more to leave to users' calls.
  int probes_left_alone_ ABSL_GUARDED_BY(mu_) = 0;

  // Shared with the callbacks of all checks.
  std::shared_ptr<Latch> latch_;
};

absl::Status HealthProberOptions::Validate() const {
  std::vector<std::string> errors;
  if (ReplaceInvalidUtf8(service) != service) {
    errors.push_back(absl::StrCat("service is \"", absl::CHexEscape(service),
                                  "\", must be UTF-8 without U+FFFD"));
  }
  if (timeout < absl::Milliseconds(1) || timeout > absl::Hours(1)) {
    errors.push_back(absl::StrCat("timeout is ", absl::FormatDuration(timeout),
                                  ", must be in [1ms, 1h]"));
  }
  if (errors.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(errors, "; "));
}

absl::StatusOr<std::shared_ptr<HealthProber>> HealthProber::Create(
    std::shared_ptr<grpc::Channel> channel, HealthProberOptions options) {
  if (channel == nullptr) {
    return absl::InvalidArgumentError("channel is null, must be a channel");
  }
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  return std::shared_ptr<HealthProber>(new HealthProber(
      std::make_unique<Impl>(std::move(channel), std::move(options))));
}

HealthProber::HealthProber(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

HealthProber::~HealthProber() = default;

bool HealthProber::TakeOver(std::shared_ptr<CircuitBreaker> breaker,
                            Permit* permit) {
  return impl_->TakeOver(std::move(breaker), permit);
}

// Were the channel the callback's to let go of, gRPC might have the thread that
// runs the callback wait for itself.
HealthProber::Impl::~Impl() {
  std::shared_ptr<Check> check;
  {
    MutexLock lock(&mu_);
    check = check_;
  }
  // Without the lock, which the callback takes.
  if (check != nullptr) check->context.TryCancel();
  check.reset();
  const std::future<void> opened = latch_->opens.get_future();
  latch_.reset();
  opened.wait();
}

bool HealthProber::Impl::TakeOver(std::shared_ptr<CircuitBreaker> breaker,
                                  Permit* permit) {
  std::shared_ptr<Check> check;
  {
    MutexLock lock(&mu_);
    const bool under_way = check_ != nullptr;
    if (!under_way && probes_left_alone_ > 0) {
      --probes_left_alone_;
      return false;
    }
    waiting_[std::move(breaker)].push_back(std::move(*permit));
    if (under_way) return true;
    check_ = check = std::make_shared<Check>();
  }
  check->context.set_deadline(
      absl::ToChronoTime(absl::Now() + options_.timeout));
  check->request = RequestFor(options_.service);
  // gRPC keeps no copy of the name.
  static const std::string* const method =
      new std::string("/grpc.health.v1.Health/Check");
  stub_.UnaryCall(&check->context, *method, grpc::StubOptions(),
                  &check->request, &check->response,
                  [this, c = check.get(), latch = latch_](
                      const grpc::Status& status) { End(status, *c); });
  return true;
}

void HealthProber::Impl::End(const grpc::Status& status, const Check& check) {
  const Outcome outcome = OutcomeOf(status, check.response);
  Waiting waiting;
  std::shared_ptr<Check> ended;  // goes before the channel it refers to
  {
    MutexLock lock(&mu_);
    if (outcome == Outcome::kIgnored) probes_left_alone_ = kProbesLeftAlone;
    waiting.swap(waiting_);
    ended.swap(check_);
  }
  for (auto& [breaker, permits] : waiting) {
    // One answer is one result. The newest permit has it, since those before it
    // may have lost their leases.
    if (outcome == Outcome::kSuccess) {
      permits.back().LeaveToCalls();
    } else {
      permits.back().Record(outcome);
    }
    for (Permit& permit : permits) permit.Record(Outcome::kIgnored);
  }
}

}  // namespace autobreaker
