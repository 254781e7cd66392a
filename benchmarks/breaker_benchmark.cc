// What a breaker costs a call, beside floors measured in the same run: read
// the ratios, not the times.
//
//   ./bazelw run //benchmarks:breaker_benchmark

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/benchmarks/ratios.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/internal/counters.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/interceptor/internal/method_table.h"
#include "autobreaker/testing/fake_clock.h"
#include "benchmark/benchmark.h"

namespace autobreaker {
namespace {

// ------------------------------------------------------------------ Floors

// Each thread's own pair of cache lines.
struct alignas(128) OwnLine {
  std::atomic<uint64_t> count{0};
};

// First: all others are compared with it.
void BM_FetchAddFloor(benchmark::State& state) {
  OwnLine line;
  benchmark::DoNotOptimize(&line);
  for (auto _ : state) line.count.fetch_add(1, std::memory_order_relaxed);
}
BENCHMARK(BM_FetchAddFloor)->ThreadRange(1, 2);

void BM_EmptyLoopFloor(benchmark::State& state) {
  for (auto _ : state) benchmark::ClobberMemory();
}
BENCHMARK(BM_EmptyLoopFloor)->ThreadRange(1, 2);

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

int64_t CoarseNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{1'000'000'000} * now.tv_sec + now.tv_nsec;
}

// The steps of a healthy and of a refused call in one loop, with no function,
// no permit and no clock of the user's in between.
void BM_AdmitSucceedStepsFloor(benchmark::State& state) {
  ShardedCounters counters;
  std::atomic<uint64_t> word{0};
  std::atomic<int64_t> boundary{std::numeric_limits<int64_t>::max()};
  for (auto _ : state) {
    benchmark::DoNotOptimize(word.load(std::memory_order_acquire));
    counters.Add(ShardedCounters::kAdmitted);
    if (CoarseNanoseconds() >= boundary.load(std::memory_order_relaxed)) break;
    counters.AddJudged(ShardedCounters::kSuccess, 0);
  }
}
BENCHMARK(BM_AdmitSucceedStepsFloor)->ThreadRange(1, 2);

void BM_RefuseStepsFloor(benchmark::State& state) {
  ShardedCounters counters;
  std::atomic<uint64_t> word{0};
  std::atomic<int64_t> until{std::numeric_limits<int64_t>::max()};
  for (auto _ : state) {
    benchmark::DoNotOptimize(word.load(std::memory_order_acquire));
    if (CoarseNanoseconds() >= until.load(std::memory_order_acquire)) break;
    counters.Add(ShardedCounters::kRefusedOpen);
  }
}
BENCHMARK(BM_RefuseStepsFloor)->ThreadRange(1, 2);

// What a look-up by name does, with abseil's hash.
void BM_HashAndCompareFloor(benchmark::State& state) {
  const std::string asked = "/shop.v1.OrderService/PlaceOrder17";
  const std::string known = asked;
  for (auto _ : state) {
    absl::string_view a = asked;
    absl::string_view b = known;
    benchmark::DoNotOptimize(a);
    benchmark::DoNotOptimize(b);
    benchmark::DoNotOptimize(absl::Hash<absl::string_view>()(a));
    benchmark::DoNotOptimize(a == b);
  }
}
BENCHMARK(BM_HashAndCompareFloor)->ThreadRange(1, 2);

// ------------------------------------------------------------- One breaker

// For all threads of a benchmark.
std::shared_ptr<RegisteredBreaker> shared_breaker;

void Make(const BreakerOptions& options, Instruments instruments = {}) {
  RegistryOptions registry_options;
  registry_options.defaults = options;
  registry_options.instruments = std::move(instruments);
  shared_breaker = BreakerRegistry::Create(std::move(registry_options))
                       .value()
                       ->GetOrCreate({"benchmark", "service", "method"});
}
void MakeClosed(const benchmark::State&) { Make({}); }
// For which a tenth of the calls failing is normal.
void MakeClosedWithHighThreshold(const benchmark::State&) {
  BreakerOptions options;
  options.trip.evidence->normal_failure_rate = 0.2;
  options.trip.evidence->break_even_failure_rate = 0.5;
  options.trip.failure_rate_threshold = 0.2;
  Make(options);
}
void MakeClosedWithSlowCalls(const benchmark::State&) {
  BreakerOptions options;
  options.trip.slow_call_duration = absl::Seconds(1);
  options.trip.slow_call_rate_threshold = 0.5;
  Make(options);
}
void MakeClosedWithCap(const benchmark::State&) {
  BreakerOptions options;
  options.max_calls_in_flight = 100;
  Make(options);
}
void MakeClosedWithDurations(const benchmark::State&) {
  Instruments instruments;
  instruments.duration_buckets = DefaultDurationBuckets();
  Make({}, instruments);
}
void MakeClosedWithStatusCodes(const benchmark::State&) {
  Instruments instruments;
  instruments.count_status_codes = true;
  Make({}, instruments);
}
void MakeOpen(const benchmark::State&) {
  BreakerOptions options;
  options.open.duration = absl::Hours(24);
  options.open.duration_max = absl::Hours(24);
  options.trip.consecutive_failures = 1;
  Make(options);
  shared_breaker->TryAcquire().Record(Outcome::kFailure);
}
// Probes that never end.
std::vector<Permit> probes;
void MakeHalfOpen(const benchmark::State&) {
  BreakerOptions options;
  options.half_open.lease = absl::Hours(24);
  options.half_open.successes_to_close = 3;
  Make(options);
  shared_breaker->SetMode(Mode::kForcedOpen);
  shared_breaker->SetMode(Mode::kAutomatic);
  for (int64_t i = 0; i < options.half_open.max_calls; ++i) {
    probes.push_back(shared_breaker->TryAcquire());
  }
}
void Drop(const benchmark::State&) {
  probes.clear();
  shared_breaker = nullptr;
}

void AdmitSucceed(benchmark::State& state) {
  CircuitBreaker& breaker = *shared_breaker;
  for (auto _ : state) breaker.TryAcquire().Record(Outcome::kSuccess);
}

void Refuse(benchmark::State& state) {
  CircuitBreaker& breaker = *shared_breaker;
  for (auto _ : state) {
    if (breaker.TryAcquire()) state.SkipWithError("not refused");
  }
}

#define AUTOBREAKER_BENCHMARK(name, setup) \
  BENCHMARK(name)->Setup(setup)->Teardown(Drop)->ThreadRange(1, 2)

void BM_AdmitSucceed(benchmark::State& state) { AdmitSucceed(state); }
AUTOBREAKER_BENCHMARK(BM_AdmitSucceed, MakeClosed);

void BM_AdmitSucceedTimingSlowCalls(benchmark::State& state) {
  AdmitSucceed(state);
}
AUTOBREAKER_BENCHMARK(BM_AdmitSucceedTimingSlowCalls, MakeClosedWithSlowCalls);

void BM_AdmitSucceedCapped(benchmark::State& state) { AdmitSucceed(state); }
AUTOBREAKER_BENCHMARK(BM_AdmitSucceedCapped, MakeClosedWithCap);

void BM_AdmitSucceedRecordingDurations(benchmark::State& state) {
  AdmitSucceed(state);
}
AUTOBREAKER_BENCHMARK(BM_AdmitSucceedRecordingDurations,
                      MakeClosedWithDurations);

void BM_AdmitSucceedCountingStatusCodes(benchmark::State& state) {
  RegisteredBreaker& breaker = *shared_breaker;
  for (auto _ : state) {
    Permit permit = breaker.TryAcquire();
    breaker.handling().CountStatusCode(absl::StatusCode::kOk);
    permit.Record(Outcome::kSuccess);
  }
}
AUTOBREAKER_BENCHMARK(BM_AdmitSucceedCountingStatusCodes,
                      MakeClosedWithStatusCodes);

void BM_AdmitTenPercentFailures(benchmark::State& state) {
  CircuitBreaker& breaker = *shared_breaker;
  int call = 0;
  for (auto _ : state) {
    breaker.TryAcquire().Record(++call % 10 == 0 ? Outcome::kFailure
                                                 : Outcome::kSuccess);
  }
}
AUTOBREAKER_BENCHMARK(BM_AdmitTenPercentFailures, MakeClosedWithHighThreshold);

// Of failures alone, and so of a breaker that they do not open.
void MakeForcedClosed(const benchmark::State&) {
  Make({});
  shared_breaker->SetMode(Mode::kForcedClosed);
}

void BM_AdmitFail(benchmark::State& state) {
  CircuitBreaker& breaker = *shared_breaker;
  for (auto _ : state) breaker.TryAcquire().Record(Outcome::kFailure);
}
AUTOBREAKER_BENCHMARK(BM_AdmitFail, MakeForcedClosed);

// The argument is the number of peers.
void BM_AdmitFailAtPeers(benchmark::State& state) {
  CircuitBreaker& breaker = *shared_breaker;
  std::vector<std::string> peers;
  for (int i = 0; i < state.range(0); ++i) {
    peers.push_back(absl::StrCat("ipv4:10.0.0.", i, ":50051"));
  }
  size_t next = 0;
  for (auto _ : state) {
    breaker.TryAcquire().Record(Outcome::kFailure, absl::ZeroDuration(),
                                peers[next]);
    if (++next == peers.size()) next = 0;
  }
}
AUTOBREAKER_BENCHMARK(BM_AdmitFailAtPeers, MakeForcedClosed)
    ->Arg(1)
    ->Arg(8)
    ->Arg(100);

void BM_RefuseOpen(benchmark::State& state) { Refuse(state); }
AUTOBREAKER_BENCHMARK(BM_RefuseOpen, MakeOpen);

void BM_RefuseHalfOpen(benchmark::State& state) { Refuse(state); }
AUTOBREAKER_BENCHMARK(BM_RefuseHalfOpen, MakeHalfOpen);

void BM_UpdateOptions(benchmark::State& state) {
  BreakerOptions options;
  for (auto _ : state) {
    options.trip.minimum_calls ^= 1;
    if (!shared_breaker->UpdateOptions(options).ok()) {
      state.SkipWithError("refused");
    }
  }
}
AUTOBREAKER_BENCHMARK(BM_UpdateOptions, MakeClosed);

void BM_Snapshot(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(shared_breaker->Snapshot());
}
AUTOBREAKER_BENCHMARK(BM_Snapshot, MakeClosed);

// The window passes between two calls. The argument is its buckets.
void BM_FirstCallAfterIdleWindow(benchmark::State& state) {
  FakeClock clock;
  Instruments instruments;
  instruments.clock = &clock;
  BreakerOptions options;
  options.trip.window_buckets = static_cast<int>(state.range(0));
  Make(options, instruments);
  for (auto _ : state) {
    clock.Advance(options.trip.window * 2);
    shared_breaker->TryAcquire().Record(Outcome::kSuccess);
  }
  shared_breaker = nullptr;
}
BENCHMARK(BM_FirstCallAfterIdleWindow)->Arg(1)->Arg(10)->Arg(60);

// ---------------------------------------------------------------- Many of them

// A random one of so many, the same for both threads.
std::vector<std::shared_ptr<RegisteredBreaker>> many_breakers;

void MakeMany(const benchmark::State& state) {
  RegistryOptions options;
  options.max_breakers = state.range(0);
  const auto registry = BreakerRegistry::Create(options).value();
  for (int64_t i = 0; i < state.range(0); ++i) {
    registry->GetOrCreate({"benchmark", "service", absl::StrCat(i)});
  }
  many_breakers = registry->Breakers();
}
void DropMany(const benchmark::State&) { many_breakers.clear(); }

void BM_AdmitSucceedAmong(benchmark::State& state) {
  std::minstd_rand random(state.thread_index() + 1);
  for (auto _ : state) {
    many_breakers[random() % many_breakers.size()]->TryAcquire().Record(
        Outcome::kSuccess);
  }
}
BENCHMARK(BM_AdmitSucceedAmong)
    ->Setup(MakeMany)
    ->Teardown(DropMany)
    ->Arg(1)
    ->Arg(1'024)
    ->Arg(131'072)
    ->ThreadRange(1, 2);

// The methods of a channel, looked up in random order as every call does.
std::unique_ptr<MethodTable> table;
std::vector<std::string> methods;

void MakeMethods(const benchmark::State& state) {
  RegistryOptions options;
  options.max_breakers = state.range(0);
  table = std::make_unique<MethodTable>(
      BreakerRegistry::Create(options).value(), "benchmark");
  methods.clear();
  for (int64_t i = 0; i < state.range(0); ++i) {
    methods.push_back(absl::StrCat("/shop.v1.OrderService/PlaceOrder", i));
    table->Find(methods.back());
  }
  std::shuffle(methods.begin(), methods.end(), std::minstd_rand(1));
}
void DropMethods(const benchmark::State&) { table = nullptr; }

void BM_Lookup(benchmark::State& state) {
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table->Find(methods[next]));
    if (++next == methods.size()) next = 0;
  }
}
BENCHMARK(BM_Lookup)
    ->Setup(MakeMethods)
    ->Teardown(DropMethods)
    ->Arg(1)
    ->Arg(100)
    ->Arg(10'000)
    ->ThreadRange(1, 2);

}  // namespace
}  // namespace autobreaker

int main(int argc, char** argv) {
  return autobreaker::RunWithRatios(argc, argv);
}
