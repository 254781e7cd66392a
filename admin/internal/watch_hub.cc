#include "autobreaker/admin/internal/watch_hub.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/registered_breaker.h"

namespace autobreaker {

WatchHub::WatchHub(std::shared_ptr<BreakerRegistry> registry, int64_t most)
    : registry_(std::move(registry)), most_(static_cast<size_t>(most)) {}

absl::Status WatchHub::Add(std::weak_ptr<BreakerWatch> watch) {
  MutexLock lock(&mu_);
  if (stopped_) return absl::UnavailableError("the service was stopped");
  auto next = std::make_shared<Watches>();
  for (const auto& other : *watches_) {
    if (!other.expired()) next->push_back(other);
  }
  if (next->size() >= most_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "there are ", most_, " watches already, and may be no more"));
  }
  next->push_back(std::move(watch));
  watches_ = std::move(next);
  // Not sooner: a registry that nobody listens to keeps no thread for it.
  if (!std::exchange(listening_, true)) {
    registry_->AddListener(weak_from_this());
  }
  return absl::OkStatus();
}

void WatchHub::Stop() {
  std::shared_ptr<const Watches> watches;
  {
    MutexLock lock(&mu_);
    stopped_ = true;
    watches = std::exchange(watches_, std::make_shared<const Watches>());
  }
  for (const auto& weak : *watches) {
    if (const auto watch = weak.lock()) watch->Stop();
  }
}

void WatchHub::OnTransition(const Transition& transition) noexcept {
  std::shared_ptr<const Watches> watches;
  {
    MutexLock lock(&mu_);
    watches = watches_;
  }
  if (watches->empty()) return;
  const auto breaker = registry_->Find(transition.key);
  if (breaker == nullptr || breaker->id() != transition.breaker_id) return;
  for (const auto& weak : *watches) {
    if (const auto watch = weak.lock()) watch->OnTransition(transition);
  }
}

void WatchHub::OnLost(int64_t changes) noexcept {
  std::shared_ptr<const Watches> watches;
  {
    MutexLock lock(&mu_);
    watches = watches_;
  }
  for (const auto& weak : *watches) {
    if (const auto watch = weak.lock()) watch->Miss(changes);
  }
}

}  // namespace autobreaker
