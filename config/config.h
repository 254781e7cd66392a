// An operator's configuration of the breakers of a program, as text and in
// force.
//
//   absl::StatusOr<v1::Config> config =
//       ParseConfig(text, ConfigFormat::kJson, "breakers.json");
//   if (!config.ok()) return config.status();
//   absl::Status status = ApplyConfig(*config, registry.get());
//
// What may be in it is described in proto/config.proto. It is applied as a
// whole or not at all, and replaces the one before: what a new configuration
// leaves out is as the program has it again. See config_file.h for files and
// config_watcher.h for files that change.
//
// Thread-safety: free functions without state; the registry has its own.
#ifndef AUTOBREAKER_CONFIG_CONFIG_H_
#define AUTOBREAKER_CONFIG_CONFIG_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/proto/config.pb.h"

namespace autobreaker {

// How a configuration is written down.
enum class ConfigFormat {
  kJson,       // protobuf's mapping: halfOpen or half_open, "0.2s"
  kTextproto,  // protobuf's text format
};

// INVALID_ARGUMENT, beginning with `source`, for a text that is not whole: a
// name that is no field, a value that does not fit its field, a field given
// twice, the end missing. An empty configuration is well-formed as JSON, {}. A
// textproto without an entry is refused, for the format has no end, and so
// looks a file that was cut short; one cut between two entries cannot be told.
absl::StatusOr<v1::Config> ParseConfig(const std::string& text,
                                       ConfigFormat format,
                                       absl::string_view source);

// What `config` means, by scope, for BreakerRegistry::Apply(): its options laid
// over those that the program set in `registry`. INVALID_ARGUMENT that names
// the entry, its name, the field, the value and the range:
//
//   breakers[2] {service "shop.Orders"}: options: trip.minimum_calls is 0, must
//   be in [1, 1000000000]
absl::StatusOr<std::map<BreakerKey, BreakerPolicy>> MakePolicies(
    const v1::Config& config, const BreakerRegistry& registry);

// Puts `config` in force. An error changes nothing, and begins with `source` if
// there is one. Does not count as a reload: that is for who loads it.
absl::Status ApplyConfig(const v1::Config& config, BreakerRegistry* registry,
                         absl::string_view source = "");

}  // namespace autobreaker

#endif  // AUTOBREAKER_CONFIG_CONFIG_H_
