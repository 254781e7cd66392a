// Forces a breaker open for a scope of a test: what does the program do when
// its calls are refused?
//
//   {
//     ScopedForcedOpen outage(registry->GetOrCreate({"shop", "Orders",
//     "Place"})); EXPECT_EQ(client.Place(order), "try again later");
//   }
//
// When it ends, the breaker is in the mode from before, and if it was closed it
// is closed, as after CircuitBreaker::Reset(): it has forgotten its window.
//
// Thread-safety: none is needed; the breaker may be in use meanwhile.
#ifndef AUTOBREAKER_TESTING_SCOPED_FORCED_OPEN_H_
#define AUTOBREAKER_TESTING_SCOPED_FORCED_OPEN_H_

#include <memory>
#include <utility>

#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/snapshot.h"

namespace autobreaker {

class ScopedForcedOpen {
 public:
  // Shares in owning the breaker. REQUIRES: it is not null.
  explicit ScopedForcedOpen(std::shared_ptr<CircuitBreaker> breaker)
      : breaker_(std::move(breaker)), before_(breaker_->Snapshot()) {
    breaker_->SetMode(Mode::kForcedOpen);
  }
  ~ScopedForcedOpen() {
    breaker_->SetMode(before_.mode, before_.mode_remaining);
    if (before_.state == State::kClosed) breaker_->Reset();
  }
  ScopedForcedOpen(const ScopedForcedOpen&) = delete;
  ScopedForcedOpen& operator=(const ScopedForcedOpen&) = delete;

 private:
  const std::shared_ptr<CircuitBreaker> breaker_;
  const BreakerSnapshot before_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTING_SCOPED_FORCED_OPEN_H_
