// Where the services are that a command asks.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_TARGETS_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_TARGETS_H_

#include <string>
#include <vector>

#include "autobreaker/tools/breakerctl/command.h"

namespace autobreaker::breakerctl {

struct Target {
  std::string address;      // for gRPC
  std::string server_name;  // in its certificate, if it is not the address
};

// One for each address of the command, and for each host that a "name:port" of
// them stands for in DNS. A name of one host, or that cannot be looked up, is
// left to gRPC. May wait for DNS.
std::vector<Target> FindTargets(const Command& command);

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_TARGETS_H_
