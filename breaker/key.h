// What a breaker guards: one method of one service, under the name the user
// gave the channel, and of it one partition if the channel tells them apart. A
// plain value.
//
// A registry finds breakers by it, and every snapshot, transition and metric
// carries it. As a scope, such as that of BreakerRegistry::SetOptions(), it
// stands for all breakers that agree where it is not empty.
//
//   BreakerKey one = {"payments", "shop.Orders", "Place"};
//   BreakerKey all_of_the_service = {"", "shop.Orders", ""};
//
// Any string is allowed in any part; a breaker outside gRPC may leave `service`
// and `method` empty.
#ifndef AUTOBREAKER_BREAKER_KEY_H_
#define AUTOBREAKER_BREAKER_KEY_H_

#include <string>
#include <tuple>
#include <utility>

namespace autobreaker {

struct BreakerKey {
  std::string name = {};     // as people should see it, such as "payments"
  std::string service = {};  // "shop.Orders"
  std::string method = {};   // "PlaceOrder"
  // Such as a shard or a tenant; empty: none.
  std::string partition = {};

  friend bool operator==(const BreakerKey& a, const BreakerKey& b) {
    return std::tie(a.name, a.service, a.method, a.partition) ==
           std::tie(b.name, b.service, b.method, b.partition);
  }
  friend bool operator!=(const BreakerKey& a, const BreakerKey& b) {
    return !(a == b);
  }
  friend bool operator<(const BreakerKey& a, const BreakerKey& b) {
    return std::tie(a.name, a.service, a.method, a.partition) <
           std::tie(b.name, b.service, b.method, b.partition);
  }
  template <typename H>
  friend H AbslHashValue(H h, const BreakerKey& key) {
    return H::combine(std::move(h), key.name, key.service, key.method,
                      key.partition);
  }
};

// {name "payments", service "shop.Orders"}: the parts that are not empty, for
// messages; {} if all are. What a terminal or a log could take for more than
// text is escaped.
std::string ToString(const BreakerKey& key);

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_KEY_H_
