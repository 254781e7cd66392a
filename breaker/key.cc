#include "autobreaker/breaker/key.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autobreaker/breaker/internal/utf8.h"

namespace autobreaker {

std::string ToString(const BreakerKey& key) {
  std::vector<std::string> parts;
  const auto add = [&parts](const char* part, const std::string& value) {
    if (value.empty()) return;
    parts.push_back(absl::StrCat(part, " \"", Escape(value), "\""));
  };
  add("name", key.name);
  add("service", key.service);
  add("method", key.method);
  add("partition", key.partition);
  return absl::StrCat("{", absl::StrJoin(parts, ", "), "}");
}

}  // namespace autobreaker
