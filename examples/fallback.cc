// Answers from a cache while a breaker refuses calls.
//
// A refusal costs nothing and comes at once, so a program can have its second
// best answer ready. It should do so for refusals and for failed calls alike;
// what ParseRefusal() adds is how long to expect no better one.
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/examples/shop/flaky_shop.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/interceptor/guarded_channel.h"
#include "autobreaker/interceptor/refusal_status.h"

namespace autobreaker::demo {
namespace {

// Asks the shop for a price, and remembers it for when the shop cannot answer.
class Prices {
 public:
  explicit Prices(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(shop::Shop::NewStub(channel)) {}

  struct Answer {
    int64_t cents;
    std::string from;
  };

  // Nothing if the shop never answered.
  std::optional<Answer> Get(const std::string& item) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::seconds(1));
    shop::PriceRequest request;
    request.set_item(item);
    shop::PriceReply reply;
    const grpc::Status status = stub_->GetPrice(&context, request, &reply);
    if (status.ok()) {
      cached_ = reply.cents();
      return Answer{reply.cents(), "the shop"};
    }
    if (!cached_.has_value()) return std::nullopt;
    const std::optional<RefusalInfo> refusal = ParseRefusal(status);
    return Answer{*cached_,
                  refusal.has_value()
                      ? absl::StrCat("the cache, since the breaker is ",
                                     std::string(ToString(refusal->reason)))
                      : "the cache, since the call failed"};
  }

 private:
  const std::unique_ptr<shop::Shop::Stub> stub_;
  std::optional<int64_t> cached_;
};

int Run() {
  FlakyShop shop;
  const auto registry = BreakerRegistry::Create().value();
  Prices prices(
      CreateGuardedChannel(shop.address(), grpc::InsecureChannelCredentials(),
                           registry, InterceptorOptions::WithName("shop")));
  std::string from;
  const absl::Time start = absl::Now();
  // The shop fails from the first second to the second.
  while (absl::Now() < start + absl::Seconds(4)) {
    const absl::Duration elapsed = absl::Now() - start;
    shop.SetFailing(elapsed > absl::Seconds(1) && elapsed < absl::Seconds(2));
    const std::optional<Prices::Answer> answer = prices.Get("teapot");
    // Told when it changes.
    if (answer.has_value() && answer->from != from) {
      from = answer->from;
      absl::PrintF("%.1fs  %d cents from %s\n", absl::ToDoubleSeconds(elapsed),
                   answer->cents, from);
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  return 0;
}

}  // namespace
}  // namespace autobreaker::demo

int main() { return autobreaker::demo::Run(); }
