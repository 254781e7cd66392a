// One Watch() stream: a snapshot of the breakers, then every change of state,
// for one reader who may be as slow as it likes.
//
//   grpc::ServerWriteReactor<v1::WatchResponse>* Watch(...) {
//     return BreakerWatch::Start(registry, key);
//   }
//
// At most kMaxQueued changes wait for the reader. Then they are dropped and
// counted, and the reader is told how many, and sent a new snapshot.
//
// Lives until gRPC is done with it, however the stream ends, and until no
// thread is telling it of a change any more. Has no threads of its own:
// snapshots are taken in those of gRPC, messages are written from those and
// from the threads of calls that change a state, which wait for nothing.
//
// Thread-safety: gRPC and breakers may call it from any thread at once.
#ifndef AUTOBREAKER_ADMIN_INTERNAL_BREAKER_WATCH_H_
#define AUTOBREAKER_ADMIN_INTERNAL_BREAKER_WATCH_H_

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/internal/transition_listeners.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/proto/admin.pb.h"

namespace autobreaker {

// Whether each part of `wanted` that is not empty is that of `key`.
bool Agrees(const BreakerKey& wanted, const BreakerKey& key);

class BreakerWatch final : public grpc::ServerWriteReactor<v1::WatchResponse>,
                           public TransitionListener {
 public:
  static constexpr size_t kMaxQueued = 256;
  static constexpr size_t kBreakersPerMessage = 100;

  // Watches the breakers that agree with `wanted`.
  static BreakerWatch* Start(std::shared_ptr<BreakerRegistry> registry,
                             BreakerKey wanted);

  void OnTransition(const Transition& transition) noexcept override;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // What a snapshot said of a breaker.
  struct Told {
    uint64_t transition_count;
    std::weak_ptr<const RegisteredBreaker> breaker;
  };

  BreakerWatch(std::shared_ptr<BreakerRegistry> registry, BreakerKey wanted)
      : registry_(std::move(registry)), wanted_(std::move(wanted)) {
    missed_message_.mutable_missed();
  }

  // Whether the reader knows of it from a snapshot.
  bool IsToldLocked(const Transition& transition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Counts one that there is no room for, and all that wait.
  void MissLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Writes what is next, ends the stream, or leaves it idle. For the owner of
  // the stream, which is whoever set busy_. Takes no snapshot where none is
  // due or under way, as for a call that found the stream idle.
  void Continue();
  // Makes the next message of a snapshot, a new one if `begins`.
  void MakeSnapshot(bool begins);
  void End(const grpc::Status& status);

  // For the owner of the stream only.
  std::shared_ptr<BreakerRegistry> registry_;
  std::vector<std::shared_ptr<RegisteredBreaker>> breakers_;  // of the snapshot
  size_t next_breaker_ = 0;
  v1::WatchResponse message_;
  v1::WatchResponse missed_message_;  // made early, for when memory is short

  const BreakerKey wanted_;

  Mutex mu_;
  // Gives itself up when gRPC is done.
  std::shared_ptr<BreakerWatch> self_ ABSL_GUARDED_BY(mu_);
  // Whether the stream has an owner: one who is preparing a message, which is
  // then the write that is under way, or has ended it.
  bool busy_ ABSL_GUARDED_BY(mu_) = true;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  // Whether a snapshot comes next that has not begun: whatever changes until
  // then is in it.
  bool snapshot_due_ ABSL_GUARDED_BY(mu_) = true;
  // Changes for which there was no room. While there are any, the queue is
  // empty.
  int64_t missed_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<Transition> queue_ ABSL_GUARDED_BY(mu_);
  // Of the breakers in the last snapshot those of which a change that is in it
  // may still be on its way here. A breaker tells of its changes in order, so
  // the first that is not in it ends that.
  absl::flat_hash_map<BreakerKey, Told> told_ ABSL_GUARDED_BY(mu_);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_ADMIN_INTERNAL_BREAKER_WATCH_H_
