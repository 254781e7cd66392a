#include "autobreaker/simulation/our_breaker.h"

#include <utility>

#include "absl/time/time.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker::decisions {

OurBreaker::OurBreaker(const BreakerOptions& options, uint64_t seed) {
  auto instruments = std::make_shared<Instruments>();
  instruments->clock = &clock_;
  instruments->seed = seed;
  breaker_ = CircuitBreaker::Create(BreakerKey{"simulated"}, options,
                                    std::move(instruments))
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

void OurBreaker::Progress(uint64_t ticket, Nanos now) {
  AdvanceTo(now);
  permits_[ticket].Progressed();
}

void OurBreaker::Finish(uint64_t ticket, Nanos now, bool failed) {
  AdvanceTo(now);
  permits_[ticket].Record(failed ? Outcome::kFailure : Outcome::kSuccess);
  free_.push_back(ticket);
}

}  // namespace autobreaker::decisions
