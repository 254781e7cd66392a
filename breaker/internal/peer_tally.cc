#include "autobreaker/breaker/internal/peer_tally.h"

#include <algorithm>
#include <cstddef>
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

}  // namespace

void PeerTally::Add(absl::string_view peer, MonotonicTime now) {
  const absl::string_view name = Cut(peer, kLongestName);
  if (!mu_.TryLock()) return;
  if (now >= ends_) MoveOn(now);
  Epoch& epoch = epochs_[now_];
  ++epoch.failures;
  Place* free = nullptr;
  Place* known = nullptr;
  for (Place& place : epoch.places) {
    if (place.failures == 0) {
      free = &place;
    } else if (place.text() == name) {
      known = &place;
      break;
    }
  }
  if (known != nullptr) {
    ++known->failures;
  } else if (free != nullptr) {
    free->failures = 1;
    free->size = static_cast<uint8_t>(name.size());
    std::copy(name.begin(), name.end(), free->name.begin());
  } else {
    for (Place& place : epoch.places) --place.failures;
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
    for (const Place& place : epoch.places) {
      if (place.failures == 0) continue;
      const auto same = [&place](const FailingPeers::Peer& peer) {
        return peer.name == place.text();
      };
      const auto found =
          std::find_if(failing.peers.begin(), failing.peers.end(), same);
      if (found != failing.peers.end()) {
        found->failures += place.failures;
      } else {
        failing.peers.push_back({std::string(place.text()), place.failures});
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
