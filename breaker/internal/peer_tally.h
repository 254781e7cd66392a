// Counts failures by the server that they came from, in bounded memory.
//
// Misra and Gries ("Finding repeated elements", Science of Computer Programming
// 1982): there are eight places. A failure of a server without a place takes a
// free one, or, if there is none, one from each count. So no count says more
// than there was. Time is cut in two, this epoch and the one before, each with
// places of its own; so what is old goes without anything being divided.
//
// Thread-safety: every method may be called from any thread at once. Add()
// never waits: if another thread is at work here, it counts nothing.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_PEER_TALLY_H_
#define AUTOBREAKER_BREAKER_INTERNAL_PEER_TALLY_H_

#include <array>
#include <chrono>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/failing_peers.h"
#include "autobreaker/breaker/internal/mutex.h"

namespace autobreaker {

class PeerTally {
 public:
  static constexpr int kPlaces = 8;
  static constexpr int kLongestName = 128;
  static constexpr MonotonicTime::duration kEpoch = std::chrono::minutes(5);

  // Longer names are cut between two characters of UTF-8.
  void Add(absl::string_view peer, MonotonicTime now);

  FailingPeers Read(MonotonicTime now) const;

  void Clear();

 private:
  // What each failure writes lies together, apart from the names: two threads
  // then hand each other two or three cache lines, and not ten.
  struct Epoch {
    absl::string_view name(int place) const {
      return {names[place].data(), sizes[place]};
    }

    int64_t failures = 0;
    std::array<uint32_t, kPlaces> counts = {};  // 0: free
    std::array<uint32_t, kPlaces> tags = {};    // of the names
    std::array<uint8_t, kPlaces> sizes = {};
    std::array<std::array<char, kLongestName>, kPlaces> names;
  };

  void MoveOn(MonotonicTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  // One is now, and the other was before.
  std::array<Epoch, 2> epochs_ ABSL_GUARDED_BY(mu_);
  int now_ ABSL_GUARDED_BY(mu_) = 0;
  // When the epoch of now is over.
  MonotonicTime ends_ ABSL_GUARDED_BY(mu_);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_PEER_TALLY_H_
