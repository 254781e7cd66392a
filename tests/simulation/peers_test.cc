// The peers of the decision benchmark do what their descriptions say.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "autobreaker/simulation/peers/autobreaker_go.h"
#include "autobreaker/simulation/peers/envoy_outlier.h"
#include "autobreaker/simulation/peers/finagle.h"
#include "autobreaker/simulation/peers/gobreaker.h"
#include "autobreaker/simulation/peers/linkerd.h"
#include "autobreaker/simulation/peers/polly.h"
#include "autobreaker/simulation/peers/resilience4j.h"
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

TEST(Polly, OpensAtTheRatio) {
  Polly breaker({});
  Succeed(breaker, 90);
  EXPECT_EQ(Fail(breaker, 20), 10);
}

TEST(Polly, ForgetsWhatIsOlderThanTheWindow) {
  Polly breaker({});
  Succeed(breaker, 99);
  EXPECT_EQ(Fail(breaker, 99, Seconds(30)), 99);
}

TEST(Polly, OneProbeDecides) {
  Polly breaker({});
  Fail(breaker, 100);
  EXPECT_EQ(Fail(breaker, 10, Seconds(5)), 1);
  EXPECT_EQ(Succeed(breaker, 10, Seconds(10)), 10);
}

TEST(Polly, OneProbeIsUnderWay) {
  Polly breaker({});
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

TEST(Finagle, MarksDeadAfterFiveInARow) {
  Finagle breaker({}, /*seed=*/1);
  EXPECT_EQ(Fail(breaker, 4), 4);
  EXPECT_EQ(Succeed(breaker, 1), 1);
  EXPECT_EQ(Fail(breaker, 10), 5);
}

// One call in `period` fails, at ten a second; until when it admitted all.
double AliveFor(SimulatedBreaker& breaker, int period) {
  for (int i = 1; i <= 6000; ++i) {
    const Nanos now = Seconds(i * 0.1);
    if (Make(breaker, 1, /*failed=*/i % period == 0, now) == 0) return i * 0.1;
  }
  return 600;
}

TEST(Finagle, MarksDeadWhenTheAverageIsTooLow) {
  // It falls from 1 to 0.75 by the exponential of 30 s.
  Finagle quarter({}, /*seed=*/1);
  EXPECT_NEAR(AliveFor(quarter, 4), 30 * std::log(5), 1);
  Finagle sixth({}, /*seed=*/1);
  EXPECT_EQ(AliveFor(sixth, 6), 600);
}

TEST(Finagle, JudgesNoAverageOfLessThanAWindow) {
  Finagle breaker({}, /*seed=*/1);
  EXPECT_NEAR(AliveFor(breaker, 2), 30, 1);
}

TEST(Finagle, OneProbeDecides) {
  Finagle breaker({}, /*seed=*/1);
  Fail(breaker, 5);
  EXPECT_EQ(Fail(breaker, 1, Seconds(5) - 1), 0);
  EXPECT_EQ(Fail(breaker, 10, Seconds(5)), 1);
  EXPECT_EQ(Succeed(breaker, 10, Seconds(15)), 10);
}

TEST(Finagle, IsDeadForLongerEachTime) {
  Finagle breaker({}, /*seed=*/1);
  Fail(breaker, 5);
  double now = 5;
  double longest = 0;
  for (const double least : {5, 10, 20, 40, 80, 150, 150}) {
    EXPECT_EQ(Fail(breaker, 1, Seconds(now)), 1);
    EXPECT_EQ(Fail(breaker, 1, Seconds(now + least - 0.001)), 0);
    longest = std::min(300.0, 2 * least);
    now += longest;
  }
  EXPECT_EQ(longest, 300);
}

TEST(Linkerd, ShutsAfterSevenInARow) {
  Linkerd breaker({}, /*seed=*/1);
  EXPECT_EQ(Fail(breaker, 6), 6);
  EXPECT_EQ(Succeed(breaker, 1), 1);
  EXPECT_EQ(Fail(breaker, 10), 7);
}

TEST(Linkerd, OneProbeDecides) {
  Linkerd breaker({}, /*seed=*/1);
  Fail(breaker, 7);
  EXPECT_EQ(Fail(breaker, 1, Seconds(1) - 1), 0);
  EXPECT_EQ(Fail(breaker, 10, Seconds(1.5)), 1);
  EXPECT_EQ(Succeed(breaker, 10, Seconds(4.5)), 10);
}

TEST(Linkerd, ThePenaltyDoublesUpToAMinute) {
  Linkerd breaker({}, /*seed=*/1);
  Fail(breaker, 7);
  double now = 1.5;
  for (const double least : {2, 4, 8, 16, 32, 60, 60}) {
    EXPECT_EQ(Fail(breaker, 1, Seconds(now)), 1);
    EXPECT_EQ(Fail(breaker, 1, Seconds(now + least) - 1), 0);
    now += 1.5 * least;
  }
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
