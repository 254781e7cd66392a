// Breakers that follow a file: change it while this runs.
//
//   cp examples/config_reload/breakers.json /tmp/breakers.json
//   ./bazelw run //examples/config_reload -- --config=/tmp/breakers.json
//
// A file that is bad or gone is told, and what was loaded last stays in force.
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registered_breaker.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/config/config_watcher.h"
#include "autobreaker/examples/demo/stop_signals.h"
#include "autobreaker/examples/shop/flaky_shop.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/interceptor/guarded_channel.h"

// --help lists them because this file is named after the program.
ABSL_FLAG(std::string, config, "",
          "the file to follow, .json or .textproto; see proto/config.proto");
ABSL_FLAG(absl::Duration, duration, absl::InfiniteDuration(),
          "how long to run; until Ctrl-C if not given");

namespace autobreaker::demo {
namespace {

void Show(const BreakerRegistry& registry) {
  for (const auto& breaker : registry.Breakers()) {
    const RegisteredSnapshot s = breaker->Snapshot();
    const BreakerOptions& o = s.options;
    absl::PrintF("  %s/%s: %s, open %s to %s, %s\n", s.key.name, s.key.method,
                 s.unguarded ? "unguarded" : ToString(s.mode),
                 absl::FormatDuration(o.open.duration),
                 absl::FormatDuration(o.open.duration_max),
                 o.trip.consecutive_failures.has_value()
                     ? absl::StrCat("after ", *o.trip.consecutive_failures,
                                    " failures in a row, too")
                     : "on evidence");
  }
  std::fflush(stdout);
}

int Run() {
  const StopSignals signals;
  FlakyShop shop;
  const auto registry = BreakerRegistry::Create().value();
  const auto stub_for = [&registry, &shop](const std::string& name) {
    return shop::Shop::NewStub(
        CreateGuardedChannel(shop.address(), grpc::InsecureChannelCredentials(),
                             registry, InterceptorOptions::WithName(name)));
  };
  const auto payments = stub_for("payments");
  const auto newcomer = stub_for("newcomer");
  const auto call = [&payments, &newcomer] {
    for (shop::Shop::Stub* const stub : {payments.get(), newcomer.get()}) {
      grpc::ClientContext price_context;
      shop::PriceReply price;
      stub->GetPrice(&price_context, shop::PriceRequest(), &price);
    }
    grpc::ClientContext context;
    shop::OrderReply order;
    payments->PlaceOrder(&context, shop::OrderRequest(), &order);
  };
  call();

  ConfigWatcherOptions options;
  options.interval = absl::Milliseconds(500);
  options.on_reload = [&registry](const absl::Status& status) {
    if (status.ok()) {
      absl::PrintF("loaded; in force now:\n");
      Show(*registry);
    } else {
      absl::PrintF("not loaded, nothing changed: %s\n", status.ToString());
      std::fflush(stdout);
    }
  };
  const auto watcher =
      ConfigWatcher::Start(absl::GetFlag(FLAGS_config), registry, options);
  if (!watcher.ok()) {
    absl::FPrintF(stderr, "config_reload: --config: %s\n",
                  watcher.status().message());
    return EXIT_FAILURE;
  }
  const absl::Time end = absl::Now() + absl::GetFlag(FLAGS_duration);
  while (absl::Now() < end && !signals.Wait(absl::Milliseconds(100))) call();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace autobreaker::demo

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("keeps circuit breakers as a file says.");
  absl::ParseCommandLine(argc, argv);
  return autobreaker::demo::Run();
}
