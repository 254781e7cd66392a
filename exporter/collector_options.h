// How a collector names what it shows.
//
// A plain value, checked where a collector takes it.
#ifndef AUTOBREAKER_EXPORTER_COLLECTOR_OPTIONS_H_
#define AUTOBREAKER_EXPORTER_COLLECTOR_OPTIONS_H_

#include <map>
#include <string>

#include "absl/status/status.h"

namespace autobreaker {

struct CollectorOptions {
  // What the name of every metric begins with. Letters, digits, underscores and
  // colons, not beginning with a digit; not empty.
  std::string prefix = "circuit_breaker_";

  // The labels of a breaker's name, service and method, and of its partition if
  // it has one. Letters, digits and
  // underscores, beginning with a letter or a single underscore; none that a
  // metric has anyway ("code", "from", "le", "reason", "result", "state",
  // "to"), and none twice.
  std::string name_label = "name";
  std::string service_label = "service";
  std::string method_label = "method";
  std::string partition_label = "partition";

  // Labels that every sample gets, such as {"environment", "production"}. Keys
  // as above; values are UTF-8, without U+FFFD, and not empty.
  std::map<std::string, std::string> constant_labels;

  // OK, or INVALID_ARGUMENT that names every bad field with its value and what
  // it must be.
  absl::Status Validate() const;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_EXPORTER_COLLECTOR_OPTIONS_H_
