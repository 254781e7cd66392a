// Which servers the failures of a breaker came from of late: plain values.
//
// Of late: in the last 5 to 10 minutes. Of at most eight servers, those with
// the most failures. If more than eight failed calls, the counts are lower
// bounds; a server with more than a ninth of the failures is always among them.
#ifndef AUTOBREAKER_BREAKER_FAILING_PEERS_H_
#define AUTOBREAKER_BREAKER_FAILING_PEERS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace autobreaker {

struct FailingPeers {
  // One server.
  struct Peer {
    // As it was given to Permit::Record(), up to 128 bytes of it. A channel's
    // target stands for servers that were not heard of.
    std::string name;
    int64_t failures = 0;  // at this one
  };

  // All that were given a peer. If two come in the same moment, one of them may
  // not be counted here.
  int64_t failures = 0;
  // Those with the most failures first.
  std::vector<Peer> peers;
};

// Equal in every field.
inline bool operator==(const FailingPeers::Peer& a,
                       const FailingPeers::Peer& b) {
  return a.name == b.name && a.failures == b.failures;
}
// Equal in every field, with the peers in the same order.
inline bool operator==(const FailingPeers& a, const FailingPeers& b) {
  return a.failures == b.failures && a.peers == b.peers;
}

// For logs: "18 of 20 failures at 10.0.0.3:50051", the one with the most. Empty
// if there is none.
std::string ToString(const FailingPeers& failing);

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_FAILING_PEERS_H_
