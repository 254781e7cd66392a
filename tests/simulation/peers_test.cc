// The peers of the decision benchmark do what their descriptions say.

#include <cstdint>
#include <optional>
#include <vector>

#include "autobreaker/simulation/peers/autobreaker_go.h"
#include "autobreaker/simulation/peers/envoy_outlier.h"
#include "autobreaker/simulation/peers/gobreaker.h"
#include "autobreaker/simulation/peers/resilience4j.h"
#include "autobreaker/simulation/peers/sliding_window.h"
#include "autobreaker/simulation/peers/sre_throttling.h"
#include "autobreaker/simulation/simulated_breaker.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

// Makes calls that end at once, and answers how many were admitted.
int Make(SimulatedBreaker& breaker, int calls, bool failed, Nanos now) {
  int admitted = 0;
  for (int i = 0; i < calls; ++i) {
    const std::optional<uint64_t> ticket = breaker.Admit(now);
    if (!ticket.has_value()) continue;
    ++admitted;
    breaker.Finish(*ticket, now, failed);
  }
  return admitted;
}
int Succeed(SimulatedBreaker& breaker, int calls, Nanos now = 0) {
  return Make(breaker, calls, /*failed=*/false, now);
}
int Fail(SimulatedBreaker& breaker, int calls, Nanos now = 0) {
  return Make(breaker, calls, /*failed=*/true, now);
}

TEST(AutoBreakerGo, OpensAtTheMinimum) {
  AutoBreakerGo breaker({});
  EXPECT_EQ(Fail(breaker, 30), 20);
}

TEST(AutoBreakerGo, NeverForgetsByDefault) {
  AutoBreakerGo breaker({});
  Succeed(breaker, 10'000);
  EXPECT_EQ(Fail(breaker, 500, Seconds(1000)), 500);
}

TEST(AutoBreakerGo, ForgetsAfterTheInterval) {
  AutoBreakerGoSettings settings;
  settings.interval = Seconds(60);
  AutoBreakerGo breaker(settings);
  Succeed(breaker, 10'000);
  EXPECT_EQ(Fail(breaker, 500, Seconds(60)), 20);
}

TEST(AutoBreakerGo, CallsUnderWayCountAsRequests) {
  AutoBreakerGo breaker({});
  for (int i = 0; i < 1000; ++i) breaker.Admit(0);
  EXPECT_EQ(Fail(breaker, 40), 40);
}

TEST(AutoBreakerGo, OneSuccessCloses) {
  AutoBreakerGo breaker({});
  Fail(breaker, 20);
  EXPECT_EQ(Succeed(breaker, 1, Seconds(59)), 0);
  EXPECT_EQ(Succeed(breaker, 10, Seconds(60)), 10);
}

TEST(Gobreaker, OpensWhenMoreThanFiveFailInARow) {
  Gobreaker breaker({});
  EXPECT_EQ(Fail(breaker, 5), 5);
  EXPECT_EQ(Succeed(breaker, 1), 1);
  EXPECT_EQ(Fail(breaker, 10), 6);
}

TEST(Gobreaker, ProbesAfterTheTimeout) {
  Gobreaker breaker({});
  Fail(breaker, 6);
  EXPECT_EQ(Fail(breaker, 1, Seconds(60)), 0);
  EXPECT_EQ(Fail(breaker, 10, Seconds(60) + 1), 1);
  EXPECT_EQ(Succeed(breaker, 10, Seconds(121)), 10);
}

TEST(Gobreaker, DropsLateResults) {
  Gobreaker breaker({});
  const std::optional<uint64_t> late = breaker.Admit(0);
  Fail(breaker, 6);
  const std::optional<uint64_t> probe = breaker.Admit(Seconds(61));
  breaker.Finish(*late, Seconds(61), /*failed=*/true);
  breaker.Finish(*probe, Seconds(61), /*failed=*/false);
  EXPECT_EQ(Succeed(breaker, 10, Seconds(61)), 10);
}

TEST(Resilience4j, IsJudgedFromTheMinimumOn) {
  Resilience4j breaker({});
  Succeed(breaker, 50);
  EXPECT_EQ(Fail(breaker, 60), 50);
}

TEST(Resilience4j, SeesTheLastHundredCalls) {
  Resilience4j breaker({});
  Succeed(breaker, 10'000);
  EXPECT_EQ(Fail(breaker, 60), 50);
}

TEST(Resilience4j, JudgesTenProbesTogether) {
  Resilience4j breaker({});
  Fail(breaker, 100);
  EXPECT_EQ(Fail(breaker, 1, Seconds(59)), 0);
  EXPECT_EQ(Fail(breaker, 4, Seconds(60)), 4);
  EXPECT_EQ(Succeed(breaker, 20, Seconds(60)), 20);
}

TEST(Resilience4j, ReopensWhenHalfOfTheProbesFail) {
  Resilience4j breaker({});
  Fail(breaker, 100);
  EXPECT_EQ(Fail(breaker, 5, Seconds(60)), 5);
  EXPECT_EQ(Succeed(breaker, 20, Seconds(60)), 5);
}

TEST(Resilience4j, AtMostTenProbesAreUnderWay) {
  Resilience4j breaker({});
  Fail(breaker, 100);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(breaker.Admit(Seconds(60)));
  EXPECT_FALSE(breaker.Admit(Seconds(60)));
}

TEST(SlidingWindow, OpensAtTheRatio) {
  SlidingWindowBreaker breaker({});
  Succeed(breaker, 90);
  EXPECT_EQ(Fail(breaker, 20), 10);
}

TEST(SlidingWindow, ForgetsWhatIsOlderThanTheWindow) {
  SlidingWindowBreaker breaker({});
  Succeed(breaker, 99);
  EXPECT_EQ(Fail(breaker, 99, Seconds(30)), 99);
}

TEST(SlidingWindow, OneProbeDecides) {
  SlidingWindowBreaker breaker({});
  Fail(breaker, 100);
  EXPECT_EQ(Fail(breaker, 10, Seconds(5)), 1);
  EXPECT_EQ(Succeed(breaker, 10, Seconds(10)), 10);
}

TEST(SlidingWindow, OneProbeIsUnderWay) {
  SlidingWindowBreaker breaker({});
  Fail(breaker, 100);
  EXPECT_TRUE(breaker.Admit(Seconds(5)));
  EXPECT_FALSE(breaker.Admit(Seconds(100)));
}

TEST(EnvoyOutlier, EjectsAfterFiveInARow) {
  EnvoyOutlier breaker({});
  EXPECT_EQ(Fail(breaker, 10), 5);
}

TEST(EnvoyOutlier, ReturnsAtOnceForAllCalls) {
  EnvoyOutlier breaker({});
  Fail(breaker, 5, Seconds(1));
  EXPECT_EQ(Succeed(breaker, 10, Seconds(39)), 0);  // swept at 30 s, too soon
  EXPECT_EQ(Succeed(breaker, 10, Seconds(40)), 10);
}

TEST(EnvoyOutlier, StaysAwayLongerEachTime) {
  EnvoyOutlier breaker({});
  Fail(breaker, 5);
  EXPECT_EQ(Fail(breaker, 5, Seconds(31)), 5);
  EXPECT_EQ(Succeed(breaker, 1, Seconds(99)), 0);
  EXPECT_EQ(Succeed(breaker, 1, Seconds(100)), 1);
}

TEST(SreThrottling, AdmitsAllWhileHalfIsAccepted) {
  SreThrottling breaker({}, /*seed=*/1);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(Succeed(breaker, 1), 1);
    EXPECT_EQ(Fail(breaker, 1), 1);
  }
}

TEST(SreThrottling, RefusesAsTheFormulaSays) {
  SreThrottling breaker({}, /*seed=*/1);
  Succeed(breaker, 100);
  // The more are asked for, the larger a part is refused: the n-th of them
  // passes with probability 201 / (n + 1) or so, from the 200th on.
  EXPECT_NEAR(Fail(breaker, 100'000), 100 + 201 * 6.2, 100);
}

TEST(SreThrottling, ForgetsWhatIsOlderThanTheWindow) {
  SreThrottling breaker({}, /*seed=*/1);
  Fail(breaker, 1000);
  EXPECT_EQ(Succeed(breaker, 10, Seconds(120)), 10);
}

}  // namespace
}  // namespace autobreaker::decisions
