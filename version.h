// The version of AutoBreaker, also for the preprocessor:
//
//   #if AUTOBREAKER_VERSION_MAJOR > 0 || AUTOBREAKER_VERSION_MINOR >= 2
//
// What a change of each number means: docs/versions.md.
#ifndef AUTOBREAKER_VERSION_H_
#define AUTOBREAKER_VERSION_H_

// Of the headers that are compiled.
#define AUTOBREAKER_VERSION_MAJOR 0
// The same.
#define AUTOBREAKER_VERSION_MINOR 1
// The same.
#define AUTOBREAKER_VERSION_PATCH 0

namespace autobreaker {

// All three, as "0.1.0".
inline constexpr char kVersion[] = "0.1.0";

}  // namespace autobreaker

#endif  // AUTOBREAKER_VERSION_H_
