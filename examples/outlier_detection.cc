// A breaker beside gRPC's own outlier detection: one takes a bad server out of
// several, the other takes the load off a service that cannot answer.
//
// Four channels call the same three servers. In the first seconds one of them
// fails every call, and then all three do.
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/examples/shop/flaky_shop.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/interceptor/guarded_channel.h"
#include "autobreaker/interceptor/refusal_status.h"

namespace autobreaker::demo {
namespace {

constexpr char kTakingTurns[] = R"({"round_robin": {}})";

// Every second, a server of which more than half of at least ten calls failed
// is left out, for ten seconds and more.
constexpr char kWithoutOutliers[] = R"({
  "outlier_detection_experimental": {
    "interval": "1s",
    "baseEjectionTime": "10s",
    "maxEjectionPercent": 50,
    "failurePercentageEjection": {
      "threshold": 50, "minimumHosts": 3, "requestVolume": 10,
      "enforcementPercentage": 100
    },
    "childPolicy": [{"round_robin": {}}]
  }
})";

grpc::ChannelArguments Balancing(const std::string& policy) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(
      absl::StrCat(R"({"loadBalancingConfig": [)", policy, "]}"));
  return arguments;
}

class Caller {
 public:
  explicit Caller(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(shop::Shop::NewStub(channel)) {}

  void Call() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::seconds(1));
    shop::PriceReply reply;
    const grpc::Status status =
        stub_->GetPrice(&context, shop::PriceRequest(), &reply);
    if (status.ok()) {
      ++answered_;
    } else if (ParseRefusal(status).has_value()) {
      ++refused_;
    } else {
      ++failed_;
    }
  }

  // Since the last time.
  std::string Tell() {
    const std::string text =
        absl::StrFormat("%6d%7d%8d", std::exchange(answered_, 0),
                        std::exchange(failed_, 0), std::exchange(refused_, 0));
    return text;
  }

 private:
  const std::unique_ptr<shop::Shop::Stub> stub_;
  int answered_ = 0;
  int failed_ = 0;
  int refused_ = 0;
};

int Run() {
  constexpr absl::Duration kAllFail = absl::Seconds(5);
  constexpr absl::Duration kEnd = absl::Seconds(9);
  FlakyShop shops[3];
  std::vector<std::string> addresses;
  for (const FlakyShop& shop : shops) addresses.push_back(shop.address());
  const std::string target =
      absl::StrCat("ipv4:", absl::StrJoin(addresses, ","));
  const auto registry = BreakerRegistry::Create().value();
  const auto credentials = grpc::InsecureChannelCredentials();
  Caller callers[] = {
      Caller(grpc::CreateCustomChannel(target, credentials,
                                       Balancing(kTakingTurns))),
      Caller(CreateGuardedChannel(target, credentials, registry,
                                  InterceptorOptions::WithName("breaker"),
                                  Balancing(kTakingTurns))),
      Caller(grpc::CreateCustomChannel(target, credentials,
                                       Balancing(kWithoutOutliers))),
      Caller(CreateGuardedChannel(target, credentials, registry,
                                  InterceptorOptions::WithName("both"),
                                  Balancing(kWithoutOutliers))),
  };
  absl::PrintF("%-15s%-24s%-24s%-24s%s\n", "", "neither", "breaker",
               "outlier detection", "both");
  absl::PrintF("%-9s", "servers");
  for (int i = 0; i < 4; ++i) absl::PrintF("   answer   fail  refuse");
  absl::PrintF("\n");
  const absl::Time start = absl::Now();
  absl::Time told = start;
  shops[0].SetFailing(true);
  while (absl::Now() < start + kEnd) {
    const bool all = absl::Now() >= start + kAllFail;
    for (int i = 1; i < 3; ++i) shops[i].SetFailing(all);
    for (Caller& caller : callers) caller.Call();
    absl::SleepFor(absl::Milliseconds(5));
    if (absl::Now() < told + absl::Seconds(1)) continue;
    told += absl::Seconds(1);
    absl::PrintF("%-9s", all ? "all bad" : "one bad");
    for (Caller& caller : callers) absl::PrintF("   %s", caller.Tell());
    absl::PrintF("\n");
  }
  return 0;
}

}  // namespace
}  // namespace autobreaker::demo

int main() { return autobreaker::demo::Run(); }
