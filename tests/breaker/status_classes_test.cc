#include "autobreaker/breaker/status_classes.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(StatusCodeSetTest, HoldsWhatItWasMadeOf) {
  const StatusCodeSet set = {absl::StatusCode::kUnavailable,
                             absl::StatusCode::kInternal};
  EXPECT_TRUE(set.Contains(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(set.Contains(absl::StatusCode::kInternal));
  EXPECT_FALSE(set.Contains(absl::StatusCode::kNotFound));
}

TEST(StatusCodeSetTest, EmptyHoldsNothing) {
  const StatusCodeSet set = {};
  for (int code = 0; code < kStatusCodeCount; ++code) {
    EXPECT_FALSE(set.Contains(code));
  }
}

TEST(StatusCodeSetTest, NumberThatIsNoCodeIsInNone) {
  StatusCodeSet set = StatusCodeSet::FromBits(0xFFFFFFFF);
  for (const int code : {-1, kStatusCodeCount, 31, 32, 1000}) {
    set.Insert(code);
    EXPECT_FALSE(set.Contains(code)) << code;
  }
}

TEST(StatusCodeSetTest, BitsMakeItAgain) {
  const StatusCodeSet set = {absl::StatusCode::kOk,
                             absl::StatusCode::kUnauthenticated};
  EXPECT_TRUE(StatusCodeSet::FromBits(set.bits()) == set);
  EXPECT_TRUE(set != StatusCodeSet());
}

TEST(StatusClassesTest, ACodeInNeitherIsASuccess) {
  EXPECT_EQ(StatusClasses().Classify(absl::StatusCode::kUnavailable),
            Outcome::kSuccess);
}

TEST(StatusClassesTest, ACodeInBothIsAFailure) {
  const StatusCodeSet aborted = {absl::StatusCode::kAborted};
  EXPECT_EQ(
      (StatusClasses{aborted, aborted}.Classify(absl::StatusCode::kAborted)),
      Outcome::kFailure);
}

TEST(StatusClassesTest, ACodeInIgnoredAloneIsIgnored) {
  const StatusClasses classes = {{}, {absl::StatusCode::kAborted}};
  EXPECT_EQ(classes.Classify(absl::StatusCode::kAborted), Outcome::kIgnored);
}

TEST(StatusClassesTest, NumberThatIsNoCodeCountsAsUnknown) {
  const StatusClasses classes = {{absl::StatusCode::kUnknown}, {}};
  for (const int code : {-1, 17, 1000}) {
    EXPECT_EQ(classes.Classify(code), Outcome::kFailure) << code;
  }
}

}  // namespace
}  // namespace autobreaker
