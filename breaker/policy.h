// All that can be set for a breaker from outside. A plain value.
//
// For programs that make a configuration themselves and hand it to
// BreakerRegistry::Apply(). From a file, config/config_watcher.h does that.
//
//   BreakerPolicy policy;
//   policy.mode = Mode::kShadow;
//   absl::Status status = registry->Apply({{BreakerKey{"payments"}, policy}});
#ifndef AUTOBREAKER_BREAKER_POLICY_H_
#define AUTOBREAKER_BREAKER_POLICY_H_

#include <optional>

#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/status_classes.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

struct BreakerPolicy {
  BreakerOptions options;  // the breaker's

  // The mode it is made with, goes to when this changes, and returns to when
  // another one was set for a time only.
  Mode mode = Mode::kAutomatic;

  // Whether calls are to pass it by, unasked and uncounted. For whoever asks
  // breakers on behalf of callers, such as the gRPC interceptor; the breaker
  // itself does not look at it.
  bool unguarded = false;

  // Which status codes are failures. The same: for the interceptor, in place of
  // its own Classification. That applies when not set.
  std::optional<StatusClasses> status_classes;

  friend bool operator==(const BreakerPolicy& a, const BreakerPolicy& b) {
    return a.options == b.options && a.mode == b.mode &&
           a.unguarded == b.unguarded && a.status_classes == b.status_classes;
  }
  friend bool operator!=(const BreakerPolicy& a, const BreakerPolicy& b) {
    return !(a == b);
  }
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_POLICY_H_
