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

// The breakers there are, where flags such as "--address=shop-1:8081" say. Only
// those are given that every command takes.
using KeyLookup = std::function<std::vector<std::string>(
    const std::vector<std::string>& flags)>;

// What the last of `words`, which may be empty, can become; the others are
// whole.
std::vector<std::string> Completions(const std::vector<std::string>& words,
                                     const KeyLookup& keys);

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_COMPLETION_H_
