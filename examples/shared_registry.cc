// One registry for several channels.
//
// Breakers belong to a name, a service and a method. Channels of one name share
// theirs: two connections to one server fail together. Channels of different
// names do not, although they call the same methods. One registry shows them
// all, in one collector, one configuration and one admin service.
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/examples/shop/flaky_shop.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/interceptor/guarded_channel.h"

namespace autobreaker::demo {
namespace {

void AskForPrice(const std::shared_ptr<grpc::Channel>& channel, int times) {
  const auto stub = shop::Shop::NewStub(channel);
  for (int i = 0; i < times; ++i) {
    grpc::ClientContext context;
    shop::PriceReply reply;
    stub->GetPrice(&context, shop::PriceRequest(), &reply);
  }
}

void Show(const BreakerRegistry& registry, absl::string_view title) {
  absl::PrintF("%s\n", title);
  for (const auto& breaker : registry.Breakers()) {
    const BreakerSnapshot s = breaker->Snapshot();
    absl::PrintF("  %-8s %-9s %-9s %3d calls  %2d failed\n", s.key.name,
                 s.key.method, ToString(s.state), s.requests, s.failures);
  }
}

int Run() {
  FlakyShop berlin;
  FlakyShop madrid;

  RegistryOptions options;
  // For the example, which is quicker than any lost connection.
  options.defaults.trip.evidence->tolerated_burst = absl::ZeroDuration();
  options.defaults.open.duration = absl::Seconds(10);
  const auto registry = BreakerRegistry::Create(options).value();
  const auto channel_to = [&registry](const std::string& name,
                                      const FlakyShop& shop) {
    return CreateGuardedChannel(shop.address(),
                                grpc::InsecureChannelCredentials(), registry,
                                InterceptorOptions::WithName(name));
  };
  const auto berlin_1 = channel_to("berlin", berlin);
  const auto berlin_2 = channel_to("berlin", berlin);
  const auto madrid_1 = channel_to("madrid", madrid);

  AskForPrice(berlin_1, 10);
  AskForPrice(berlin_2, 10);
  AskForPrice(madrid_1, 10);
  Show(*registry, "Two channels to berlin count in one breaker:");

  berlin.SetFailing(true);
  AskForPrice(berlin_1, 100);
  AskForPrice(madrid_1, 10);
  Show(*registry, "Berlin fails, Madrid does not:");

  const int before = berlin.calls();
  AskForPrice(berlin_2, 1);
  absl::PrintF("The other channel to berlin sends %d calls.\n",
               berlin.calls() - before);
  return 0;
}

}  // namespace
}  // namespace autobreaker::demo

int main() { return autobreaker::demo::Run(); }
