// Options of a breaker as "field=value", both ways. The fields are those that
// BreakerOptions has by its descriptor: a new one needs nothing here.
//
// Thread-safety: free functions without state.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_OPTIONS_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_OPTIONS_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/proto/admin.pb.h"
#include "autobreaker/proto/config.pb.h"

namespace autobreaker::breakerctl {

// Takes "trip.minimum_calls=50", "open.duration=100ms" or "trip.evidence=off"
// into the options and the mask. INVALID_ARGUMENT if there is no such field,
// the value is none for it, or the field was named before. Ranges are for the
// server to check.
absl::Status AddAssignment(absl::string_view assignment,
                           v1::UpdateRequest* request);

// Takes "trip.minimum_calls", or "trip" for all of it, into the mask only, so
// that it goes back to what the program has.
absl::Status AddReset(absl::string_view field, v1::UpdateRequest* request);

// "trip.minimum_calls=50" for every option that is given, in the order of the
// fields; if `fields` are named, for those and what they contain only.
std::vector<std::string> Assignments(const v1::BreakerOptions& options);
std::vector<std::string> Assignments(const v1::BreakerOptions& options,
                                     const google::protobuf::FieldMask& fields);

// Takes "100ms" or "1m30s". False if it is none, out of protobuf's range or
// finer than a nanosecond.
bool ParseDuration(absl::string_view text, google::protobuf::Duration* message);

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_OPTIONS_H_
