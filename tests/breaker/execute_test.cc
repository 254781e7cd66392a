#include "autobreaker/breaker/execute.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {
namespace {

class ExecuteTest : public ::testing::Test {
 protected:
  BreakerSnapshot Snapshot() const { return breaker_->Snapshot(); }

  const std::shared_ptr<CircuitBreaker> breaker_ =
      CircuitBreaker::Create({"disk"}, BreakerOptions()).value();
};

TEST_F(ExecuteTest, AnswersWhatTheFunctionReturns) {
  EXPECT_EQ(Execute(*breaker_, [] { return std::string("page"); }), "page");
}

TEST_F(ExecuteTest, RecordsASuccess) {
  Execute(*breaker_, [] { return 1; });
  EXPECT_EQ(Snapshot().successes, 1);
  EXPECT_EQ(Snapshot().in_flight, 0);
}

TEST_F(ExecuteTest, RecordsWhatTheClassifierSays) {
  const std::optional<int> result = Execute(
      *breaker_, [] { return 503; },
      [](int status) {
        return status < 500 ? Outcome::kSuccess : Outcome::kFailure;
      });
  EXPECT_EQ(result, 503);
  EXPECT_EQ(Snapshot().failures, 1);
  EXPECT_EQ(Snapshot().in_flight, 0);
}

TEST_F(ExecuteTest, DoesNotRunTheFunctionWhereTheBreakerRefuses) {
  breaker_->SetMode(Mode::kForcedOpen, absl::Seconds(5));
  bool ran = false;
  Refusal refusal;
  const std::optional<int> result = Execute(
      *breaker_,
      [&] {
        ran = true;
        return 1;
      },
      [](int) { return Outcome::kSuccess; }, &refusal);
  EXPECT_EQ(result, std::nullopt);
  EXPECT_FALSE(ran);
  EXPECT_EQ(refusal.reason, RefusalReason::kForcedOpen);
}

TEST_F(ExecuteTest, SaysWhetherAFunctionRanThatReturnsNothing) {
  int runs = 0;
  EXPECT_TRUE(Execute(*breaker_, [&] { ++runs; }));
  breaker_->SetMode(Mode::kForcedOpen);
  EXPECT_FALSE(Execute(*breaker_, [&] { ++runs; }));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(Snapshot().successes, 1);
}

TEST_F(ExecuteTest, MovesAResultThatCannotBeCopied) {
  std::optional<std::unique_ptr<int>> result =
      Execute(*breaker_, [] { return std::make_unique<int>(7); });
  EXPECT_EQ(**result, 7);
}

// C10.
TEST_F(ExecuteTest, CountsAnExceptionAsAFailureAndLetsItPass) {
  EXPECT_THROW(
      Execute(*breaker_, []() -> int { throw std::runtime_error("disk"); }),
      std::runtime_error);
  EXPECT_EQ(Snapshot().failures, 1);
  EXPECT_EQ(Snapshot().abandoned, 0);
  EXPECT_EQ(Snapshot().in_flight, 0);
}

TEST_F(ExecuteTest, CountsAnExceptionOfTheClassifierAsAFailureToo) {
  EXPECT_THROW(Execute(
                   *breaker_, [] { return 1; },
                   [](int) -> Outcome { throw std::runtime_error("?"); }),
               std::runtime_error);
  EXPECT_EQ(Snapshot().failures, 1);
}

}  // namespace
}  // namespace autobreaker
