// What "breakerctl config" finds out: whether a configuration is good, which
// breakers it is for, and from whom the options of a breaker are.
//
// Thread-safety: free functions without state.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_CONFIG_COMMAND_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_CONFIG_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "autobreaker/proto/admin.pb.h"
#include "autobreaker/proto/config.pb.h"

namespace autobreaker::breakerctl {

// What is in the file. INVALID_ARGUMENT if a program with the library's default
// options would not apply it, and what it would say.
absl::StatusOr<v1::Config> CheckConfig(const std::string& path);

// "breakers.json is good: 2 entries for 3 names".
std::string GoodLine(const std::string& path, const v1::Config& config);

// For each name of the configuration the breakers that would have their options
// from there. `breakers` are those of a program, with their policies.
// INVALID_ARGUMENT if that program would not apply it.
absl::StatusOr<std::string> Matches(const v1::Config& config,
                                    const std::vector<v1::Breaker>& breakers);

// Each option of a breaker, its value, and who says so: somebody by hand, the
// configuration, the program, or nobody, as the library has it. An option that
// two have at the same value is that of the later of these.
std::string Explanation(const v1::Breaker& breaker);

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_CONFIG_COMMAND_H_
