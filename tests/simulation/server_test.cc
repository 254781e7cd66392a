// A server fails the calls that it cannot serve.

#include "autobreaker/simulation/server.h"

#include "autobreaker/simulation/simulated_breaker.h"
#include "autobreaker/simulation/world.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

constexpr bool kMade = true;
constexpr bool kRefused = false;

// Calls at an even rate for a minute, to a server that bears 100 a second, and
// how many of them it fails a second.
double FailedPerSecond(Server& server, double rate, bool collapses,
                       bool made = kMade) {
  constexpr double kSeconds = 60;
  int failed = 0;
  for (int i = 0; i < kSeconds * rate; ++i) {
    Call call;
    call.at = Seconds(i / rate);
    call.capacity = 100;
    call.collapses = collapses;
    if (server.Fails(call, made)) ++failed;
  }
  return failed / kSeconds;
}

TEST(Server, FailsWhatIsTooMuch) {
  Server server;
  EXPECT_NEAR(FailedPerSecond(server, 150, /*collapses=*/false), 50, 1);
}

TEST(Server, TakesWhatItBears) {
  Server server;
  EXPECT_EQ(FailedPerSecond(server, 99, /*collapses=*/true), 0);
}

TEST(Server, DoesLessTheMoreLoadThereIsIfItCollapses) {
  Server twice;
  EXPECT_NEAR(FailedPerSecond(twice, 200, /*collapses=*/true), 150, 3);
  Server four_times;
  EXPECT_NEAR(FailedPerSecond(four_times, 400, /*collapses=*/true), 375, 3);
}

TEST(Server, RefusedCallsAreNoLoad) {
  Server server;
  FailedPerSecond(server, 400, /*collapses=*/true, kRefused);
  Call call;
  call.at = Seconds(60);
  call.capacity = 100;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(server.Fails(call, kMade));
}

TEST(Server, OfRefusedCallsOnlyThoseItBearsWouldHaveSucceeded) {
  Server server;
  EXPECT_NEAR(FailedPerSecond(server, 150, /*collapses=*/false, kRefused), 50,
              1);
}

TEST(Server, BackendsTakeTurns) {
  Server server;
  Call call;
  call.backends = 3;
  call.dead_backend = 1;
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(server.Fails(call, kMade), i % 3 == 1);
  }
}

TEST(Server, ARefusedCallIsNobodysTurn) {
  Server server;
  Call call;
  call.backends = 3;
  call.dead_backend = 0;
  EXPECT_TRUE(server.Fails(call, kRefused));
  EXPECT_TRUE(server.Fails(call, kMade));
  EXPECT_FALSE(server.Fails(call, kMade));
}

}  // namespace
}  // namespace autobreaker::decisions
