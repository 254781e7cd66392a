#include "autobreaker/breaker/internal/evidence.h"

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"
#include "autobreaker/breaker/internal/places.h"

namespace autobreaker {
namespace {

constexpr double kQuarter = 0.25;

uint64_t PlaceOf(uint64_t successes) {
  return successes * EvidenceRule::kOneSuccess;
}

double Share(uint64_t units, const EvidenceRule& rule) {
  return static_cast<double>(units) / static_cast<double>(rule.threshold);
}

// Without the balance. More than 1 only where `successes` are of before the
// last failure.
double ShareAt(const EvidenceRule& rule, uint64_t word, uint64_t successes) {
  return std::min(Share(PlaceAhead(word, PlaceOf(successes)), rule), 1.0);
}

// The logarithms of how likely a success and a failure are, of a server of
// which few calls succeed and of one that is normal; of a success turned round.
double OfSuccess(double normal, double few) {
  return std::log1p(-normal) - std::log(few);
}
double OfFailure(double normal, double few) {
  return std::log1p(-few) - std::log(normal);
}

// Whether evidence grows where `rate` of the calls fails.
bool Grows(double normal, double few, double rate) {
  return rate * OfFailure(normal, few) >= (1 - rate) * OfSuccess(normal, few);
}

// An interval in which failures are taken for one burst: when it began, in
// units that let 40 bits hold half a year, and the ceiling of the evidence.
class Interval {
 public:
  static constexpr int kUnitShift = 14;
  static constexpr MonotonicTime::rep kUnit = 1 << kUnitShift;  // nanoseconds

  // 0: before the first.
  explicit Interval(uint64_t word) : word_(word) {}
  Interval(MonotonicTime::rep time, double ceiling)
      : word_(Units(time) << kCeilingBits |
              static_cast<uint64_t>(std::ceil(std::min(ceiling, 1.0) * kOne))) {
  }

  uint64_t word() const { return word_; }
  double ceiling() const {
    return static_cast<double>(word_ & ((1 << kCeilingBits) - 1)) / kOne;
  }
  // Whether it began at least `ago` before `time`. Not if the clock of the
  // thread that began it is ahead.
  bool BeganBefore(MonotonicTime::rep time, MonotonicTime::rep ago) const {
    if (word_ == 0) return true;
    const uint64_t since = (Units(time) - (word_ >> kCeilingBits)) & kTimeMask;
    return since <= kTimeMask / 2 && since >= Units(ago);
  }

 private:
  static constexpr int kCeilingBits = 24;
  static constexpr uint64_t kTimeMask = (uint64_t{1} << 40) - 1;
  static constexpr double kOne = (1 << kCeilingBits) - 1;

  static uint64_t Units(MonotonicTime::rep time) {
    return static_cast<uint64_t>(time) >> kUnitShift & kTimeMask;
  }

  uint64_t word_;
};

}  // namespace

EvidenceRule EvidenceRule::From(const TripOptions& options) {
  EvidenceRule rule;
  if (!options.evidence.has_value()) return rule;
  const EvidenceOptions& trip = *options.evidence;
  const double normal = trip.normal_failure_rate;
  const double break_even = trip.break_even_failure_rate;
  // The share of successes that is told from the normal one. The lower it is,
  // the sooner an outage shows; but evidence must grow wherever more than
  // break_even fails.
  double few = (1 - break_even) / 4;
  if (!Grows(normal, few, break_even)) {
    double too_few = few;
    few = 1 - break_even;
    for (int i = 0; i < 50; ++i) {
      const double middle = (too_few + few) / 2;
      (Grows(normal, middle, break_even) ? few : too_few) = middle;
    }
  }
  const double success = OfSuccess(normal, few);
  const double failure = OfFailure(normal, few);
  const double threshold =
      std::log(static_cast<double>(trip.calls_per_false_opening));
  // Roundings are to the side of fewer false openings.
  double failure_units = failure / success * kOneSuccess;
  double threshold_units = std::max(1.0, threshold / success * kOneSuccess);
  // Where the rates all but touch, a success takes next to nothing away.
  constexpr double kMost = uint32_t{1} << 31;
  if (!(threshold_units <= kMost)) {
    failure_units = std::min(kMost, kMost * failure / threshold);
    threshold_units = kMost;
  }
  rule.failure =
      static_cast<uint32_t>(std::floor(std::min(failure_units, kMost)));
  rule.threshold = static_cast<uint32_t>(std::ceil(threshold_units));
  rule.balance = BalanceRule::From(trip);
  rule.tolerated_burst = absl::ToInt64Nanoseconds(trip.tolerated_burst);
  return rule;
}

bool operator==(const EvidenceRule& a, const EvidenceRule& b) {
  return a.failure == b.failure && a.threshold == b.threshold &&
         a.balance == b.balance && a.tolerated_burst == b.tolerated_burst;
}

void FailureEvidence::Restart(uint64_t successes, uint64_t generation) {
  word_.store(PackPlace(PlaceOf(successes), generation));
  balance_.Restart(successes, generation);
}

void FailureEvidence::Reweigh(const EvidenceRule& before,
                              const EvidenceRule& after, uint64_t successes,
                              uint64_t generation) {
  uint64_t units = 0;
  if (before.threshold > 0) {
    units = static_cast<uint64_t>(ShareAt(before, word_.load(), successes) *
                                  static_cast<double>(after.threshold));
  }
  word_.store(PackPlace(PlaceOf(successes) + units, generation));
  balance_.Reweigh(before.balance, after.balance, successes, generation);
}

double FailureEvidence::Ceiling(const EvidenceRule& rule, double level,
                                MonotonicTime now) {
  const MonotonicTime::rep length = rule.tolerated_burst * 2 / 3;
  if (length < Interval::kUnit) return 1;
  const MonotonicTime::rep time = now.time_since_epoch().count();
  const double failure = Share(rule.failure, rule);
  uint64_t word = interval_.load();
  while (Interval(word).BeganBefore(time, length)) {
    double base = level;
    if (!Interval(word).BeganBefore(time, 2 * length)) {
      // Failures go on. What the last success took away is no reason to wait
      // for longer.
      base = std::max(base,
                      std::min(level + Share(EvidenceRule::kOneSuccess, rule),
                               Interval(word).ceiling()));
    }
    // One failure alone always has its whole weight.
    const Interval begins(time, base + std::max(kQuarter, failure));
    if (interval_.compare_exchange_weak(word, begins.word())) {
      word = begins.word();
    }
  }
  return Interval(word).ceiling();
}

bool FailureEvidence::AddFailure(const EvidenceRule& rule, uint64_t successes,
                                 uint64_t generation, MonotonicTime now) {
  if (rule.threshold == 0) return false;
  const uint64_t place = PlaceOf(successes);
  // Before the evidence is read to be added to: what a failure of the same
  // burst adds on another thread must not lift the ceiling.
  const double ceiling =
      Ceiling(rule, ShareAt(rule, word_.load(), successes), now);
  const auto most = static_cast<uint64_t>(
      std::ceil(ceiling * static_cast<double>(rule.threshold)));
  uint64_t seen = word_.load();
  uint64_t units;
  do {
    if (!IsOfGeneration(seen, generation)) return false;
    const uint64_t before = PlaceAhead(seen, place);
    units = std::max(before, std::min(before + rule.failure, most));
  } while (
      !word_.compare_exchange_weak(seen, PackPlace(place + units, generation)));
  // The last of several threads to find that failures outweigh need not be the
  // one that completed the evidence. So what the others added counts.
  return balance_.AddFailure(rule.balance, successes, generation) &&
         PlaceAhead(word_.load(), place) >= rule.threshold;
}

FailureEvidence::Places FailureEvidence::Read() const {
  return {word_.load(), balance_.Read()};
}

double FailureEvidence::Level(const EvidenceRule& rule, const Places& places,
                              uint64_t successes) const {
  if (rule.threshold == 0) return 0;
  return std::min(ShareAt(rule, places.evidence, successes),
                  balance_.Level(rule.balance, places.balance, successes));
}

std::optional<int64_t> FailureEvidence::FailuresUntilComplete(
    const EvidenceRule& rule, const Places& places, uint64_t successes) const {
  // Rates that all but touch weigh a failure as nothing.
  if (rule.threshold == 0 || rule.failure == 0) return std::nullopt;
  const uint64_t units = PlaceAhead(places.evidence, PlaceOf(successes));
  const uint64_t missing = rule.threshold > units ? rule.threshold - units : 1;
  const auto complete = static_cast<int64_t>((missing - 1) / rule.failure + 1);
  return std::max(complete, balance_.FailuresUntilOutweighed(
                                rule.balance, places.balance, successes));
}

}  // namespace autobreaker
