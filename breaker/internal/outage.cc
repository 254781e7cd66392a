#include "autobreaker/breaker/internal/outage.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace autobreaker {
namespace {

// How often calls that are refused look how many they are: to count them all
// takes a look at every counter.
constexpr MonotonicTime::duration kLookEvery = std::chrono::milliseconds(1);

double PerSecond(uint64_t calls, MonotonicTime::duration time) {
  const std::chrono::duration<double> seconds =
      std::max(time, MonotonicTime::duration(1));
  return static_cast<double>(calls) / seconds.count();
}

}  // namespace

void Outage::OpenFirst(const Rules& rules, const Cause& cause,
                       MonotonicTime::duration window_time,
                       const Opening& opening, MonotonicTime now) {
  cause_ = cause;
  asked_at_start_ = opening.asked;
  Open(rules, PerSecond(cause.window.finished(), window_time), opening, now);
}

void Outage::OpenAgain(const Rules& rules, bool probes_failed,
                       const Opening& opening, MonotonicTime now) {
  if (probes_failed) ++reopenings_;
  half_open_.reset();
  Open(rules, PerSecond(opening.asked - opening_.asked, now - opened_at_),
       opening, now);
}

void Outage::Open(const Rules& rules, double calls_per_second,
                  const Opening& opening, MonotonicTime now) {
  calls_per_second_ = calls_per_second;
  opening_ = opening;
  opened_at_ = now;
  SetOpenTime(rules);
}

void Outage::BecomeHalfOpen(const Rules& rules, uint64_t asked,
                            MonotonicTime now) {
  half_open_.emplace(rules, open_time_, asked, now);
}

void Outage::SetRules(const Rules& rules, MonotonicTime now) {
  SetOpenTime(rules);
  if (half_open_.has_value()) half_open_->SetRules(rules, now);
}

void Outage::SetOpenTime(const Rules& rules) {
  const OpenOptions& options = rules.options.open;
  open_time_ = OpenTime::Of(options, reopenings_,
                            opening_.asked - asked_at_start_, opening_.random);
  const MonotonicTime::duration at_least = absl::ToChronoNanoseconds(
      std::min(opening_.at_least, options.duration_max));
  refuse_until_ = opened_at_ + std::max(at_least, open_time_.shortest);
  expected_end_ = ExpectedEnd(opening_.asked, opened_at_);
}

bool Outage::IsOver(uint64_t asked, MonotonicTime now) const {
  return now >= refuse_until_ && (asked - opening_.asked >= open_time_.calls ||
                                  now - opened_at_ >= open_time_.longest);
}

void Outage::NoteAsked(uint64_t asked, MonotonicTime now) {
  if (now >= refuse_until_ && !IsOver(asked, now)) {
    refuse_until_ = std::min(now + kLookEvery, opened_at_ + open_time_.longest);
  }
  expected_end_ = ExpectedEnd(asked, now);
}

MonotonicTime Outage::ExpectedEnd(uint64_t asked, MonotonicTime now) const {
  const MonotonicTime last =
      std::max(refuse_until_, opened_at_ + open_time_.longest);
  const uint64_t since = asked - opening_.asked;
  if (since >= open_time_.calls) return refuse_until_;
  const double per_second =
      since == 0 ? calls_per_second_ : PerSecond(since, now - opened_at_);
  const double seconds =
      static_cast<double>(open_time_.calls - since) / per_second;
  const std::chrono::duration<double> most = last - now;
  // Not a number of seconds if nobody ever called.
  if (!(seconds < most.count())) return last;
  return std::max(refuse_until_,
                  now + MonotonicTime::duration(
                            static_cast<int64_t>(std::llround(seconds * 1e9))));
}

}  // namespace autobreaker
