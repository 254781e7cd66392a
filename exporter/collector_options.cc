#include "autobreaker/exporter/collector_options.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "autobreaker/breaker/internal/utf8.h"

namespace autobreaker {
namespace {

// See "Metric names and labels" in Prometheus's data model.
bool IsName(absl::string_view name, absl::string_view also) {
  return !name.empty() && !absl::ascii_isdigit(name.front()) &&
         std::all_of(name.begin(), name.end(), [also](char c) {
           return absl::ascii_isalnum(c) || absl::StrContains(also, c);
         });
}

// Labels that metrics have by themselves.
constexpr absl::string_view kTaken[] = {"code",   "from",  "le", "reason",
                                        "result", "state", "to"};

std::string Quote(absl::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text), "\"");
}

}  // namespace

absl::Status CollectorOptions::Validate() const {
  std::vector<std::string> errors;
  if (!IsName(prefix, "_:")) {
    errors.push_back(
        absl::StrCat("prefix is ", Quote(prefix),
                     ", must be letters, digits, _ and :, and begin with no "
                     "digit"));
  }
  std::set<absl::string_view> seen(std::begin(kTaken), std::end(kTaken));
  const auto check_label = [&](absl::string_view field,
                               absl::string_view label) {
    if (!IsName(label, "_") || absl::StartsWith(label, "__")) {
      errors.push_back(
          absl::StrCat(field, " is ", Quote(label),
                       ", must be letters, digits and _, and begin with no "
                       "digit and no __"));
    } else if (!seen.insert(label).second) {
      errors.push_back(absl::StrCat(field, " is ", Quote(label),
                                    ", must be a label of no other use"));
    }
  };
  check_label("name_label", name_label);
  check_label("service_label", service_label);
  check_label("method_label", method_label);
  check_label("partition_label", partition_label);
  for (const auto& [label, value] : constant_labels) {
    check_label("a key of constant_labels", label);
    // Prometheus takes an empty value for no label at all.
    if (value.empty() || ReplaceInvalidUtf8(value) != value) {
      errors.push_back(
          absl::StrCat("constant_labels[", Quote(label), "] is ", Quote(value),
                       ", must be UTF-8 without U+FFFD, not empty"));
    }
  }
  if (errors.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(errors, "; "));
}

}  // namespace autobreaker
