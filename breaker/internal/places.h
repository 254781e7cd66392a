// How a sum that failures raise and successes lower is kept in one word that
// only failures write.
//
// It is known in advance what a success takes away. So the word holds the place
// where the sum will be 0: the number of successes at which that is so, in
// units of which one success is `one_success`. The sum is the distance from
// where the successes are now to that place. Beside it are the low bits of the
// generation whose results are summed.
//
//   56 bits: place | 8 bits: generation
//
// Plain functions.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_PLACES_H_
#define AUTOBREAKER_BREAKER_INTERNAL_PLACES_H_

#include <cstdint>

namespace autobreaker {

inline constexpr int kPlaceBits = 56;
inline constexpr uint64_t kPlaceMask = (uint64_t{1} << kPlaceBits) - 1;

inline uint64_t PackPlace(uint64_t place, uint64_t generation) {
  return (place & kPlaceMask) | generation << kPlaceBits;
}

inline bool IsOfGeneration(uint64_t word, uint64_t generation) {
  return word >> kPlaceBits == (generation & 0xff);
}

// How far the place in `word` is ahead of `place`; 0 if it is behind.
inline uint64_t PlaceAhead(uint64_t word, uint64_t place) {
  const uint64_t ahead = (word - place) & kPlaceMask;
  return ahead > kPlaceMask / 2 ? 0 : ahead;
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_PLACES_H_
