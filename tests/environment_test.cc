#include "breaker/environment.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "breaker/circuit_breaker.h"
#include "breaker/registry.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

BreakerEnvironment WithBuckets(std::vector<absl::Duration> bounds) {
  BreakerEnvironment environment;
  environment.duration_buckets = std::move(bounds);
  return environment;
}

std::string ErrorOf(const BreakerEnvironment& environment) {
  const absl::Status status = environment.Validate();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(EnvironmentTest, DefaultsAreValidAndRecordNothingMore) {
  const BreakerEnvironment environment;
  EXPECT_TRUE(environment.Validate().ok());
  EXPECT_TRUE(environment.duration_buckets.empty());
  EXPECT_FALSE(environment.count_status_codes);
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
  BreakerEnvironment environment;
  environment.clock = nullptr;
  EXPECT_EQ(ErrorOf(environment), "environment.clock is null, must be a clock");
}

TEST(EnvironmentTest, RefusesBoundsOutOfRange) {
  EXPECT_EQ(ErrorOf(WithBuckets({absl::ZeroDuration()})),
            "environment.duration_buckets[0] is 0, must be in [1ns, 10 days]");
  EXPECT_EQ(ErrorOf(WithBuckets({absl::Nanoseconds(0.5)})),
            "environment.duration_buckets[0] is 0.5ns, must be in [1ns, 10 "
            "days]");
  EXPECT_EQ(ErrorOf(WithBuckets({absl::Seconds(1), absl::InfiniteDuration()})),
            "environment.duration_buckets[1] is inf, must be in [1ns, 10 "
            "days]");
}

TEST(EnvironmentTest, RefusesBoundsThatDoNotAscend) {
  EXPECT_EQ(ErrorOf(WithBuckets({absl::Seconds(1), absl::Seconds(1)})),
            "environment.duration_buckets[1] is 1s, must be above the one "
            "before it");
}

TEST(EnvironmentTest, RefusesTooManyBounds) {
  std::vector<absl::Duration> bounds;
  for (int i = 1; i <= 65; ++i) bounds.push_back(absl::Seconds(i));
  EXPECT_EQ(ErrorOf(WithBuckets(bounds)),
            "environment.duration_buckets has 65 bounds, must have 0 to 64");
}

TEST(EnvironmentTest, IsCheckedByBreakerAndRegistry) {
  const BreakerEnvironment bad = WithBuckets({absl::ZeroDuration()});
  EXPECT_EQ(CircuitBreaker::Create(
                {"test"}, {}, std::make_shared<const BreakerEnvironment>(bad))
                .status(),
            bad.Validate());
  RegistryOptions options;
  options.environment = bad;
  EXPECT_EQ(BreakerRegistry::Create(options).status(), bad.Validate());
}

}  // namespace
}  // namespace autobreaker
