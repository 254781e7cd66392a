#include "autobreaker/tools/breakerctl/key.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autobreaker/breaker/internal/utf8.h"

namespace autobreaker::breakerctl {
namespace {

// More of them would hide the error among them.
constexpr size_t kMostCandidates = 10;

std::string FullForm(const v1::BreakerKey& key) {
  return absl::StrCat(key.name(), "/", key.service(), "/", key.method(),
                      key.partition().empty() ? "" : "@", key.partition());
}

std::string Candidates(const std::vector<v1::BreakerKey>& keys) {
  const size_t listed = std::min(keys.size(), kMostCandidates);
  std::string text = absl::StrJoin(keys.begin(), keys.begin() + listed, ", ",
                                   [](std::string* out, const auto& key) {
                                     absl::StrAppend(out, KeyText(key));
                                   });
  if (listed < keys.size()) {
    absl::StrAppend(&text, " and ", keys.size() - listed, " more");
  }
  return text;
}

}  // namespace

std::string KeyText(const v1::BreakerKey& key) {
  return Printable(FullForm(key));
}

bool IsPartOf(absl::string_view text, const v1::BreakerKey& key) {
  if (text.empty()) return true;
  const std::string form = FullForm(key);
  const absl::string_view whole = form;
  for (size_t begin = whole.find(text); begin != absl::string_view::npos;
       begin = whole.find(text, begin + 1)) {
    const size_t end = begin + text.size();
    // Empty parts between slashes are none.
    const bool begins =
        begin == 0 || (text[0] != '/' &&
                       (whole[begin - 1] == '/' || whole[begin - 1] == '.' ||
                        whole[begin - 1] == '@'));
    if (begins &&
        (end == whole.size() || whole[end] == '/' || whole[end] == '@')) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<std::vector<v1::BreakerKey>> FindKeys(
    absl::string_view text, bool all, const std::vector<v1::BreakerKey>& keys) {
  std::vector<v1::BreakerKey> found;
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(found),
               [&](const auto& key) { return IsPartOf(text, key); });
  if (found.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no breaker is named \"", Printable(text), "\"",
        keys.empty() ? "; the program has none yet"
                     : "; \"breakerctl list\" shows those there are"));
  }
  if (all) return found;
  const auto parts = std::stable_partition(
      found.begin(), found.end(),
      [text](const auto& key) { return FullForm(key) == text; });
  if (parts != found.begin()) found.erase(parts, found.end());
  if (found.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", Printable(text), "\" could be ", found.size(),
                     " breakers: ", Candidates(found)));
  }
  return found;
}

}  // namespace autobreaker::breakerctl
