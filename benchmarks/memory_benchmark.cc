// How much memory a breaker takes: what the allocator has handed out, with its
// own overhead, over 100,000 breakers of one registry.
//
//   ./bazelw run //benchmarks:memory_benchmark

#include <malloc.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/internal/shards.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/testing/fake_clock.h"

namespace autobreaker {
namespace {

constexpr int kBreakers = 100'000;

size_t BytesInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Makes them, does `use` to each, and says what that took.
template <typename Use>
void Measure(const char* what, Instruments instruments, Use use) {
  FakeClock clock;
  RegistryOptions options;
  options.max_breakers = kBreakers;
  options.instruments = std::move(instruments);
  options.instruments.clock = &clock;
  const size_t before = BytesInUse();
  const auto registry = BreakerRegistry::Create(std::move(options)).value();
  for (int i = 0; i < kBreakers; ++i) {
    use(*registry->GetOrCreate({"payments", "shop.v1.OrderService",
                                absl::StrCat("PlaceOrderNumber", i)}),
        clock);
  }
  absl::PrintF("%-52s %6d bytes\n", what, (BytesInUse() - before) / kBreakers);
}

void Succeed(CircuitBreaker& breaker, FakeClock& clock) {
  breaker.TryAcquire().Record(Outcome::kSuccess);
  clock.Advance(absl::Seconds(1));
  breaker.TryAcquire().Record(Outcome::kSuccess);
}

void TripAndRecover(CircuitBreaker& breaker, FakeClock& clock) {
  // Four failures, each a while after the one before, open it, and 25 successes
  // close it.
  for (int i = 0; i < 4; ++i) {
    breaker.TryAcquire().Record(Outcome::kFailure);
    clock.Advance(absl::Seconds(1));
  }
  clock.Advance(absl::Seconds(30));
  for (int i = 0; i < 25; ++i) breaker.TryAcquire().Record(Outcome::kSuccess);
}

void Run() {
  absl::PrintF("one breaker of %d, with %d shards\n", kBreakers, ShardCount());
  Measure("idle", {}, [](CircuitBreaker&, FakeClock&) {});
  Measure("after calls", {}, Succeed);
  Measure("after a trip and a recovery", {}, TripAndRecover);
  Instruments instruments;
  instruments.count_status_codes = true;
  Measure("idle, counting status codes", instruments,
          [](CircuitBreaker&, FakeClock&) {});
  instruments = {};
  instruments.duration_buckets = DefaultDurationBuckets();
  Measure("idle, with the default duration buckets", instruments,
          [](CircuitBreaker&, FakeClock&) {});
}

}  // namespace
}  // namespace autobreaker

int main() { autobreaker::Run(); }
