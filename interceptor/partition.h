// A breaker for each part of a service, such as a shard or a tenant, where
// parts fail alone.
//
//   InterceptorOptions options = InterceptorOptions::WithName("payments");
//   options.partition = PartitionByMetadata("x-shard");
//
// Plain values, and a free function without state.
#ifndef AUTOBREAKER_INTERCEPTOR_PARTITION_H_
#define AUTOBREAKER_INTERCEPTOR_PARTITION_H_

#include <functional>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace autobreaker {

// What is known of a call before it is sent. Lives until the function that it
// is given to returns.
struct CallStart {
  absl::string_view method;  // "/package.Service/Method"
  // What the client sends with it, by key.
  const std::multimap<std::string, std::string>& metadata;
};

// Which partition a call is for; the empty string: none. It is called once for
// each call, from several threads at once, and holds the call up.
using PartitionFunction = std::function<std::string(const CallStart&)>;

// The value of the metadata with that key, such as "x-shard"; of several, one
// of them. A call without it is in no partition.
PartitionFunction PartitionByMetadata(std::string key);

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_PARTITION_H_
