// Between the messages that operators write and read and the values of
// breaker/.
//
// Thread-safety: free functions without state.
#ifndef AUTOBREAKER_CONFIG_CONVERT_H_
#define AUTOBREAKER_CONFIG_CONVERT_H_

#include <google/protobuf/duration.pb.h>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/status_classes.h"
#include "autobreaker/breaker/types.h"
#include "autobreaker/proto/config.pb.h"

namespace autobreaker {

// Lays what `message` gives over `*options`. INVALID_ARGUMENT that names the
// field if a message contradicts itself or a duration is none; `*options` is
// unspecified then. Ranges are for BreakerOptions::Validate() to check.
absl::Status MergeOptions(const v1::BreakerOptions& message,
                          BreakerOptions* options);

// Gives every field, so that merging it into any options makes them equal.
v1::BreakerOptions ToProto(const BreakerOptions& options);

// INVALID_ARGUMENT that names the field if OK is given, or a code twice, or one
// that is none.
absl::Status MakeStatusClasses(const v1::Classification& message,
                               StatusClasses* classes);
// The way back: gives both lists.
v1::Classification ToProto(const StatusClasses& classes);

// INVALID_ARGUMENT if it is none.
absl::Status MakeMode(v1::Mode message, Mode* mode);
// The way back.
v1::Mode ToProto(Mode mode);

// The same code; what is none is UNKNOWN.
v1::Code ToProto(absl::StatusCode code);

// Part by part.
BreakerKey MakeKey(const v1::BreakerKey& message);
// Bytes that are not UTF-8 are replaced, see breaker/utf8.h.
v1::BreakerKey ToProto(const BreakerKey& key);

// INVALID_ARGUMENT, which says no field, if it is out of protobuf's range or
// its parts differ in sign.
absl::Status MakeDuration(const google::protobuf::Duration& message,
                          absl::Duration* duration);
// REQUIRES: finite, and at most 10,000 years.
google::protobuf::Duration ToProto(absl::Duration duration);

}  // namespace autobreaker

#endif  // AUTOBREAKER_CONFIG_CONVERT_H_
