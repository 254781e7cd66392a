#include "autobreaker/breaker/config_reloads.h"

#include <optional>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

const absl::Time kTime = absl::FromUnixSeconds(1'700'000'000);

TEST(ConfigReloadsTest, NothingUntilOneIsRecorded) {
  EXPECT_EQ(ConfigReloads().counts(), std::nullopt);
}

TEST(ConfigReloadsTest, CountsThoseThatSucceededAndThoseThatFailed) {
  ConfigReloads reloads;
  reloads.Record(true, kTime);
  reloads.Record(false, kTime);
  reloads.Record(true, kTime);
  EXPECT_EQ(reloads.counts()->succeeded, 2);
  EXPECT_EQ(reloads.counts()->failed, 1);
}

TEST(ConfigReloadsTest, TellsHowTheLastWent) {
  ConfigReloads reloads;
  reloads.Record(true, kTime);
  EXPECT_TRUE(reloads.counts()->last_succeeded);
  reloads.Record(false, kTime);
  EXPECT_FALSE(reloads.counts()->last_succeeded);
}

TEST(ConfigReloadsTest, FailureKeepsTheTimeOfTheLastSuccess) {
  ConfigReloads reloads;
  reloads.Record(true, kTime);
  reloads.Record(false, kTime + absl::Hours(1));
  EXPECT_EQ(reloads.counts()->last_success_time, kTime);
  reloads.Record(true, kTime + absl::Hours(2));
  EXPECT_EQ(reloads.counts()->last_success_time, kTime + absl::Hours(2));
}

TEST(ConfigReloadsTest, WithoutASuccessItWasInfinitelyLongAgo) {
  ConfigReloads reloads;
  reloads.Record(false, kTime);
  EXPECT_EQ(reloads.counts()->last_success_time, absl::InfinitePast());
}

}  // namespace
}  // namespace autobreaker
