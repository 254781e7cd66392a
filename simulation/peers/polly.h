// Polly v8 (.NET) as its documentation has it: opens when at least a share of
// the calls in a sliding window of time failed; after a break lets one call
// through, and the next result decides.
#ifndef AUTOBREAKER_SIMULATION_PEERS_POLLY_H_
#define AUTOBREAKER_SIMULATION_PEERS_POLLY_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

struct PollySettings {
  double failure_ratio = 0.1;
  Nanos sampling = 30'000'000'000;
  int64_t minimum = 100;
  Nanos break_time = 5'000'000'000;
};

class Polly final : public SimulatedBreaker {
 public:
  explicit Polly(const PollySettings& settings) : settings_(settings) {}

  std::optional<uint64_t> Admit(Nanos now) override;
  void Finish(uint64_t ticket, Nanos now, bool failed) override;

 private:
  enum class State { kClosed, kOpen, kHalfOpen };
  struct Slice {
    Nanos start;
    int64_t calls = 0;
    int64_t failures = 0;
  };
  static constexpr int kSlices = 10;

  void Add(Nanos now, bool failed);
  void Open(Nanos now);

  const PollySettings settings_;
  State state_ = State::kClosed;
  Nanos opened_ = 0;
  std::deque<Slice> slices_;
  int64_t calls_ = 0;  // in all slices
  int64_t failures_ = 0;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_PEERS_POLLY_H_
