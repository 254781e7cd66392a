// Envoy's outlier detection by consecutive errors, as its documentation has it,
// for a cluster of one host that may be ejected: so many errors in a row eject
// it, for a base time multiplied by how often it was ejected lately; a sweep at
// fixed intervals brings it back at once for all calls, and lowers that
// multiplier by one if the host is not ejected.
#ifndef AUTOBREAKER_SIMULATION_PEERS_ENVOY_OUTLIER_H_
#define AUTOBREAKER_SIMULATION_PEERS_ENVOY_OUTLIER_H_

#include <cstdint>
#include <optional>

#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

struct EnvoyOutlierSettings {
  int64_t consecutive = 5;
  Nanos base = 30'000'000'000;
  Nanos longest = 300'000'000'000;
  Nanos interval = 10'000'000'000;
};

class EnvoyOutlier final : public SimulatedBreaker {
 public:
  explicit EnvoyOutlier(const EnvoyOutlierSettings& settings)
      : settings_(settings), next_sweep_(settings.interval) {}

  std::optional<uint64_t> Admit(Nanos now) override;
  void Finish(uint64_t ticket, Nanos now, bool failed) override;

 private:
  void SweepUntil(Nanos now);

  const EnvoyOutlierSettings settings_;
  Nanos next_sweep_;
  bool ejected_ = false;
  Nanos ejected_at_ = 0;
  int64_t multiplier_ = 0;
  int64_t errors_ = 0;  // in a row
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_PEERS_ENVOY_OUTLIER_H_
