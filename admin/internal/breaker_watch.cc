#include "autobreaker/admin/internal/breaker_watch.h"

#include <grpcpp/server_context.h>

#include <algorithm>
#include <string>

#include "autobreaker/admin/internal/breaker_messages.h"
#include "autobreaker/admin/internal/watch_hub.h"
#include "autobreaker/breaker/internal/exceptions.h"

namespace autobreaker {

bool Agrees(const BreakerKey& wanted, const BreakerKey& key) {
  const auto agrees = [](const std::string& part, const std::string& with) {
    return part.empty() || part == with;
  };
  return agrees(wanted.name, key.name) && agrees(wanted.service, key.service) &&
         agrees(wanted.method, key.method) &&
         agrees(wanted.partition, key.partition);
}

absl::StatusOr<BreakerWatch*> BreakerWatch::Start(
    std::shared_ptr<BreakerRegistry> registry, std::shared_ptr<WatchHub> hub,
    grpc::CallbackServerContext* context, BreakerKey wanted) {
  const std::shared_ptr<BreakerWatch> watch(new BreakerWatch(
      std::move(registry), std::move(hub), context, std::move(wanted)));
  // Before the snapshot, so that no change is in neither.
  if (absl::Status status = watch->hub_->Add(watch); !status.ok()) {
    return status;
  }
  {
    MutexLock lock(&watch->mu_);
    watch->self_ = watch;
  }
  watch->Continue();
  return watch.get();
}

void BreakerWatch::OnTransition(const Transition& transition) noexcept {
  if (!Agrees(wanted_, transition.key)) return;
  {
    MutexLock lock(&mu_);
    if (cancelled_ || snapshot_due_ || IsToldLocked(transition)) return;
    // It throws where there is no memory.
    const auto push = [&] { queue_.push_back(transition); };
    if (missed_ > 0 || queue_.size() >= kMaxQueued || !EndsWell(push)) {
      MissLocked(1);
    }
    if (busy_) return;
    busy_ = true;
  }
  Continue();
}

void BreakerWatch::Miss(int64_t changes) noexcept {
  {
    MutexLock lock(&mu_);
    if (cancelled_ || snapshot_due_) return;
    MissLocked(changes);
    if (busy_) return;
    busy_ = true;
  }
  Continue();
}

bool BreakerWatch::IsToldLocked(const Transition& transition) {
  const auto told = told_.find(transition.breaker_id);
  if (told == told_.end()) return false;
  if (transition.number <= told->second) return true;
  told_.erase(told);
  return false;
}

void BreakerWatch::MissLocked(int64_t changes) {
  missed_ += static_cast<int64_t>(queue_.size()) + changes;
  queue_.clear();
}

void BreakerWatch::Continue() {
  enum { kEnd, kSnapshot, kMissed, kTransition } next;
  bool begins = false;
  Transition transition;
  {
    MutexLock lock(&mu_);
    if (cancelled_) {
      next = kEnd;
    } else if (snapshot_due_ || next_breaker_ < breakers_.size()) {
      next = kSnapshot;
      begins = std::exchange(snapshot_due_, false);
      if (begins) told_.clear();
    } else if (missed_ > 0) {
      next = kMissed;
      missed_message_.mutable_missed()->set_transitions(
          std::exchange(missed_, 0));
      snapshot_due_ = true;
    } else if (!queue_.empty()) {
      next = kTransition;
      transition = std::move(queue_.front());
      queue_.pop_front();
    } else {
      busy_ = false;
      return;
    }
  }
  switch (next) {
    case kEnd:
      return Finish(grpc::Status::CANCELLED);
    case kMissed:
      return StartWrite(&missed_message_);
    case kSnapshot:
      if (!EndsWell([&] { MakeSnapshot(begins); })) {
        return End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                "out of memory"));
      }
      return StartWrite(&message_);
    case kTransition:
      // Not mutable_transition(), which leaves half a message if it fails.
      if (!EndsWell([&] {
            message_.set_allocated_transition(
                std::make_unique<v1::Transition>(ToProto(transition))
                    .release());
          })) {
        {
          MutexLock lock(&mu_);
          MissLocked(1);
        }
        return Continue();  // with that message, which is made already
      }
      return StartWrite(&message_);
  }
}

void BreakerWatch::MakeSnapshot(bool begins) {
  if (begins) {
    for (std::shared_ptr<RegisteredBreaker>& breaker : registry_->Breakers()) {
      if (Agrees(wanted_, breaker->key())) {
        breakers_.push_back(std::move(breaker));
      }
    }
  }
  auto message = std::make_unique<v1::WatchResponse::Snapshot>();
  Told told;
  Told under_way;
  const size_t end =
      std::min(breakers_.size(), next_breaker_ + kBreakersPerMessage);
  for (; next_breaker_ < end; ++next_breaker_) {
    const RegisteredBreaker& breaker = *breakers_[next_breaker_];
    const RegisteredSnapshot snapshot = breaker.Snapshot();
    *message->add_breakers() = ToProto(snapshot);
    if (snapshot.transition_count == 0) continue;
    told.emplace(breaker.id(), snapshot.transition_count);
    if (!registry_->HasToldAll()) {
      under_way.emplace(breaker.id(), snapshot.transition_count);
    }
  }
  if (end == breakers_.size()) {
    message->set_complete(true);
    breakers_ = {};
    next_breaker_ = 0;
  }
  message_.set_allocated_snapshot(message.release());

  MutexLock lock(&mu_);
  std::deque<Transition> left;
  for (Transition& transition : queue_) {
    const auto shown = told.find(transition.breaker_id);
    if (shown == told.end()) {
      if (IsToldLocked(transition)) continue;
    } else {
      if (transition.number <= shown->second) continue;
      under_way.erase(transition.breaker_id);
    }
    left.push_back(std::move(transition));
  }
  queue_ = std::move(left);
  for (const auto& [id, count] : under_way) told_.insert_or_assign(id, count);
}

void BreakerWatch::End(const grpc::Status& status) {
  {
    MutexLock lock(&mu_);
    cancelled_ = true;
    queue_.clear();
  }
  Finish(status);
}

void BreakerWatch::Stop() {
  // Not Finish(), which would wait for a reader that does not read.
  std::lock_guard<std::recursive_mutex> lock(context_mu_);
  if (context_ != nullptr) context_->TryCancel();
}

void BreakerWatch::OnWriteDone(bool ok) {
  message_.Clear();
  if (!ok) return End(grpc::Status::CANCELLED);
  Continue();
}

void BreakerWatch::OnCancel() {
  {
    MutexLock lock(&mu_);
    cancelled_ = true;
    queue_.clear();
    if (busy_) return;  // its owner ends it
    busy_ = true;
  }
  Finish(grpc::Status::CANCELLED);
}

void BreakerWatch::OnDone() {
  // The last owner may be the thread that tells it of a change.
  registry_.reset();
  hub_.reset();
  breakers_.clear();
  {
    std::lock_guard<std::recursive_mutex> lock(context_mu_);
    context_ = nullptr;
  }
  std::shared_ptr<BreakerWatch> self;  // outlives the lock
  MutexLock lock(&mu_);
  self = std::move(self_);
}

}  // namespace autobreaker
