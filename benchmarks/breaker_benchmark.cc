// What a breaker costs a call, beside floors measured in the same run: read
// the ratios, not the times.
//
//   ./bazelw run //benchmarks:breaker_benchmark

#include <time.h>

#include <atomic>
#include <memory>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "breaker/circuit_breaker.h"
#include "breaker/mutex.h"
#include "breaker/registry.h"

namespace autobreaker {
namespace {

// Each thread's own pair of cache lines.
struct alignas(128) OwnLine {
  std::atomic<uint64_t> count{0};
};

void BM_EmptyLoopFloor(benchmark::State& state) {
  for (auto _ : state) benchmark::ClobberMemory();
}
BENCHMARK(BM_EmptyLoopFloor)->ThreadRange(1, 2);

void BM_FetchAddFloor(benchmark::State& state) {
  OwnLine line;
  benchmark::DoNotOptimize(&line);
  for (auto _ : state) line.count.fetch_add(1, std::memory_order_relaxed);
}
BENCHMARK(BM_FetchAddFloor)->ThreadRange(1, 2);

void BM_CoarseClockFloor(benchmark::State& state) {
  timespec now;
  for (auto _ : state) {
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    benchmark::DoNotOptimize(now);
  }
}
BENCHMARK(BM_CoarseClockFloor)->ThreadRange(1, 2);

void BM_MutexFloor(benchmark::State& state) {
  Mutex mu;
  benchmark::DoNotOptimize(&mu);
  for (auto _ : state) MutexLock lock(&mu);
}
BENCHMARK(BM_MutexFloor)->ThreadRange(1, 2);

// One breaker for all threads of a benchmark.
std::shared_ptr<CircuitBreaker> shared_breaker;

void MakeBreaker(const benchmark::State&) {
  shared_breaker =
      CircuitBreaker::Create({"benchmark", "service", "method"}, {}).value();
}
void MakeOpenBreaker(const benchmark::State& state) {
  MakeBreaker(state);
  BreakerOptions options;
  options.open_duration = absl::Hours(24);
  options.open_duration_max = absl::Hours(24);
  (void)shared_breaker->UpdateOptions(options);
  for (int i = 0; i < 20; ++i) {
    shared_breaker->TryAcquire().Record(Outcome::kFailure);
  }
}
void DropBreaker(const benchmark::State&) { shared_breaker = nullptr; }

void BM_AdmitSucceed(benchmark::State& state) {
  CircuitBreaker& breaker = *shared_breaker;
  for (auto _ : state) breaker.TryAcquire().Record(Outcome::kSuccess);
}
BENCHMARK(BM_AdmitSucceed)
    ->Setup(MakeBreaker)
    ->Teardown(DropBreaker)
    ->ThreadRange(1, 2);

void BM_AdmitTenPercentFailures(benchmark::State& state) {
  BreakerOptions options;
  options.failure_rate_threshold = 0.2;
  if (state.thread_index() == 0) {
    if (!shared_breaker->UpdateOptions(options).ok()) {
      state.SkipWithError("options");
    }
  }
  CircuitBreaker& breaker = *shared_breaker;
  int call = 0;
  for (auto _ : state) {
    breaker.TryAcquire().Record(++call % 10 == 0 ? Outcome::kFailure
                                                 : Outcome::kSuccess);
  }
}
BENCHMARK(BM_AdmitTenPercentFailures)
    ->Setup(MakeBreaker)
    ->Teardown(DropBreaker)
    ->ThreadRange(1, 2);

void BM_RefuseOpen(benchmark::State& state) {
  CircuitBreaker& breaker = *shared_breaker;
  for (auto _ : state) {
    if (breaker.TryAcquire()) state.SkipWithError("not open");
  }
}
BENCHMARK(BM_RefuseOpen)
    ->Setup(MakeOpenBreaker)
    ->Teardown(DropBreaker)
    ->ThreadRange(1, 2);

}  // namespace
}  // namespace autobreaker
