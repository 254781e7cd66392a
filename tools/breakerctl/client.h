// Does what a command of breakerctl says.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_CLIENT_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_CLIENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "autobreaker/tools/breakerctl/command.h"

namespace autobreaker::breakerctl {

// REQUIRES: SIGPIPE is ignored.
//
// Asks the services and prints their answers on the standard output. A status
// of the service comes back with its message. Of several addresses, those that
// fail are told on the standard error. A watch returns when all services are
// gone.
absl::Status RunCommand(const Command& command);

// The keys of the breakers at the first address, as KeyText() writes them; none
// if it does not answer.
std::vector<std::string> KeysAt(const Command& command);

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_CLIENT_H_
