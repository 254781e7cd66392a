// What breakers need from the program around them, and what they record for it.
//
// A plain value, checked where a breaker or a registry takes it and shared by
// all breakers of a registry.
#ifndef AUTOBREAKER_BREAKER_INSTRUMENTS_H_
#define AUTOBREAKER_BREAKER_INSTRUMENTS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/transition.h"

namespace autobreaker {

struct Instruments {
  // Must remain live while a breaker uses it.
  const Clock* clock = Clock::System();

  // Makes the jitter of open times repeatable, breaker by breaker. Different
  // in every process when not set.
  std::optional<uint64_t> seed;

  // Called after each change of state, in a thread of its own (one for all
  // breakers of a registry), so that it holds up no call: one at a time, in the
  // order of the changes, outside every lock. It may use the breakers, and let
  // go of the last owner of one or of the registry. When 10,000 changes wait
  // for it, the oldest is lost and counted. What it throws is counted and
  // dropped. What it refers to must outlive the breakers: the destructor of the
  // last one waits until all is told.
  std::function<void(const Transition&)> on_transition;

  // The upper bounds of the buckets that successes and failures are sorted
  // into by how long they took, in ascending order; off when empty. Costs each
  // call two reads of the exact clock, in place of one of the coarse one, and
  // two additions; and each breaker 24 bytes per bound and CPU, in steps of
  // 128. 0 to 64 bounds, each 1 ns to 10 days, so that no two look the same in
  // seconds.
  std::vector<absl::Duration> duration_buckets;

  // Whether to count the status codes that calls end with, where the caller
  // tells them to CountStatusCode(); the gRPC interceptor does. Costs each call
  // one addition, and each breaker 256 bytes per CPU.
  bool count_status_codes = false;

  // OK, or INVALID_ARGUMENT that names the field, its value and its range.
  absl::Status Validate() const;
};

// 1 ms to 10 s, closest around what remote calls take.
std::vector<absl::Duration> DefaultDurationBuckets();

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INSTRUMENTS_H_
