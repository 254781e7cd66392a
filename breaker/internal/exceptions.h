// Runs what may throw, in programs with exceptions and without.
//
//   if (!EndsWell([&] { callback(change); })) ++exceptions;
#ifndef AUTOBREAKER_BREAKER_INTERNAL_EXCEPTIONS_H_
#define AUTOBREAKER_BREAKER_INTERNAL_EXCEPTIONS_H_

#include "absl/base/config.h"

namespace autobreaker {

// Whether `body` returned, and did not throw. With -fno-exceptions nothing can
// be caught: what would throw ends the program.
template <typename Body>
bool EndsWell(Body body) {
#ifdef ABSL_HAVE_EXCEPTIONS
  try {
    body();
  } catch (...) {
    return false;
  }
#else
  body();
#endif
  return true;
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_EXCEPTIONS_H_
