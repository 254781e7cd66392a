// What a collector is told when it is made: what to call things, and which
// registry's records to show.
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/exporter/breaker_collector.h"
#include "autobreaker/testing/fake_clock.h"

namespace autobreaker {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::shared_ptr<BreakerRegistry> MakeRegistry(Instruments instruments = {}) {
  RegistryOptions options;
  options.instruments = std::move(instruments);
  auto registry = BreakerRegistry::Create(options).value();
  registry->GetOrCreate({"payments", "shop.Shop", "PlaceOrder"});
  return registry;
}

CollectorOptions WithTeam(const std::string& team) {
  CollectorOptions options;
  options.constant_labels = {{"team", team}};
  return options;
}

// Empty if there is none.
MetricFamily Find(const std::vector<MetricFamily>& families,
                  const std::string& name) {
  for (const MetricFamily& family : families) {
    if (family.name == name) return family;
  }
  return {};
}

// ------------------------------------------------------ Names

TEST(CollectorNames, BeginWithThePrefix) {
  CollectorOptions options;
  options.prefix = "shop_breaker_";
  const auto collector =
      BreakerCollector::Create(MakeRegistry(), options).value();
  for (const MetricFamily& family : collector->Collect()) {
    EXPECT_TRUE(absl::StartsWith(family.name, "shop_breaker_")) << family.name;
  }
}

TEST(CollectorNames, OfLabelsAreThoseAskedFor) {
  CollectorOptions options;
  options.name_label = "breaker";
  options.service_label = "grpc_service";
  options.method_label = "grpc_method";
  options.constant_labels = {{"team", "shop"}, {"environment", "test"}};
  const std::string text = prometheus::TextSerializer().Serialize(
      BreakerCollector::Create(MakeRegistry(), options).value()->Collect());
  EXPECT_TRUE(absl::StrContains(
      text,
      "\ncircuit_breaker_state{breaker=\"payments\",grpc_service=\"shop.Shop\","
      "grpc_method=\"PlaceOrder\",environment=\"test\",team=\"shop\"} 0\n"))
      << text;
}

TEST(CollectorNames, ConstantLabelsAreOnEverySample) {
  Instruments instruments;
  instruments.duration_buckets = DefaultDurationBuckets();
  instruments.count_status_codes = true;
  const auto collector =
      BreakerCollector::Create(MakeRegistry(instruments), WithTeam("shop"))
          .value();
  for (const MetricFamily& family : collector->Collect()) {
    EXPECT_FALSE(family.metric.empty()) << family.name;
    for (const ClientMetric& metric : family.metric) {
      int found = 0;
      for (const ClientMetric::Label& label : metric.label) {
        if (label == ClientMetric::Label{"team", "shop"}) ++found;
      }
      EXPECT_EQ(found, 1) << family.name;
    }
  }
}

// ------------------------------------------------------ Refusals

TEST(CollectorCreate, RefusesNoRegistry) {
  EXPECT_EQ(BreakerCollector::Create(nullptr).status(),
            absl::InvalidArgumentError("registry is null, must be a registry"));
}

TEST(CollectorCreate, RefusesBadOptions) {
  CollectorOptions options;
  options.prefix = "";
  EXPECT_EQ(BreakerCollector::Create(MakeRegistry(), options).status(),
            options.Validate());
}

TEST(CollectorCreate, RefusesASecondViewOfTheSame) {
  const auto registry = MakeRegistry();
  const auto first = BreakerCollector::Create(registry);
  ASSERT_TRUE(first.ok());
  const auto second = BreakerCollector::Create(registry);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(absl::StrContains(second.status().message(),
                                "prefix \"circuit_breaker_\""));
}

TEST(CollectorCreate, ALabelByAnotherNameDoesNotMakeAnotherView) {
  const auto registry = MakeRegistry();
  const auto first = BreakerCollector::Create(registry);
  CollectorOptions options;
  options.method_label = "grpc_method";
  EXPECT_EQ(BreakerCollector::Create(registry, options).status().code(),
            absl::StatusCode::kAlreadyExists);
}

TEST(CollectorCreate, TakesAnotherPrefixOrOtherConstantLabels) {
  const auto registry = MakeRegistry();
  const auto first = BreakerCollector::Create(registry);
  CollectorOptions options;
  options.prefix = "another_";
  const auto second = BreakerCollector::Create(registry, options);
  EXPECT_TRUE(second.ok());
  const auto third = BreakerCollector::Create(registry, WithTeam("a"));
  EXPECT_TRUE(third.ok());
  EXPECT_TRUE(BreakerCollector::Create(registry, WithTeam("b")).ok());
}

TEST(CollectorCreate, TakesEveryRegistry) {
  const auto first = BreakerCollector::Create(MakeRegistry());
  EXPECT_TRUE(BreakerCollector::Create(MakeRegistry()).ok());
}

TEST(CollectorCreate, ACollectorThatIsGoneMakesRoom) {
  const auto registry = MakeRegistry();
  EXPECT_TRUE(BreakerCollector::Create(registry).ok());
  EXPECT_TRUE(BreakerCollector::Create(registry).ok());
}

TEST(CollectorCreate, ARefusedOneTakesNothingAwayFromTheFirst) {
  const auto registry = MakeRegistry();
  const auto first = BreakerCollector::Create(registry);
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(BreakerCollector::Create(registry).ok());
  }
}

// ------------------------------------------------------ Optional families

TEST(OptionalFamilies, AreThereOnlyIfRecorded) {
  const auto families =
      BreakerCollector::Create(MakeRegistry()).value()->Collect();
  EXPECT_EQ(Find(families, "circuit_breaker_request_duration_seconds").name,
            "");
  EXPECT_EQ(Find(families, "circuit_breaker_status_total").name, "");
}

TEST(OptionalFamilies, DurationsAreAHistogramByState) {
  FakeClock clock;
  Instruments instruments;
  instruments.clock = &clock;
  instruments.duration_buckets = {absl::Milliseconds(10), absl::Seconds(1)};
  const auto registry = MakeRegistry(instruments);
  const auto breaker = registry->Breakers().front();
  for (const int ms : {5, 5, 500, 5000}) {
    Permit permit = breaker->TryAcquire();
    clock.Advance(absl::Milliseconds(ms));
    permit.Record(Outcome::kSuccess);
  }

  const MetricFamily family =
      Find(BreakerCollector::Create(registry).value()->Collect(),
           "circuit_breaker_request_duration_seconds");

  EXPECT_EQ(family.type, MetricType::Histogram);
  ASSERT_EQ(family.metric.size(), 3u);
  std::vector<std::string> states;
  for (const ClientMetric& metric : family.metric) {
    EXPECT_EQ(metric.label.back().name, "state");
    states.push_back(metric.label.back().value);
  }
  EXPECT_EQ(states, (std::vector<std::string>{"closed", "open", "half_open"}));
  const ClientMetric::Histogram& closed = family.metric.front().histogram;
  EXPECT_EQ(closed.sample_count, 4u);
  EXPECT_DOUBLE_EQ(closed.sample_sum, 5.51);
  ASSERT_EQ(closed.bucket.size(), 3u);
  EXPECT_EQ(closed.bucket[0].cumulative_count, 2u);
  EXPECT_EQ(closed.bucket[0].upper_bound, 0.01);
  EXPECT_EQ(closed.bucket[1].cumulative_count, 3u);
  EXPECT_EQ(closed.bucket[1].upper_bound, 1);
  EXPECT_EQ(closed.bucket[2].cumulative_count, 4u);
  EXPECT_EQ(closed.bucket[2].upper_bound,
            std::numeric_limits<double>::infinity());
}

TEST(OptionalFamilies, StatusCodesGoByTheirNames) {
  Instruments instruments;
  instruments.count_status_codes = true;
  const auto registry = MakeRegistry(instruments);
  registry->Breakers().front()->handling().CountStatusCode(
      absl::StatusCode::kUnavailable);

  const MetricFamily family =
      Find(BreakerCollector::Create(registry).value()->Collect(),
           "circuit_breaker_status_total");

  EXPECT_EQ(family.type, MetricType::Counter);
  std::map<std::string, double> codes;
  for (const ClientMetric& metric : family.metric) {
    EXPECT_EQ(metric.label.back().name, "code");
    codes[metric.label.back().value] = metric.counter.value;
  }
  EXPECT_EQ(codes.size(), 17u);
  EXPECT_EQ(codes.count("OK"), 1u);
  EXPECT_EQ(codes["UNAVAILABLE"], 1);
  EXPECT_EQ(codes["UNAUTHENTICATED"], 0);
}

// ------------------------------------------------------ Its own cost

// Each look at the clock takes a millisecond.
class SlowClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    return MonotonicTime(std::chrono::milliseconds(reads_.fetch_add(1)));
  }
  MonotonicTime CoarseNow() const override { return MonotonicTime(); }
  absl::Time WallNow() const override { return absl::UnixEpoch(); }

 private:
  mutable std::atomic<int> reads_{0};
};

TEST(CollectDuration, IsTheTimeThatPassedMeanwhile) {
  const SlowClock clock;
  Instruments instruments;
  instruments.clock = &clock;
  const MetricFamily family = Find(
      BreakerCollector::Create(MakeRegistry(instruments)).value()->Collect(),
      "circuit_breaker_collect_duration_seconds");
  ASSERT_EQ(family.metric.size(), 1u);
  EXPECT_DOUBLE_EQ(family.metric[0].gauge.value, 0.001);
}

}  // namespace
}  // namespace autobreaker
