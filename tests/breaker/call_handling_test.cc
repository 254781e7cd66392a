#include "autobreaker/breaker/call_handling.h"

#include <array>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "autobreaker/breaker/policy.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using Codes = std::array<uint64_t, kStatusCodeCount>;

TEST(CallHandlingTest, CountsEachStatusCodeByItself) {
  CallHandling handling(BreakerPolicy(), /*counts_status_codes=*/true);
  handling.CountStatusCode(absl::StatusCode::kOk);
  handling.CountStatusCode(absl::StatusCode::kUnauthenticated);
  handling.CountStatusCode(absl::StatusCode::kUnauthenticated);
  Codes expected = {};
  expected.front() = 1;
  expected.back() = 2;
  EXPECT_EQ(handling.status_codes(), expected);
}

TEST(CallHandlingTest, ANumberThatIsNoStatusCodeCountsAsUnknown) {
  CallHandling handling(BreakerPolicy(), /*counts_status_codes=*/true);
  handling.CountStatusCode(static_cast<absl::StatusCode>(17));
  handling.CountStatusCode(static_cast<absl::StatusCode>(-1));
  Codes expected = {};
  expected[static_cast<int>(absl::StatusCode::kUnknown)] = 2;
  EXPECT_EQ(handling.status_codes(), expected);
}

TEST(CallHandlingTest, CountsNoStatusCodeUnlessAskedTo) {
  CallHandling handling(BreakerPolicy(), /*counts_status_codes=*/false);
  handling.CountStatusCode(absl::StatusCode::kOk);
  EXPECT_EQ(handling.status_codes(), Codes{});
}

TEST(CallHandlingTest, AsksABreakerUnlessThePolicyLeavesItUnguarded) {
  BreakerPolicy policy;
  CallHandling handling(policy, /*counts_status_codes=*/false);
  EXPECT_TRUE(handling.asks());
  policy.unguarded = true;
  handling.SetPolicy(policy);
  EXPECT_TRUE(handling.unguarded());
  EXPECT_FALSE(handling.asks());
}

TEST(CallHandlingTest, ARemovedBreakerStaysRemovedWhateverThePolicy) {
  CallHandling handling(BreakerPolicy(), /*counts_status_codes=*/false);
  handling.MarkRemoved();
  handling.SetPolicy(BreakerPolicy());
  EXPECT_TRUE(handling.removed());
  EXPECT_FALSE(handling.asks());
}

TEST(CallHandlingTest, ClassifiesOnlyWhereThePolicySaysHow) {
  BreakerPolicy policy;
  CallHandling handling(policy, /*counts_status_codes=*/false);
  EXPECT_EQ(handling.Classify(absl::StatusCode::kAborted), std::nullopt);
  policy.status_classes.emplace();
  policy.status_classes->failures = {absl::StatusCode::kAborted};
  policy.status_classes->ignored = {absl::StatusCode::kUnauthenticated};
  handling.SetPolicy(policy);
  EXPECT_EQ(handling.Classify(absl::StatusCode::kAborted), Outcome::kFailure);
  EXPECT_EQ(handling.Classify(absl::StatusCode::kUnauthenticated),
            Outcome::kIgnored);
  EXPECT_EQ(handling.Classify(absl::StatusCode::kUnavailable),
            Outcome::kSuccess);
}

}  // namespace
}  // namespace autobreaker
