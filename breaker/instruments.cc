#include "autobreaker/breaker/instruments.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace autobreaker {
namespace {

constexpr size_t kMostBuckets = 64;
constexpr absl::Duration kLongestBucket = absl::Hours(24 * 10);

}  // namespace

absl::Status Instruments::Validate() const {
  if (clock == nullptr) {
    return absl::InvalidArgumentError(
        "instruments.clock is null, must be a clock");
  }
  if (duration_buckets.size() > kMostBuckets) {
    return absl::InvalidArgumentError(absl::StrCat(
        "instruments.duration_buckets has ", duration_buckets.size(),
        " bounds, must have 0 to ", kMostBuckets));
  }
  for (size_t i = 0; i < duration_buckets.size(); ++i) {
    const absl::Duration bound = duration_buckets[i];
    const auto error = [&](absl::string_view must) {
      return absl::InvalidArgumentError(
          absl::StrCat("instruments.duration_buckets[", i, "] is ",
                       absl::FormatDuration(bound), ", must be ", must));
    };
    if (bound < absl::Nanoseconds(1) || bound > kLongestBucket) {
      return error("in [1ns, 10 days]");
    }
    if (i > 0 && bound <= duration_buckets[i - 1]) {
      return error("above the one before it");
    }
  }
  return absl::OkStatus();
}

std::vector<absl::Duration> DefaultDurationBuckets() {
  std::vector<absl::Duration> bounds;
  for (const int milliseconds :
       {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000}) {
    bounds.push_back(absl::Milliseconds(milliseconds));
  }
  return bounds;
}

}  // namespace autobreaker
