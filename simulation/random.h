// Random numbers that are the same with every standard library: its engines
// are specified to the bit, its distributions are not.
#ifndef AUTOBREAKER_SIMULATION_RANDOM_H_
#define AUTOBREAKER_SIMULATION_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <random>

namespace autobreaker::decisions {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  // In [0, 1).
  double Uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double Uniform(double from, double to) {
    return from + (to - from) * Uniform();
  }
  double Exponential(double mean) { return -mean * std::log1p(-Uniform()); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_RANDOM_H_
