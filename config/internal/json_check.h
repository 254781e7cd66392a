// Whether a text in JSON has the shape of a message: known fields, values of
// the right kind, and nothing that is there twice.
//
//   absl::Status status =
//       CheckJson(text, "breakers.json", *v1::Config::descriptor());
//
// Protobuf checks, too, but words its errors otherwise in each version, and not
// always with the place. And it reads over a field that is given twice and a
// null in a list, which would shift the entries after it.
#ifndef AUTOBREAKER_CONFIG_INTERNAL_JSON_CHECK_H_
#define AUTOBREAKER_CONFIG_INTERNAL_JSON_CHECK_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace autobreaker {

// `source` names the text in errors; it may be empty. Errors are
// InvalidArgument and name the place: "breakers.json:3:7: ..." where the text
// is not JSON, and "breakers.json: breakers[1].options.trip.window is 5, must
// be ..." where it is. They may hold bytes of the text that are not UTF-8.
absl::Status CheckJson(const std::string& text, absl::string_view source,
                       const google::protobuf::Descriptor& type);

}  // namespace autobreaker

#endif  // AUTOBREAKER_CONFIG_INTERNAL_JSON_CHECK_H_
