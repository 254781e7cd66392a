// What a scrape costs, beside prometheus-cpp's own Registry that holds the same
// series: collecting them, and writing them as text, which every exposer does.
//
//   ./bazelw run //benchmarks:scrape_benchmark
//
// The argument is the number of breakers. The counter `series` is how many
// lines of samples there are, histograms as one.

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/exporter/breaker_collector.h"
#include "benchmark/benchmark.h"

namespace autobreaker {
namespace {

using prometheus::ClientMetric;
using prometheus::Collectable;
using prometheus::MetricFamily;

std::shared_ptr<Collectable> MakeOurs(int64_t breakers, bool everything) {
  RegistryOptions options;
  options.max_breakers = breakers;
  if (everything) {
    options.instruments.duration_buckets = DefaultDurationBuckets();
    options.instruments.count_status_codes = true;
  }
  const auto registry = BreakerRegistry::Create(options).value();
  for (int64_t i = 0; i < breakers; ++i) {
    const auto breaker = registry->GetOrCreate(
        {"payments", "shop.v1.OrderService", absl::StrCat("PlaceOrder", i)});
    for (int call = 0; call < 10; ++call) {
      breaker->TryAcquire().Record(Outcome::kSuccess);
    }
  }
  return BreakerCollector::Create(registry).value();
}

std::map<std::string, std::string> LabelsOf(const ClientMetric& metric) {
  std::map<std::string, std::string> labels;
  for (const ClientMetric::Label& label : metric.label) {
    labels[label.name] = label.value;
  }
  return labels;
}

void Add(const MetricFamily& family, prometheus::Registry* registry) {
  switch (family.type) {
    case prometheus::MetricType::Counter: {
      auto& added = prometheus::BuildCounter()
                        .Name(family.name)
                        .Help(family.help)
                        .Register(*registry);
      for (const ClientMetric& metric : family.metric) {
        added.Add(LabelsOf(metric)).Increment(metric.counter.value);
      }
      return;
    }
    case prometheus::MetricType::Gauge: {
      auto& added = prometheus::BuildGauge()
                        .Name(family.name)
                        .Help(family.help)
                        .Register(*registry);
      for (const ClientMetric& metric : family.metric) {
        added.Add(LabelsOf(metric)).Set(metric.gauge.value);
      }
      return;
    }
    case prometheus::MetricType::Histogram: {
      auto& added = prometheus::BuildHistogram()
                        .Name(family.name)
                        .Help(family.help)
                        .Register(*registry);
      for (const ClientMetric& metric : family.metric) {
        std::vector<double> bounds;
        for (const ClientMetric::Bucket& bucket : metric.histogram.bucket) {
          bounds.push_back(bucket.upper_bound);
        }
        bounds.pop_back();  // it adds the one without a bound itself
        added.Add(LabelsOf(metric), bounds);
      }
      return;
    }
    default:
      std::abort();
  }
}

std::shared_ptr<Collectable> MakePrometheusRegistry(int64_t breakers,
                                                    bool everything) {
  auto registry = std::make_shared<prometheus::Registry>();
  for (const MetricFamily& family : MakeOurs(breakers, everything)->Collect()) {
    Add(family, registry.get());
  }
  return registry;
}

void Collect(benchmark::State& state, const Collectable& collectable) {
  int64_t series = 0;
  for (auto _ : state) {
    const std::vector<MetricFamily> families = collectable.Collect();
    series = 0;
    for (const MetricFamily& family : families) {
      series += static_cast<int64_t>(family.metric.size());
    }
  }
  state.counters["series"] = static_cast<double>(series);
}

void Scrape(benchmark::State& state, const Collectable& collectable) {
  const prometheus::TextSerializer serializer;
  size_t bytes = 0;
  for (auto _ : state) {
    bytes = serializer.Serialize(collectable.Collect()).size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

using Maker = std::shared_ptr<Collectable> (*)(int64_t, bool);

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);
}

void BM_Collect(benchmark::State& state, Maker make, bool everything) {
  Collect(state, *make(state.range(0), everything));
}
BENCHMARK_CAPTURE(BM_Collect, breakers, MakeOurs, false)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_Collect, registry, MakePrometheusRegistry, false)
    ->Apply(Sizes);

void BM_Scrape(benchmark::State& state, Maker make, bool everything) {
  Scrape(state, *make(state.range(0), everything));
}
BENCHMARK_CAPTURE(BM_Scrape, breakers, MakeOurs, false)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_Scrape, registry, MakePrometheusRegistry, false)
    ->Apply(Sizes);
BENCHMARK_CAPTURE(BM_Scrape, breakers_everything, MakeOurs, true)
    ->Arg(100)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Scrape, registry_everything, MakePrometheusRegistry, true)
    ->Arg(100)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace autobreaker
