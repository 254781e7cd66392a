#include "autobreaker/breaker/internal/places.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace autobreaker {
namespace {

TEST(PlacesTest, SumIsTheDistanceToThePlace) {
  const uint64_t word = PackPlace(1000, 0);
  EXPECT_EQ(PlaceAhead(word, 700), 300);
  EXPECT_EQ(PlaceAhead(word, 1000), 0);
}

TEST(PlacesTest, SumIsNothingOnceThePlaceIsBehind) {
  const uint64_t word = PackPlace(1000, 0);
  EXPECT_EQ(PlaceAhead(word, 1001), 0);
  EXPECT_EQ(PlaceAhead(word, 1'000'000'000'000), 0);
}

TEST(PlacesTest, GenerationDoesNotChangeTheSum) {
  for (const uint64_t generation : {0, 1, 255, 256, 1'000'003}) {
    EXPECT_EQ(PlaceAhead(PackPlace(1000, generation), 700), 300) << generation;
  }
}

TEST(PlacesTest, WordIsOfItsGenerationAndOfNoneNextToIt) {
  for (const uint64_t generation : {1, 255, 256, 1'000'003}) {
    const uint64_t word = PackPlace(kPlaceMask, generation);
    EXPECT_TRUE(IsOfGeneration(word, generation)) << generation;
    EXPECT_FALSE(IsOfGeneration(word, generation - 1)) << generation;
    EXPECT_FALSE(IsOfGeneration(word, generation + 1)) << generation;
  }
}

TEST(PlacesTest, SumIsRightWhereThePlaceWraps) {
  const uint64_t place = kPlaceMask - 9;  // 10 more are 0
  EXPECT_EQ(PlaceAhead(PackPlace(place + 30, 7), place), 30);
  EXPECT_EQ(PlaceAhead(PackPlace(place + 30, 7), place + 20), 10);
  EXPECT_EQ(PlaceAhead(PackPlace(place, 7), place + 20), 0);
}

}  // namespace
}  // namespace autobreaker
