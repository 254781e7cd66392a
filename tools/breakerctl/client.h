// Does what a command of breakerctl says.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_CLIENT_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_CLIENT_H_

#include "absl/status/status.h"
#include "autobreaker/tools/breakerctl/command.h"

namespace autobreaker::breakerctl {

// REQUIRES: SIGPIPE is ignored.
//
// Asks the service and prints its answers on the standard output, colored on a
// terminal. A status of the service comes back with its message. A watch
// returns when the service is gone.
absl::Status RunCommand(const Command& command);

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_CLIENT_H_
