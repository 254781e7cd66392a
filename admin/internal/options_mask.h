// The options that a field mask takes, laid over those of a breaker.
//
//   google.protobuf.FieldMask mask: paths "trip.evidence.tolerated_burst"
//
// A taken field that the message gives is the message's. One that it does not
// give goes back to what it is in `base`. The rest stays. "trip" takes every
// field of trip. `trip.evidence` and `open.pace_by_calls` can be off: giving or
// taking back one of their fields alone never turns them off, giving one turns
// them on.
//
// Thread-safety: a free function without state.
#ifndef AUTOBREAKER_ADMIN_INTERNAL_OPTIONS_MASK_H_
#define AUTOBREAKER_ADMIN_INTERNAL_OPTIONS_MASK_H_

#include <google/protobuf/field_mask.pb.h>

#include "absl/status/status.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/proto/config.pb.h"

namespace autobreaker {

// Changes `*options` by what `mask` takes: "*" is every field, and an empty
// mask every field that `message` gives. INVALID_ARGUMENT that names the path
// or the field if a path is none or what is taken contradicts itself;
// `*options` is unspecified then. Ranges are for BreakerOptions::Validate() to
// check.
absl::Status MergeMaskedOptions(const v1::BreakerOptions& message,
                                const google::protobuf::FieldMask& mask,
                                const BreakerOptions& base,
                                BreakerOptions* options);

}  // namespace autobreaker

#endif  // AUTOBREAKER_ADMIN_INTERNAL_OPTIONS_MASK_H_
