#include "autobreaker/interceptor/internal/pushback.h"

#include <grpcpp/support/string_ref.h>

#include <cstdint>
#include <map>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

absl::Duration Pushback(const char* value) {
  return PushbackIn({{"other", "7"}, {"grpc-retry-pushback-ms", value}});
}

TEST(Pushback, IsSoManyMilliseconds) {
  EXPECT_EQ(Pushback("1500"), absl::Milliseconds(1500));
}

TEST(Pushback, MayBeLongerThanAnybodyWillWait) {
  EXPECT_EQ(Pushback("9223372036854775807"), absl::Milliseconds(INT64_MAX));
}

TEST(Pushback, IsNothingIfTheServerDoesNotAsk) {
  EXPECT_EQ(PushbackIn({}), absl::ZeroDuration());
  EXPECT_EQ(PushbackIn({{"other", "1500"}}), absl::ZeroDuration());
}

TEST(Pushback, IsNothingIfItIsNoTime) {
  for (const char* const value :
       {"-1", "", "soon", "1e9", "1500ms", "99999999999999999999"}) {
    EXPECT_EQ(Pushback(value), absl::ZeroDuration()) << value;
  }
}

TEST(Pushback, NeedNotEndWithAZeroByte) {
  const char text[] = "1500";
  EXPECT_EQ(PushbackIn({{"grpc-retry-pushback-ms", grpc::string_ref(text, 2)}}),
            absl::Milliseconds(15));
}

}  // namespace
}  // namespace autobreaker
