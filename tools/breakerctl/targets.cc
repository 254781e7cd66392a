#include "autobreaker/tools/breakerctl/targets.h"

#include <netdb.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace autobreaker::breakerctl {
namespace {

// Hosts of one family: "localhost" has an address of each, and is one host.
std::vector<std::string> Hosts(const std::string& name, const std::string& port,
                               int family) {
  addrinfo hints = {};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(name.c_str(), port.c_str(), &hints, &found) != 0) return {};
  std::vector<std::string> hosts;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    char host[NI_MAXHOST];
    if (getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host),
                    nullptr, 0, NI_NUMERICHOST) != 0) {
      continue;
    }
    std::string address = family == AF_INET6
                              ? absl::StrCat("[", host, "]:", port)
                              : absl::StrCat(host, ":", port);
    if (std::find(hosts.begin(), hosts.end(), address) == hosts.end()) {
      hosts.push_back(std::move(address));
    }
  }
  freeaddrinfo(found);
  return hosts;
}

}  // namespace

std::vector<Target> FindTargets(const Command& command) {
  std::vector<Target> targets;
  // A program that is named twice is asked once, or it would be told twice,
  // too.
  const auto add = [&targets](Target target) {
    const bool is_new = std::none_of(
        targets.begin(), targets.end(),
        [&](const Target& other) { return other.address == target.address; });
    if (is_new) targets.push_back(std::move(target));
  };
  for (const std::string& address : command.addresses) {
    const std::string& given_name = command.security.server_name;
    const size_t colon = address.find(':');
    // Not of "unix:/a", "[::1]:2" or "dns:///a:1", which are for gRPC.
    const bool is_name_and_port =
        colon != std::string::npos && colon > 0 &&
        colon == address.rfind(':') &&
        address.find_first_of("/[") == std::string::npos;
    std::vector<std::string> hosts;
    if (is_name_and_port) {
      const std::string name = address.substr(0, colon);
      const std::string port = address.substr(colon + 1);
      hosts = Hosts(name, port, AF_INET);
      if (hosts.empty()) hosts = Hosts(name, port, AF_INET6);
      if (hosts.size() > 1) {
        for (std::string& host : hosts) {
          add({std::move(host), given_name.empty() ? name : given_name});
        }
        continue;
      }
    }
    add({address, given_name});
  }
  return targets;
}

}  // namespace autobreaker::breakerctl
