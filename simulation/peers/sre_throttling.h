// Adaptive throttling of the client, as chapter 21 of Google's book "Site
// Reliability Engineering" has it: over a window of time, requests asked for,
// refused ones too, and requests the server accepted; a request is refused with
// probability max(0, (requests - K accepts) / (requests + 1)).
#ifndef AUTOBREAKER_SIMULATION_PEERS_SRE_THROTTLING_H_
#define AUTOBREAKER_SIMULATION_PEERS_SRE_THROTTLING_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "autobreaker/simulation/random.h"
#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

struct SreThrottlingSettings {
  double k = 2;
  Nanos window = 120'000'000'000;
};

class SreThrottling final : public SimulatedBreaker {
 public:
  SreThrottling(const SreThrottlingSettings& settings, uint64_t seed)
      : settings_(settings), random_(seed) {}

  std::optional<uint64_t> Admit(Nanos now) override;
  void Finish(uint64_t ticket, Nanos now, bool failed) override;

 private:
  struct Slice {
    Nanos start;
    int64_t requests = 0;
    int64_t accepts = 0;
  };
  static constexpr int kSlices = 60;

  // The slice of now, with what is too old forgotten.
  Slice& Current(Nanos now);

  const SreThrottlingSettings settings_;
  Random random_;
  std::deque<Slice> slices_;
  int64_t requests_ = 0;  // in all slices
  int64_t accepts_ = 0;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_PEERS_SRE_THROTTLING_H_
