#include "autobreaker/breaker/config_reloads.h"

namespace autobreaker {

void ConfigReloads::Record(bool succeeded, absl::Time wall_now) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!counts_.has_value()) counts_.emplace();
  ++(succeeded ? counts_->succeeded : counts_->failed);
  counts_->last_succeeded = succeeded;
  if (succeeded) counts_->last_success_time = wall_now;
}

std::optional<ConfigReloads::Counts> ConfigReloads::counts() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return counts_;
}

}  // namespace autobreaker
