#include "autobreaker/admin/internal/watch_hub.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/registered_breaker.h"

namespace autobreaker {

WatchHub::WatchHub(std::shared_ptr<BreakerRegistry> registry, int64_t most)
    : registry_(std::move(registry)), most_(static_cast<size_t>(most)) {}

absl::Status WatchHub::Add(std::weak_ptr<BreakerWatch> watch) {
  MutexLock lock(&mu_);
  if (stopped_) return absl::UnavailableError("the service was stopped");
  watches_.erase(
      std::remove_if(watches_.begin(), watches_.end(),
                     [](const auto& other) { return other.expired(); }),
      watches_.end());
  if (watches_.size() >= most_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "there are ", most_, " watches already, and may be no more"));
  }
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { HandOn(); });
    } catch (const std::system_error& error) {
      return absl::ResourceExhaustedError(
          absl::StrCat("no thread to watch with: ", error.what()));
    }
    registry_->AddListener(weak_from_this());
  }
  watches_.push_back(std::move(watch));
  return absl::OkStatus();
}

void WatchHub::Stop() {
  Watches watches;
  std::thread thread;
  {
    MutexLock lock(&mu_);
    stopped_ = true;
    watches = std::exchange(watches_, {});
    thread = std::move(thread_);
    changed_.notify_one();
  }
  if (thread.joinable()) thread.join();
  for (const auto& weak : watches) {
    if (const auto watch = weak.lock()) watch->Stop();
  }
}

bool WatchHub::IsIdle() {
  MutexLock lock(&mu_);
  return !busy_ && queue_.empty() && missed_ == 0;
}

void WatchHub::OnTransition(const Transition& transition) noexcept {
  {
    MutexLock lock(&mu_);
    if (watches_.empty()) return;
    PutLocked(transition);
  }
  // Without the lock, which the thread that wakes up wants.
  changed_.notify_one();
}

void WatchHub::PutLocked(const Transition& transition) {
  if (missed_ == 0 && queue_.size() < kMaxQueued) {
    try {
      return queue_.push_back(transition);
    } catch (const std::bad_alloc&) {
      // It is missed, too.
    }
  }
  missed_ += static_cast<int64_t>(queue_.size()) + 1;
  queue_.clear();
}

void WatchHub::HandOn() {
  for (;;) {
    std::deque<Transition> changes;
    Watches watches;
    int64_t missed = 0;
    {
      MutexLock lock(&mu_);
      busy_ = false;
      while (queue_.empty() && missed_ == 0 && !stopped_) mu_.Wait(&changed_);
      if (stopped_) return;
      busy_ = true;
      changes.swap(queue_);
      missed = std::exchange(missed_, 0);
      try {
        watches = watches_;
      } catch (const std::bad_alloc&) {
        missed_ = missed + static_cast<int64_t>(changes.size());
        continue;
      }
    }
    for (const Transition& change : changes) Tell(watches, change);
    if (missed == 0) continue;
    for (const auto& weak : watches) {
      if (const auto watch = weak.lock()) watch->Miss(missed);
    }
  }
}

void WatchHub::Tell(const Watches& watches, const Transition& change) {
  const auto breaker = registry_->Find(change.key);
  if (breaker == nullptr || breaker->id() != change.breaker_id) return;
  for (const auto& weak : watches) {
    if (const auto watch = weak.lock()) watch->OnTransition(change);
  }
}

}  // namespace autobreaker
