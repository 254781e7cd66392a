// Completion of breakerctl's command line in bash.
//
// Thread-safety: free functions without state.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_COMPLETION_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_COMPLETION_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace autobreaker::breakerctl {

// For "source <(breakerctl completion bash)". It asks "breakerctl complete --"
// and the words so far what may follow, so that it knows what breakerctl knows.
absl::string_view BashScript();

// What the last of `words`, which may be empty, can become; the others are
// whole. `keys` answers the breakers there are.
std::vector<std::string> Completions(
    const std::vector<std::string>& words,
    const std::function<std::vector<std::string>()>& keys);

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_COMPLETION_H_
