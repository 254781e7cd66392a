// The options of a breaker, and what follows from them, worked out once.
//
// Immutable, so that all breakers with the same options share one.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_RULES_H_
#define AUTOBREAKER_BREAKER_INTERNAL_RULES_H_

#include <memory>

#include "autobreaker/breaker/internal/evidence.h"
#include "autobreaker/breaker/internal/trip_rule.h"
#include "autobreaker/breaker/options.h"

namespace autobreaker {

struct Rules {
  BreakerOptions options;
  TripRule trip;
  EvidenceRule evidence;

  // REQUIRES: valid options.
  static std::shared_ptr<const Rules> Of(const BreakerOptions& options) {
    return std::make_shared<const Rules>(
        Rules{options, TripRule::From(options.trip),
              EvidenceRule::From(options.trip)});
  }
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_RULES_H_
