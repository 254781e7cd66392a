// What a change of state costs the call that makes it, by how many watches of
// the admin service are told of it.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "autobreaker/admin/breaker_admin_service.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/proto/admin.grpc.pb.h"
#include "benchmark/benchmark.h"

namespace autobreaker {
namespace {

struct Watch {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> reader;
};

// A call opens a breaker, and a while later another closes it.
void BM_ChangeState(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  const auto registry = BreakerRegistry::Create().value();
  BreakerAdminOptions options;
  options.max_watches = 10'000;
  BreakerAdminService service(registry, options);
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = v1::BreakerAdmin::NewStub(
      server->InProcessChannel(grpc::ChannelArguments()));
  const auto breaker =
      registry->GetOrCreate({"payments", "shop.Orders", "Get"});

  std::vector<std::unique_ptr<Watch>> watches;
  for (int64_t i = 0; i < state.range(0); ++i) {
    watches.push_back(std::make_unique<Watch>());
    watches.back()->reader = stub->Watch(&watches.back()->context, {});
    v1::WatchResponse snapshot;
    watches.back()->reader->Read(&snapshot);
  }
  bool open = false;
  for (auto _ : state) {
    const Clock::time_point start = Clock::now();
    breaker->SetMode(open ? Mode::kForcedClosed : Mode::kForcedOpen);
    state.SetIterationTime(
        std::chrono::duration<double>(Clock::now() - start).count());
    open = !open;
    // Until all watches were told, which takes the other thread that long.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  service.Stop();
  server->Shutdown();
}
BENCHMARK(BM_ChangeState)
    ->ArgName("watches")
    ->Arg(0)
    ->Arg(1)
    ->Arg(1000)
    ->Iterations(100)
    ->Repetitions(9)
    ->ReportAggregatesOnly()
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace autobreaker

BENCHMARK_MAIN();
