// What a change of state costs the call that makes it, by how many watches of
// the admin service are told of it.
//
// While many watches are told, the machine is busy and its caches are of no use
// to the next call. So each figure stands beside a floor from the same run: the
// same change of a breaker that nobody watches, while as many watches are told
// of another one.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <cstdint>
#include <memory>
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

std::shared_ptr<RegisteredBreaker> BreakerOf(BreakerRegistry& registry) {
  return registry.GetOrCreate({"payments", "shop.Orders", "Get"});
}

void ChangeState(CircuitBreaker& breaker, bool open) {
  breaker.SetMode(open ? Mode::kForcedOpen : Mode::kForcedClosed);
}

void ChangeState(benchmark::State& state, bool is_watched) {
  using Clock = std::chrono::steady_clock;
  const auto registry = BreakerRegistry::Create().value();
  const auto unwatched_registry = BreakerRegistry::Create().value();
  const auto watched = BreakerOf(*registry);
  const auto unwatched = BreakerOf(*unwatched_registry);
  BreakerAdminOptions options;
  options.max_watches = 10'000;
  BreakerAdminService service(registry, options);
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = v1::BreakerAdmin::NewStub(
      server->InProcessChannel(grpc::ChannelArguments()));

  std::vector<std::unique_ptr<Watch>> watches;
  for (int64_t i = 0; i < state.range(0); ++i) {
    watches.push_back(std::make_unique<Watch>());
    watches.back()->reader = stub->Watch(&watches.back()->context, {});
    v1::WatchResponse snapshot;
    watches.back()->reader->Read(&snapshot);
  }
  bool open = false;
  for (auto _ : state) {
    open = !open;
    const Clock::time_point start = Clock::now();
    ChangeState(is_watched ? *watched : *unwatched, open);
    state.SetIterationTime(
        std::chrono::duration<double>(Clock::now() - start).count());
    if (!is_watched) ChangeState(*watched, open);
    for (const auto& watch : watches) {
      v1::WatchResponse told;
      watch->reader->Read(&told);
    }
  }
  service.Stop();
  server->Shutdown();
}

void BM_ChangeUnwatchedFloor(benchmark::State& state) {
  ChangeState(state, /*is_watched=*/false);
}
void BM_ChangeWatched(benchmark::State& state) {
  ChangeState(state, /*is_watched=*/true);
}

void InRounds(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("watches")
      ->Arg(0)
      ->Arg(1)
      ->Arg(1000)
      ->Iterations(100)
      ->Repetitions(9)
      ->ReportAggregatesOnly()
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}
BENCHMARK(BM_ChangeUnwatchedFloor)->Apply(InRounds);
BENCHMARK(BM_ChangeWatched)->Apply(InRounds);

}  // namespace
}  // namespace autobreaker

BENCHMARK_MAIN();
