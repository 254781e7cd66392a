#include "autobreaker/interceptor/classification.h"

#include "gtest/gtest.h"

namespace autobreaker {
namespace {

Outcome Classify(grpc::StatusCode code) {
  return Classification().ByCode(code);
}

TEST(Classification, TroubleOfTheServerIsFailure) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::DEADLINE_EXCEEDED,
        grpc::StatusCode::INTERNAL, grpc::StatusCode::RESOURCE_EXHAUSTED,
        grpc::StatusCode::UNKNOWN, grpc::StatusCode::DATA_LOSS}) {
    EXPECT_EQ(Classify(code), Outcome::kFailure) << code;
  }
}

TEST(Classification, CancelledIsIgnored) {
  EXPECT_EQ(Classify(grpc::StatusCode::CANCELLED), Outcome::kIgnored);
}

TEST(Classification, EveryOtherAnswerIsSuccess) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::OK, grpc::StatusCode::INVALID_ARGUMENT,
        grpc::StatusCode::NOT_FOUND, grpc::StatusCode::ALREADY_EXISTS,
        grpc::StatusCode::PERMISSION_DENIED, grpc::StatusCode::UNAUTHENTICATED,
        grpc::StatusCode::FAILED_PRECONDITION, grpc::StatusCode::ABORTED,
        grpc::StatusCode::OUT_OF_RANGE, grpc::StatusCode::UNIMPLEMENTED}) {
    EXPECT_EQ(Classify(code), Outcome::kSuccess) << code;
  }
}

TEST(Classification, CodeInBothSetsIsFailure) {
  Classification both;
  both.failures = {grpc::StatusCode::ABORTED};
  both.ignored = {grpc::StatusCode::ABORTED};
  EXPECT_EQ(both.ByCode(grpc::StatusCode::ABORTED), Outcome::kFailure);
}

TEST(Classification, TakesANumberThatIsNoCodeForUnknown) {
  for (const int number : {-1, 17, 31}) {
    EXPECT_EQ(Classify(static_cast<grpc::StatusCode>(number)),
              Outcome::kFailure)
        << number;
  }
}

}  // namespace
}  // namespace autobreaker
