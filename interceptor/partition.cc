#include "autobreaker/interceptor/partition.h"

#include <utility>

namespace autobreaker {

PartitionFunction PartitionByMetadata(std::string key) {
  return [key = std::move(key)](const CallStart& call) {
    const auto found = call.metadata.find(key);
    return found == call.metadata.end() ? std::string() : found->second;
  };
}

}  // namespace autobreaker
