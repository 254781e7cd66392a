#include "autobreaker/breaker/failing_peers.h"

#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/internal/utf8.h"

namespace autobreaker {

std::string ToString(const FailingPeers& failing) {
  if (failing.peers.empty()) return "";
  const FailingPeers::Peer& most = failing.peers.front();
  return absl::StrCat(most.failures, " of ", failing.failures,
                      failing.failures == 1 ? " failure at " : " failures at ",
                      Printable(most.name));
}

}  // namespace autobreaker
