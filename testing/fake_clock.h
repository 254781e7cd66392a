// A clock for tests: time stands still until the test moves it.
//
//   FakeClock clock;
//   ... make a breaker with &clock ...
//   clock.Advance(absl::Seconds(5));
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_TESTING_FAKE_CLOCK_H_
#define AUTOBREAKER_TESTING_FAKE_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"

namespace autobreaker {

class FakeClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    return MonotonicTime(std::chrono::nanoseconds(monotonic_ns_.load()));
  }
  MonotonicTime CoarseNow() const override { return Now(); }
  absl::Time WallNow() const override {
    return absl::FromUnixNanos(wall_ns_.load());
  }

  // Moves monotonic and wall time forward together.
  void Advance(absl::Duration by) {
    monotonic_ns_.fetch_add(absl::ToInt64Nanoseconds(by));
    wall_ns_.fetch_add(absl::ToInt64Nanoseconds(by));
  }

  // Moves the wall clock alone, either way, as an administrator would.
  void StepWall(absl::Duration by) {
    wall_ns_.fetch_add(absl::ToInt64Nanoseconds(by));
  }

 private:
  // Not 0, so that a forgotten initialization is not mistaken for a time.
  std::atomic<int64_t> monotonic_ns_{3'600'000'000'000};
  std::atomic<int64_t> wall_ns_{1'700'000'000'000'000'000};
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTING_FAKE_CLOCK_H_
