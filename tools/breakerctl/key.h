// How an operator names breakers on a command line:
// "name/package.Service/Method", or any whole parts of it, as "PlaceOrder",
// "Orders/PlaceOrder" or "payments". The breaker of a partition is
// "name/package.Service/Method@partition".
//
// Thread-safety: free functions without state.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_KEY_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_KEY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "autobreaker/proto/config.pb.h"

namespace autobreaker::breakerctl {

// "name/package.Service/Method", printable.
std::string KeyText(const v1::BreakerKey& key);

// Whether `text` is in "name/package.Service/Method" from its beginning, a
// slash, a dot or an @ to a slash, an @ or its end. The empty text is in all.
bool IsPartOf(absl::string_view text, const v1::BreakerKey& key);

// The breaker that `text` means: the one whose key it is, else the only one of
// whose key it is a part. With `all`, each that it is a part of. NOT_FOUND if
// there is none, INVALID_ARGUMENT that lists them if it could be several.
absl::StatusOr<std::vector<v1::BreakerKey>> FindKeys(
    absl::string_view text, bool all, const std::vector<v1::BreakerKey>& keys);

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_KEY_H_
