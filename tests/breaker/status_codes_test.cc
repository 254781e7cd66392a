#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/instruments.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using Codes = std::array<uint64_t, kStatusCodeCount>;

std::shared_ptr<CircuitBreaker> MakeBreaker(bool count_status_codes) {
  auto instruments = std::make_shared<Instruments>();
  instruments->count_status_codes = count_status_codes;
  return CircuitBreaker::Create({"test"}, {}, std::move(instruments)).value();
}

TEST(StatusCodesTest, AreCountedByThemselves) {
  const auto breaker = MakeBreaker(true);
  breaker->CountStatusCode(absl::StatusCode::kOk);
  breaker->CountStatusCode(absl::StatusCode::kUnauthenticated);
  breaker->CountStatusCode(absl::StatusCode::kUnauthenticated);
  Codes expected = {};
  expected.front() = 1;
  expected.back() = 2;
  EXPECT_EQ(breaker->Snapshot().status_codes, expected);
}

TEST(StatusCodesTest, SayNothingOfTheOutcome) {
  const auto breaker = MakeBreaker(true);
  breaker->CountStatusCode(absl::StatusCode::kUnavailable);
  const BreakerSnapshot snapshot = breaker->Snapshot();
  EXPECT_EQ(snapshot.requests, 0);
  EXPECT_EQ(snapshot.failures, 0);
}

TEST(StatusCodesTest, ANumberThatIsNoneIsUnknown) {
  const auto breaker = MakeBreaker(true);
  breaker->CountStatusCode(static_cast<absl::StatusCode>(17));
  breaker->CountStatusCode(static_cast<absl::StatusCode>(-1));
  Codes expected = {};
  expected[static_cast<int>(absl::StatusCode::kUnknown)] = 2;
  EXPECT_EQ(breaker->Snapshot().status_codes, expected);
}

TEST(StatusCodesTest, AreNotCountedUnlessAskedFor) {
  const auto breaker = MakeBreaker(false);
  breaker->CountStatusCode(absl::StatusCode::kOk);
  EXPECT_EQ(breaker->Snapshot().status_codes, Codes{});
}

}  // namespace
}  // namespace autobreaker
