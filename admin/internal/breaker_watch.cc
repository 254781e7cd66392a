#include "autobreaker/admin/internal/breaker_watch.h"

#include <algorithm>
#include <new>
#include <string>

#include "autobreaker/admin/internal/breaker_messages.h"

namespace autobreaker {

bool Agrees(const BreakerKey& wanted, const BreakerKey& key) {
  const auto agrees = [](const std::string& part, const std::string& with) {
    return part.empty() || part == with;
  };
  return agrees(wanted.name, key.name) && agrees(wanted.service, key.service) &&
         agrees(wanted.method, key.method) &&
         agrees(wanted.partition, key.partition);
}

BreakerWatch* BreakerWatch::Start(std::shared_ptr<BreakerRegistry> registry,
                                  BreakerKey wanted) {
  const std::shared_ptr<BreakerWatch> watch(
      new BreakerWatch(std::move(registry), std::move(wanted)));
  // Before the snapshot, so that no change is in neither.
  watch->registry_->AddListener(watch);
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
    if (missed_ > 0 || queue_.size() >= kMaxQueued) {
      MissLocked();
    } else {
      try {
        queue_.push_back(transition);
      } catch (const std::bad_alloc&) {
        MissLocked();
      }
    }
    if (busy_) return;
    busy_ = true;
  }
  Continue();
}

bool BreakerWatch::IsToldLocked(const Transition& transition) {
  const auto told = told_.find(transition.key);
  if (told == told_.end()) return false;
  if (transition.number <= told->second.transition_count) {
    // Unless it is of another breaker, which took the place of that one and
    // counts from 1 again.
    const auto breaker = told->second.breaker.lock();
    if (breaker != nullptr && !breaker->removed()) return true;
  }
  told_.erase(told);
  return false;
}

void BreakerWatch::MissLocked() {
  missed_ += static_cast<int64_t>(queue_.size()) + 1;
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
      try {
        MakeSnapshot(begins);
      } catch (const std::bad_alloc&) {
        return End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                "out of memory"));
      }
      return StartWrite(&message_);
    case kTransition:
      try {
        // Not mutable_transition(), which leaves half a message if it fails.
        auto message = std::make_unique<v1::Transition>(ToProto(transition));
        message_.set_allocated_transition(message.release());
      } catch (const std::bad_alloc&) {
        {
          MutexLock lock(&mu_);
          MissLocked();
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
  std::vector<std::pair<BreakerKey, Told>> told;
  const size_t end =
      std::min(breakers_.size(), next_breaker_ + kBreakersPerMessage);
  for (; next_breaker_ < end; ++next_breaker_) {
    const RegisteredSnapshot snapshot = breakers_[next_breaker_]->Snapshot();
    *message->add_breakers() = ToProto(snapshot);
    if (snapshot.transition_count > 0) {
      told.push_back({snapshot.key,
                      {snapshot.transition_count, breakers_[next_breaker_]}});
    }
  }
  if (end == breakers_.size()) {
    message->set_complete(true);
    breakers_ = {};
    next_breaker_ = 0;
  }
  message_.set_allocated_snapshot(message.release());

  MutexLock lock(&mu_);
  for (auto& [key, what] : told) {
    told_.insert_or_assign(std::move(key), std::move(what));
  }
  for (Transition& transition : std::exchange(queue_, {})) {
    if (!IsToldLocked(transition)) queue_.push_back(std::move(transition));
  }
}

void BreakerWatch::End(const grpc::Status& status) {
  {
    MutexLock lock(&mu_);
    cancelled_ = true;
    queue_.clear();
  }
  Finish(status);
}

void BreakerWatch::OnWriteDone(bool ok) {
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
  // The last one may be a call that changes a state, which is not to end the
  // registry.
  registry_.reset();
  breakers_.clear();
  std::shared_ptr<BreakerWatch> self;  // outlives the lock
  MutexLock lock(&mu_);
  self = std::move(self_);
}

}  // namespace autobreaker
