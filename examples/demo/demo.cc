// The demo: a server that breaks on a schedule, clients whose calls pass
// circuit breakers, and the breakers' metrics for Prometheus, in one process.
#include <arpa/inet.h>
#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/config/config_watcher.h"
#include "autobreaker/examples/demo/admin_server.h"
#include "autobreaker/examples/demo/display.h"
#include "autobreaker/examples/demo/stop_signals.h"
#include "autobreaker/examples/demo/traffic.h"
#include "autobreaker/examples/shop/fault_schedule.h"
#include "autobreaker/examples/shop/shop.grpc.pb.h"
#include "autobreaker/examples/shop/shop_server.h"
#include "autobreaker/exporter/breaker_collector.h"
#include "autobreaker/interceptor/guarded_channel.h"

// --help lists them because this file is named after the program.
ABSL_FLAG(absl::Duration, duration, absl::InfiniteDuration(),
          "how long to run, e.g. 30s; until Ctrl-C if not given");
ABSL_FLAG(std::string, metrics_address, "127.0.0.1:8080",
          "host:port to serve the metrics on; port 0 picks a free one");
ABSL_FLAG(std::string, target, "",
          "host:port of a server to call instead of the built-in one; any "
          "that serves grpc.health.v1.Health");
ABSL_FLAG(
    std::string, name, "",
    "the breakers' name in the metrics; if not given, the target or \"shop\"");
ABSL_FLAG(absl::Duration, cycle, autobreaker::demo::kFaultCycle,
          "how long a round of faults takes");
ABSL_FLAG(bool, shadow, false,
          "shadow mode: the breakers decide, and refuse nothing");
ABSL_FLAG(std::string, config, "",
          "a file that says what applies to which breakers, and is followed "
          "when it changes; see examples/config_reload/breakers.json");
ABSL_FLAG(std::string, admin_address, "127.0.0.1:8081",
          "host:port to serve the admin service on, for breakerctl; port 0 "
          "picks a free one");
ABSL_FLAG(uint64_t, seed, 1,
          "makes the few random failures and open times repeatable");

namespace autobreaker::demo {
namespace {

constexpr absl::Duration kDeadline = absl::Milliseconds(250);
constexpr absl::Duration kShortestCycle = absl::Seconds(5);
constexpr absl::Duration kLongestCycle = absl::Hours(24);
// Far below what a breaker's key may hold.
constexpr size_t kLongestName = 100;

int Fail(absl::string_view message) {
  absl::FPrintF(stderr, "demo: %s\n", message);
  return EXIT_FAILURE;
}

// "host:port" in its parts; nothing if it is not.
std::optional<std::pair<std::string, int>> SplitAddress(
    absl::string_view address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      address.find_first_of("/, ") != absl::string_view::npos ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return std::nullopt;
  }
  const std::string host(address.substr(0, colon));
  in_addr ignored;
  if (host.find_first_not_of("0123456789.") == std::string::npos &&
      inet_pton(AF_INET, host.c_str(), &ignored) != 1) {
    return std::nullopt;
  }
  return std::make_pair(host, port);
}

// Every method has the default options. Two of the Shop have something beside
// them: a share of failed calls that people can set by themselves ...
BreakerOptions OrderOptions() {
  BreakerOptions options;
  options.trip.failure_rate_threshold = 0.5;
  return options;
}

// ... and what it takes to judge slowness.
BreakerOptions ChatOptions() {
  BreakerOptions options;
  options.trip.slow_call_duration = absl::Milliseconds(100);
  options.trip.slow_call_rate_threshold = 0.1;
  return options;
}

// What the registry does not have by default.
std::map<BreakerKey, BreakerOptions> ShopOptions(const std::string& name) {
  const std::string service = shop::Shop::service_full_name();
  return {{{name, service, "PlaceOrder"}, OrderOptions()},
          {{name, service, "Chat"}, ChatOptions()}};
}

// In shadow mode, in place of what SetOptions() does.
absl::Status ApplyShadowMode(
    BreakerRegistry& registry,
    const std::map<BreakerKey, BreakerOptions>& options) {
  std::map<BreakerKey, BreakerPolicy> config;
  config[BreakerKey()].mode = Mode::kShadow;
  for (const auto& [scope, its_options] : options) {
    config[scope].options = its_options;
    config[scope].mode = Mode::kShadow;
  }
  return registry.Apply(config);
}

std::shared_ptr<grpc::Channel> ConnectTo(
    const std::string& target, std::shared_ptr<BreakerRegistry> registry,
    std::string name) {
  InterceptorOptions options = InterceptorOptions::WithName(std::move(name));
  // With --target, health checks are the very calls to guard.
  options.unguarded.clear();
  // A client ends its watch by cancelling, after the server has answered; it
  // would otherwise be ignored, and a probe that is ignored closes nothing.
  options.classification_for["grpc.health.v1.Health/Watch"].ignored = {};
  grpc::ChannelArguments arguments;
  // A server that was away is found again while one looks.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return CreateGuardedChannel(target, grpc::InsecureChannelCredentials(),
                              std::move(registry), std::move(options),
                              arguments);
}

// What runs; the flags, checked.
struct Plan {
  absl::Duration duration;
  std::string metrics_address;
  std::string metrics_host;
  std::string target;  // empty: the built-in server
  std::string name;
  absl::Duration cycle;
  std::string admin_address;
  std::string admin_host;
  bool shadow = false;
  std::string config;  // empty: none
  uint64_t seed = 0;
};

// What the screen shows, for someone who never saw a circuit breaker.
std::string Introduction(const Plan& plan, const std::string& server,
                         int metrics_port, int admin_port) {
  const bool own_server = plan.target.empty();
  std::string text = own_server
                         ? "A client calls a server whose methods break for a "
                           "while, one after "
                           "the other.\n"
                         : "A client calls the health service of a server.\n";
  absl::StrAppend(
      &text,
      "Each failed call is evidence that a method is broken: at 100% its "
      "breaker opens,\n"
      "and refuses calls instead of sending them. Now and then one call goes "
      "out as a\n"
      "probe; once one succeeds, larger and larger shares of the calls do "
      "(half-open),\n"
      "and at last all of them, and the breaker closes.\n\n");
  absl::StrAppend(&text, "server: ", server,
                  own_server
                      ? absl::StrCat(", built in; a round of faults takes ",
                                     absl::FormatDuration(plan.cycle), "\n")
                      : ", Check and Watch of its health\n");
  absl::StrAppend(&text, "breakers: the default options",
                  own_server ? "; beside them\n" : "\n");
  if (own_server) {
    const TripOptions orders = OrderOptions().trip;
    const TripOptions chat = ChatOptions().trip;
    absl::StrAppendFormat(
        &text,
        "  PlaceOrder opens when over %.0f%% of calls in %s failed (evidence "
        "is "
        "quicker),\n"
        "  Chat opens when %.0f%% of calls in %s took %s or longer\n",
        100 * *orders.failure_rate_threshold,
        absl::FormatDuration(orders.window),
        100 * *chat.slow_call_rate_threshold, absl::FormatDuration(chat.window),
        absl::FormatDuration(*chat.slow_call_duration));
  }
  if (plan.shadow) {
    absl::StrAppend(&text,
                    "  in shadow mode: they refuse nothing; calls they would "
                    "refuse are in parentheses\n");
  }
  if (!plan.config.empty()) {
    absl::StrAppend(&text, "  but for what ", plan.config, " says\n");
  }
  absl::StrAppendFormat(&text, "metrics: http://%s:%d/metrics\n",
                        plan.metrics_host, metrics_port);
  absl::StrAppendFormat(&text,
                        "admin: %s:%d, for ./bazelw run breakerctl -- watch\n",
                        plan.admin_host, admin_port);
  absl::StrAppend(&text, "Ctrl-C ends it.\n\n");
  return text;
}

// REQUIRES: no other thread was started yet.
int Run(const Plan& plan) {
  const StopSignals signals;
  const bool own_server = plan.target.empty();
  const MonotonicTime start = MonotonicTime::clock::now();
  const FaultSchedule faults(plan.cycle, plan.seed);

  // First of all, since it is what may fail.
  std::unique_ptr<prometheus::Exposer> exposer;
  try {
    exposer = std::make_unique<prometheus::Exposer>(plan.metrics_address);
  } catch (const std::exception&) {
    return Fail(absl::StrCat(
        "cannot serve metrics on ", plan.metrics_address,
        "; port in use? (--metrics_address=127.0.0.1:0 picks a free one)"));
  }

  std::unique_ptr<ShopServer> server;
  if (own_server) {
    server = ShopServer::Start(start, faults);
    if (server == nullptr) return Fail("cannot start a server on 127.0.0.1");
  }

  // The breakers, and a channel that they guard.
  const auto display = std::make_shared<Display>(start);
  RegistryOptions registry_options;
  registry_options.instruments.seed = plan.seed;
  registry_options.instruments.duration_buckets = DefaultDurationBuckets();
  registry_options.instruments.count_status_codes = true;
  registry_options.instruments.on_transition =
      [display](const Transition& transition) { display->Add(transition); };
  const std::shared_ptr<BreakerRegistry> registry =
      BreakerRegistry::Create(registry_options).value();
  absl::Status status;
  const std::map<BreakerKey, BreakerOptions> options =
      own_server ? ShopOptions(plan.name)
                 : std::map<BreakerKey, BreakerOptions>();
  for (const auto& [scope, its_options] : options) {
    status.Update(registry->SetOptions(scope, its_options));
  }
  if (plan.shadow) status.Update(ApplyShadowMode(*registry, options));
  if (!status.ok()) return Fail(status.ToString());
  std::unique_ptr<ConfigWatcher> watcher;
  if (!plan.config.empty()) {
    auto started = ConfigWatcher::Start(plan.config, registry);
    if (started.ok()) status = (*started)->status();
    if (!started.ok() || !status.ok()) {
      return Fail(absl::StrCat(
          "--config: ", (started.ok() ? status : started.status()).message()));
    }
    watcher = *std::move(started);
  }
  const std::string address = own_server ? server->address() : plan.target;
  const std::shared_ptr<grpc::Channel> channel =
      ConnectTo(address, registry, plan.name);

  // Their metrics, beside those of the program itself.
  const auto collector = BreakerCollector::Create(registry).value();
  exposer->RegisterCollectable(collector);
  const auto own_metrics = std::make_shared<prometheus::Registry>();
  exposer->RegisterCollectable(own_metrics);

  std::vector<CallFunction> calls;
  if (own_server) {
    prometheus::Counter& orders = prometheus::BuildCounter()
                                      .Name("shop_orders_total")
                                      .Help("Orders placed.")
                                      .Register(*own_metrics)
                                      .Add({});
    calls = ShopCalls(channel, kDeadline, [&orders] { orders.Increment(); });
  } else {
    calls = HealthCalls(channel, kDeadline);
  }

  const std::unique_ptr<AdminServer> admin =
      AdminServer::Start(plan.admin_address, registry);
  if (admin == nullptr) {
    return Fail(absl::StrCat(
        "cannot serve the admin service on ", plan.admin_address,
        "; port in use? (--admin_address=127.0.0.1:0 picks a free one)"));
  }

  if (!display->Write(Introduction(
          plan, address, exposer->GetListeningPorts().at(0), admin->port()))) {
    return EXIT_FAILURE;
  }
  auto traffic = std::make_unique<Traffic>(calls);
  const bool shown = display->Run(*registry, plan.duration,
                                  own_server ? &faults : nullptr, signals);
  traffic.reset();
  return shown && display->WriteSummary(*registry) ? EXIT_SUCCESS
                                                   : EXIT_FAILURE;
}

// Takes the flags; says what is wrong with them, if anything, and exits.
Plan ParsePlan(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "shows circuit breakers at work on a server that breaks on a schedule.");
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  const auto refuse = [](absl::string_view message) {
    std::exit(Fail(message));
  };
  if (arguments.size() > 1) {
    refuse(absl::StrCat("unexpected argument \"", arguments[1], "\""));
  }
  Plan plan;
  plan.duration = absl::GetFlag(FLAGS_duration);
  plan.metrics_address = absl::GetFlag(FLAGS_metrics_address);
  plan.target = absl::GetFlag(FLAGS_target);
  plan.name = absl::GetFlag(FLAGS_name);
  plan.cycle = absl::GetFlag(FLAGS_cycle);
  plan.admin_address = absl::GetFlag(FLAGS_admin_address);
  plan.shadow = absl::GetFlag(FLAGS_shadow);
  plan.config = absl::GetFlag(FLAGS_config);
  plan.seed = absl::GetFlag(FLAGS_seed);
  if (plan.duration <= absl::ZeroDuration()) {
    refuse("--duration must be above 0");
  }
  const auto metrics = SplitAddress(plan.metrics_address);
  if (!metrics.has_value()) {
    refuse(absl::StrCat("--metrics_address must be host:port, not \"",
                        plan.metrics_address, "\""));
  }
  plan.metrics_host = metrics->first;
  const auto admin = SplitAddress(plan.admin_address);
  if (!admin.has_value()) {
    refuse(absl::StrCat("--admin_address must be host:port, not \"",
                        plan.admin_address, "\""));
  }
  plan.admin_host = admin->first;
  if (plan.shadow && !plan.config.empty()) {
    refuse("--shadow is not for --config, where the file gives the modes");
  }
  if (!plan.target.empty()) {
    const auto target = SplitAddress(plan.target);
    if (!target.has_value() || target->second == 0) {
      refuse(absl::StrCat("--target must be host:port, not \"", plan.target,
                          "\""));
    }
  }
  if (plan.name.size() > kLongestName) {
    refuse(
        absl::StrCat("--name must be at most ", kLongestName, " bytes long"));
  }
  if (plan.name.empty()) plan.name = plan.target.empty() ? "shop" : plan.target;
  if (plan.cycle < kShortestCycle || plan.cycle > kLongestCycle) {
    refuse(absl::StrCat("--cycle must be from ",
                        absl::FormatDuration(kShortestCycle), " to ",
                        absl::FormatDuration(kLongestCycle), ", not ",
                        absl::FormatDuration(plan.cycle)));
  }
  return plan;
}

}  // namespace
}  // namespace autobreaker::demo

int main(int argc, char** argv) {
  return autobreaker::demo::Run(autobreaker::demo::ParsePlan(argc, argv));
}
