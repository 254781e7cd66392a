#include "autobreaker/breaker/internal/peer_tally.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

namespace autobreaker {
namespace {

absl::string_view Cut(absl::string_view name, size_t longest) {
  if (name.size() <= longest) return name;
  const auto continues = [name](size_t i) {
    return (static_cast<unsigned char>(name[i]) & 0xC0) == 0x80;
  };
  // No character has more than four bytes; what has is no UTF-8.
  size_t size = longest;
  while (size > longest - 3 && continues(size)) --size;
  return name.substr(0, size);
}

// Hardly ever the same for two names, so that hardly ever a name is compared in
// vain: of the last bytes, since addresses differ there.
uint32_t TagOf(absl::string_view name) {
  uint64_t words[2] = {};
  if (name.size() >= sizeof(words)) {
    std::memcpy(words, name.data() + name.size() - sizeof(words),
                sizeof(words));
  }
  // An odd number without a pattern in it.
  constexpr uint64_t kSpread = 0x9E3779B97F4A7C15;
  const uint64_t mixed = (words[0] * kSpread ^ words[1]) * kSpread;
  return static_cast<uint32_t>(mixed >> 32) +
         static_cast<uint32_t>(name.size());
}

}  // namespace

void PeerTally::Add(absl::string_view peer, MonotonicTime now) {
  const absl::string_view name = Cut(peer, kLongestName);
  const uint32_t tag = TagOf(name);
  if (!mu_.TryLock()) return;
  if (now >= ends_) MoveOn(now);
  Epoch& epoch = epochs_[now_];
  ++epoch.failures;
  int free = kPlaces;
  int known = kPlaces;
  for (int i = 0; i < kPlaces && known == kPlaces; ++i) {
    if (epoch.counts[i] == 0) {
      free = i;
    } else if (epoch.tags[i] == tag && epoch.name(i) == name) {
      known = i;
    }
  }
  if (known < kPlaces) {
    ++epoch.counts[known];
  } else if (free < kPlaces) {
    epoch.counts[free] = 1;
    epoch.tags[free] = tag;
    epoch.sizes[free] = static_cast<uint8_t>(name.size());
    std::copy(name.begin(), name.end(), epoch.names[free].begin());
  } else {
    for (uint32_t& count : epoch.counts) --count;
  }
  mu_.Unlock();
}

void PeerTally::MoveOn(MonotonicTime now) {
  const bool just_over = now < ends_ + kEpoch;
  now_ = 1 - now_;
  epochs_[now_] = Epoch();
  if (!just_over) epochs_[1 - now_] = Epoch();
  ends_ = now + kEpoch;
}

FailingPeers PeerTally::Read(MonotonicTime now) const {
  FailingPeers failing;
  failing.peers.reserve(2 * kPlaces);
  MutexLock lock(&mu_);
  const auto add = [&failing](const Epoch& epoch) {
    failing.failures += epoch.failures;
    for (int i = 0; i < kPlaces; ++i) {
      if (epoch.counts[i] == 0) continue;
      const absl::string_view name = epoch.name(i);
      const auto found = std::find_if(
          failing.peers.begin(), failing.peers.end(),
          [name](const FailingPeers::Peer& peer) { return peer.name == name; });
      if (found != failing.peers.end()) {
        found->failures += epoch.counts[i];
      } else {
        failing.peers.push_back({std::string(name), epoch.counts[i]});
      }
    }
  };
  if (now < ends_ + kEpoch) add(epochs_[now_]);
  if (now < ends_) add(epochs_[1 - now_]);
  std::stable_sort(
      failing.peers.begin(), failing.peers.end(),
      [](const FailingPeers::Peer& a, const FailingPeers::Peer& b) {
        return a.failures > b.failures;
      });
  if (failing.peers.size() > kPlaces) failing.peers.resize(kPlaces);
  return failing;
}

void PeerTally::Clear() {
  MutexLock lock(&mu_);
  epochs_ = {};
}

}  // namespace autobreaker
