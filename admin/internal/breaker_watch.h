// One Watch() stream: a snapshot of the breakers, then every change of state,
// for one reader who may be as slow as it likes.
//
//   grpc::ServerWriteReactor<v1::WatchResponse>* Watch(context, ...) {
//     return BreakerWatch::Start(registry, hub, context, key).value();
//   }
//
// At most kMaxQueued changes wait for the reader. Then they are dropped and
// counted, and the reader is told how many, and sent a new snapshot.
//
// Lives until gRPC is done with it, however the stream ends, and until no
// thread is telling it of a change any more. Has no threads of its own:
// snapshots are taken in those of gRPC, messages are written from those and
// from the registry's. An idle one keeps nothing of what it showed.
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
#include <mutex>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/transition.h"
#include "autobreaker/proto/admin.pb.h"

namespace autobreaker {

// Whether each part of `wanted` that is not empty is that of `key`.
bool Agrees(const BreakerKey& wanted, const BreakerKey& key);

class WatchHub;

class BreakerWatch final : public grpc::ServerWriteReactor<v1::WatchResponse> {
 public:
  static constexpr size_t kMaxQueued = 256;
  static constexpr size_t kBreakersPerMessage = 100;

  // Watches the breakers that agree with `wanted`. The hub's error if that
  // does not take it.
  static absl::StatusOr<BreakerWatch*> Start(
      std::shared_ptr<BreakerRegistry> registry, std::shared_ptr<WatchHub> hub,
      grpc::CallbackServerContext* context, BreakerKey wanted);

  // For the hub: a change, that there were so many more, and the end.
  void OnTransition(const Transition& transition) noexcept;
  void Miss(int64_t changes) noexcept;
  void Stop();

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // By a breaker's id, how many of its changes a snapshot has.
  using Told = absl::flat_hash_map<uint64_t, uint64_t>;

  BreakerWatch(std::shared_ptr<BreakerRegistry> registry,
               std::shared_ptr<WatchHub> hub,
               grpc::CallbackServerContext* context, BreakerKey wanted)
      : registry_(std::move(registry)),
        hub_(std::move(hub)),
        wanted_(std::move(wanted)),
        context_(context) {
    missed_message_.mutable_missed();
  }

  // Whether the reader knows of it from a snapshot.
  bool IsToldLocked(const Transition& transition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Counts so many that there is no room for, and all that wait.
  void MissLocked(int64_t changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Writes what is next, ends the stream, or leaves it idle. For the owner of
  // the stream, which is whoever set busy_. Takes no snapshot where none is
  // due or under way, as for a call that found the stream idle.
  void Continue();
  // Makes the next message of a snapshot, a new one if `begins`.
  void MakeSnapshot(bool begins);
  void End(const grpc::Status& status);

  // For the owner of the stream only.
  std::shared_ptr<BreakerRegistry> registry_;
  std::shared_ptr<WatchHub> hub_;
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
  // was still on its way here. A breaker tells of its changes in order, so the
  // first that is not in it ends that.
  Told told_ ABSL_GUARDED_BY(mu_);

  // Null when gRPC is done. Held while it is used, and recursive since gRPC may
  // be done, in the same thread, before TryCancel() returns.
  std::recursive_mutex context_mu_;
  grpc::CallbackServerContext* context_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_ADMIN_INTERNAL_BREAKER_WATCH_H_
