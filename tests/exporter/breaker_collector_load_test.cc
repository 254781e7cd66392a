// What a scrape shows while calls are made, and when memory is short.
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/exporter/breaker_collector.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/exporter/scrape.h"
#include "autobreaker/tests/support/allocation_count.h"

namespace autobreaker {
namespace {

// Calls from eight threads, through all states again and again: of 400 ms on
// the clock, which one of the threads moves, the first 100 are bad times.
class Load {
 public:
  Load(RegisteredBreaker* breaker, FakeClock* clock) {
    for (int thread = 0; thread < 8; ++thread) {
      threads_.emplace_back([this, breaker, clock, thread] {
        for (int round = 0; !stop_.load(); ++round) {
          const bool bad_times =
              absl::ToUnixMillis(clock->WallNow()) % 400 < 100;
          const Outcome outcome =
              bad_times ? Outcome::kFailure : Outcome::kSuccess;
          Permit held = breaker->TryAcquire();
          breaker->TryAcquire().Record(outcome);
          breaker->TryAcquire().Record(round % 2 == 0 ? Outcome::kIgnored
                                                      : Outcome::kAbandoned);
          if (held) breaker->handling().CountStatusCode(absl::StatusCode::kOk);
          held.Record(outcome);
          if (thread != 0) continue;
          clock->Advance(absl::Milliseconds(1));
          rounds_ = round;
        }
      });
    }
  }
  ~Load() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  int rounds() const { return rounds_.load(); }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> rounds_{0};
  std::vector<std::thread> threads_;
};

class CollectorUnderLoadTest : public testing::Test {
 protected:
  CollectorUnderLoadTest() {
    RegistryOptions options;
    options.defaults.trip.failure_rate_threshold = 0.5;
    options.defaults.trip.minimum_calls = 4;
    options.defaults.trip.window = absl::Milliseconds(50);
    options.defaults.open.duration = absl::Milliseconds(20);
    options.defaults.open.duration_max = absl::Milliseconds(20);
    options.instruments.clock = &clock_;
    options.instruments.duration_buckets = DefaultDurationBuckets();
    options.instruments.count_status_codes = true;
    registry_ = *BreakerRegistry::Create(options);
    collector_ = *BreakerCollector::Create(registry_);
    breaker_ = registry_->GetOrCreate({"payments", "shop.Shop", "PlaceOrder"});
  }

  FakeClock clock_;
  std::shared_ptr<BreakerRegistry> registry_;
  std::shared_ptr<BreakerCollector> collector_;
  std::shared_ptr<RegisteredBreaker> breaker_;
};

TEST_F(CollectorUnderLoadTest, EveryScrapeAddsUpAndNoCounterGoesBack) {
  Scrape before;
  {
    const Load load(breaker_.get(), &clock_);
    // Until enough has happened, however the threads take turns.
    int scrapes = 0;
    int with_calls_in_flight = 0;
    while (load.rounds() < 4000 || scrapes < 1000 ||
           with_calls_in_flight < 100) {
      if (HasFailure() || scrapes > 100'000) break;
      Scrape scrape = Flatten(collector_->Collect());
      EXPECT_TRUE(Adds(scrape));
      EXPECT_GE(scrape["request_duration_seconds{state=closed}"] +
                    scrape["request_duration_seconds{state=half_open}"],
                scrape["successes_total"] + scrape["failures_total"]);
      for (const auto& [sample, value] : scrape) {
        if (!absl::StrContains(sample, "_total") &&
            !absl::StartsWith(sample, "request_duration")) {
          continue;
        }
        EXPECT_GE(value, before[sample]) << sample;
      }
      ++scrapes;
      if (scrape["in_flight"] > 0) ++with_calls_in_flight;
      before = std::move(scrape);
    }
    EXPECT_GE(with_calls_in_flight, 100);
  }
  Scrape last = Flatten(collector_->Collect());
  EXPECT_EQ(last["in_flight"], 0);
  EXPECT_EQ(last["request_duration_seconds{state=closed}"] +
                last["request_duration_seconds{state=half_open}"],
            last["successes_total"] + last["failures_total"]);
  EXPECT_GT(last["rejected_total{reason=open}"], 0);
  EXPECT_GT(last["transitions_total{from=half_open,to=closed}"], 0);
}

TEST_F(CollectorUnderLoadTest, PromtoolAcceptsAScrape) {
  const std::string path = testing::TempDir() + "/metrics";
  {
    const Load load(breaker_.get(), &clock_);
    while (load.rounds() < 1000) std::this_thread::yield();
    std::ofstream(path) << prometheus::TextSerializer().Serialize(
        collector_->Collect());
  }
  EXPECT_EQ(std::system(absl::StrCat("promtool check metrics <", path).c_str()),
            0);
}

TEST_F(CollectorUnderLoadTest, EveryFamilyIsThereOnce) {
  const Load load(breaker_.get(), &clock_);
  for (int scrape = 0; scrape < 100; ++scrape) {
    std::set<std::string> names;
    for (const prometheus::MetricFamily& family : collector_->Collect()) {
      EXPECT_TRUE(names.insert(family.name).second) << family.name;
    }
  }
}

TEST(CollectorMemory, AllocationsAreInProportionToWhatIsCollected) {
  const auto allocations_for = [](int breakers) {
    const auto registry = *BreakerRegistry::Create();
    for (int i = 0; i < breakers; ++i) {
      registry->GetOrCreate({"payments", "shop.Shop", absl::StrCat(i)});
    }
    const auto collector = *BreakerCollector::Create(registry);
    const int64_t before = AllocationsOfThisThread();
    collector->Collect();
    return AllocationsOfThisThread() - before;
  };
  const int64_t fixed = allocations_for(0);
  const int64_t for_ten = allocations_for(10) - fixed;
  EXPECT_LE(allocations_for(1000) - fixed, 100 * for_ten);
}

// Whichever allocation of a collection fails.
TEST_F(CollectorUnderLoadTest, WithoutMemoryAScrapeIsEmptyAndTheNextIsWhole) {
  const size_t families = collector_->Collect().size();
  int64_t failed = 0;
  for (;; ++failed) {
    FailAllocationOfThisThread(failed);
    const size_t collected = collector_->Collect().size();
    if (!AllocationFailed()) {
      EXPECT_EQ(collected, families);
      break;
    }
    ASSERT_EQ(collected, 0u) << "allocation " << failed;
    ASSERT_EQ(collector_->Collect().size(), families);
  }
  FailNoAllocationOfThisThread();
  EXPECT_GT(failed, 100);
}

}  // namespace
}  // namespace autobreaker
