#include "benchmarks/decisions/our_breaker.h"

#include <utility>

#include "absl/time/time.h"
#include "breaker/environment.h"
#include "breaker/key.h"
#include "breaker/types.h"

namespace autobreaker::decisions {

OurBreaker::OurBreaker(const BreakerOptions& options, uint64_t seed) {
  auto environment = std::make_shared<BreakerEnvironment>();
  environment->clock = &clock_;
  environment->seed = seed;
  breaker_ = CircuitBreaker::Create(BreakerKey{"simulated"}, options,
                                    std::move(environment))
                 .value();
}

void OurBreaker::AdvanceTo(Nanos now) {
  clock_.Advance(absl::Nanoseconds(now - now_));
  now_ = now;
}

std::optional<uint64_t> OurBreaker::Admit(Nanos now) {
  AdvanceTo(now);
  Permit permit = breaker_->TryAcquire();
  if (!permit) return std::nullopt;
  if (free_.empty()) {
    permits_.push_back(std::move(permit));
    return permits_.size() - 1;
  }
  const uint64_t ticket = free_.back();
  free_.pop_back();
  permits_[ticket] = std::move(permit);
  return ticket;
}

void OurBreaker::Finish(uint64_t ticket, Nanos now, bool failed) {
  AdvanceTo(now);
  permits_[ticket].Record(failed ? Outcome::kFailure : Outcome::kSuccess);
  free_.push_back(ticket);
}

}  // namespace autobreaker::decisions
