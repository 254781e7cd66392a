#include "autobreaker/breaker/internal/outage.h"

#include <algorithm>

namespace autobreaker {

void Outage::OpenFirst(const Rules& rules, const Cause& cause,
                       MonotonicTime::duration window_time,
                       const Opening& opening, MonotonicTime now) {
  cause_ = cause;
  asked_at_start_ = opening.asked;
  Open(rules, Demand::Of(0, cause.window.finished(), window_time), opening,
       now);
}

void Outage::OpenAgain(const Rules& rules, bool probes_failed,
                       const Opening& opening, MonotonicTime now) {
  if (probes_failed) ++reopenings_;
  half_open_.reset();
  Open(rules,
       Demand::Of(opening.asked - asked_at_start_,
                  opening.asked - opening_.asked, now - opened_at_),
       opening, now);
}

void Outage::Open(const Rules& rules, const Demand& demand,
                  const Opening& opening, MonotonicTime now) {
  demand_ = demand;
  opening_ = opening;
  opened_at_ = now;
  SetOpenUntil(rules);
}

void Outage::BecomeHalfOpen(const Rules& rules, MonotonicTime now) {
  half_open_.emplace(rules, now - opened_at_, now);
}

void Outage::SetRules(const Rules& rules, MonotonicTime now) {
  SetOpenUntil(rules);
  if (half_open_.has_value()) half_open_->SetRules(rules, now);
}

void Outage::SetOpenUntil(const Rules& rules) {
  const OpenOptions& options = rules.options.open;
  const MonotonicTime::duration at_least = absl::ToChronoNanoseconds(
      std::min(opening_.at_least, options.duration_max));
  open_until_ =
      opened_at_ + std::max(at_least, OpenTime(options, reopenings_, demand_,
                                               opening_.random));
}

}  // namespace autobreaker
