#include "autobreaker/breaker/internal/exceptions.h"

#include <stdexcept>

#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(EndsWell, WhatReturnsDoes) {
  int calls = 0;
  EXPECT_TRUE(EndsWell([&] { ++calls; }));
  EXPECT_EQ(calls, 1);
}

#ifdef ABSL_HAVE_EXCEPTIONS
TEST(EndsWell, WhatThrowsAnythingDoesNot) {
  EXPECT_FALSE(EndsWell([] { throw std::runtime_error("no"); }));
  EXPECT_FALSE(EndsWell([] { throw 5; }));
}
#endif

}  // namespace
}  // namespace autobreaker
