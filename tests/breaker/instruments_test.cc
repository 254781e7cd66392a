#include "autobreaker/breaker/instruments.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/registry.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

Instruments WithBuckets(std::vector<absl::Duration> bounds) {
  Instruments instruments;
  instruments.duration_buckets = std::move(bounds);
  return instruments;
}

std::string ErrorOf(const Instruments& instruments) {
  const absl::Status status = instruments.Validate();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(EnvironmentTest, DefaultsAreValidAndRecordNothingMore) {
  const Instruments instruments;
  EXPECT_TRUE(instruments.Validate().ok());
  EXPECT_TRUE(instruments.duration_buckets.empty());
  EXPECT_FALSE(instruments.count_status_codes);
}

TEST(EnvironmentTest, DefaultBucketsAreValid) {
  EXPECT_TRUE(WithBuckets(DefaultDurationBuckets()).Validate().ok());
}

TEST(EnvironmentTest, EdgesAreValid) {
  EXPECT_TRUE(WithBuckets({absl::Nanoseconds(1), absl::Hours(24 * 10)})
                  .Validate()
                  .ok());
  std::vector<absl::Duration> most;
  for (int i = 1; i <= 64; ++i) most.push_back(absl::Seconds(i));
  EXPECT_TRUE(WithBuckets(most).Validate().ok());
}

TEST(EnvironmentTest, RefusesNoClock) {
  Instruments instruments;
  instruments.clock = nullptr;
  EXPECT_EQ(ErrorOf(instruments), "instruments.clock is null, must be a clock");
}

TEST(EnvironmentTest, RefusesBoundsOutOfRange) {
  EXPECT_EQ(ErrorOf(WithBuckets({absl::ZeroDuration()})),
            "instruments.duration_buckets[0] is 0, must be in [1ns, 10 days]");
  EXPECT_EQ(ErrorOf(WithBuckets({absl::Nanoseconds(0.5)})),
            "instruments.duration_buckets[0] is 0.5ns, must be in [1ns, 10 "
            "days]");
  EXPECT_EQ(ErrorOf(WithBuckets({absl::Seconds(1), absl::InfiniteDuration()})),
            "instruments.duration_buckets[1] is inf, must be in [1ns, 10 "
            "days]");
}

TEST(EnvironmentTest, RefusesBoundsThatDoNotAscend) {
  EXPECT_EQ(ErrorOf(WithBuckets({absl::Seconds(1), absl::Seconds(1)})),
            "instruments.duration_buckets[1] is 1s, must be above the one "
            "before it");
}

TEST(EnvironmentTest, RefusesTooManyBounds) {
  std::vector<absl::Duration> bounds;
  for (int i = 1; i <= 65; ++i) bounds.push_back(absl::Seconds(i));
  EXPECT_EQ(ErrorOf(WithBuckets(bounds)),
            "instruments.duration_buckets has 65 bounds, must have 0 to 64");
}

TEST(EnvironmentTest, IsCheckedByBreakerAndRegistry) {
  const Instruments bad = WithBuckets({absl::ZeroDuration()});
  EXPECT_EQ(CircuitBreaker::Create({"test"}, {},
                                   std::make_shared<const Instruments>(bad))
                .status(),
            bad.Validate());
  RegistryOptions options;
  options.instruments = bad;
  EXPECT_EQ(BreakerRegistry::Create(options).status(), bad.Validate());
}

}  // namespace
}  // namespace autobreaker
