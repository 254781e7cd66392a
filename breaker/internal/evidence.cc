#include "autobreaker/breaker/internal/evidence.h"

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"

namespace autobreaker {
namespace {

constexpr int kGenerationShift = 56;
constexpr uint64_t kPlaceMask = (uint64_t{1} << kGenerationShift) - 1;
constexpr double kThird = 1.0 / 3;

uint64_t PlaceOf(uint64_t successes) {
  return successes * EvidenceRule::kOneSuccess & kPlaceMask;
}

uint64_t Pack(uint64_t place, uint64_t generation) {
  return (place & kPlaceMask) | generation << kGenerationShift;
}

// How far the place in `word` is ahead of `place`; 0 if it is behind.
uint64_t Ahead(uint64_t word, uint64_t place) {
  const uint64_t ahead = (word - place) & kPlaceMask;
  return ahead > kPlaceMask / 2 ? 0 : ahead;
}

double Share(uint64_t units, const EvidenceRule::Test& test) {
  return static_cast<double>(units) / static_cast<double>(test.threshold);
}

// The logarithms of the rates of failures and of successes where the server is
// broken: either rate may be next to 1. Roundings are to the side of fewer
// false openings.
EvidenceRule::Test MakeTest(double normal, double log_failures,
                            double log_successes, double threshold) {
  const double success = std::log1p(-normal) - log_successes;
  const double failure = log_failures - std::log(normal);
  double failure_units = failure / success * EvidenceRule::kOneSuccess;
  double threshold_units = threshold / success * EvidenceRule::kOneSuccess;
  // Where the rates all but touch, a success takes next to nothing away.
  constexpr double kMost = uint32_t{1} << 31;
  if (!(threshold_units <= kMost)) {
    failure_units = std::min(kMost, kMost * failure / threshold);
    threshold_units = kMost;
  }
  return {static_cast<uint32_t>(std::floor(std::min(failure_units, kMost))),
          static_cast<uint32_t>(std::ceil(threshold_units))};
}

}  // namespace

EvidenceRule EvidenceRule::From(const TripOptions& options) {
  EvidenceRule rule;
  if (!options.evidence.has_value()) return rule;
  const EvidenceOptions& trip = *options.evidence;
  const double normal = trip.normal_failure_rate;
  const double broken = trip.broken_failure_rate;
  const double few = (1 - broken) / 4;  // of successes, in an outage
  const double threshold =
      std::log(kTests * static_cast<double>(trip.calls_per_false_opening));
  rule.tests[0] =
      MakeTest(normal, std::log(broken), std::log1p(-broken), threshold);
  rule.tests[1] = MakeTest(normal, std::log1p(-few), std::log(few), threshold);
  rule.tolerated_burst = absl::ToInt64Nanoseconds(trip.tolerated_burst);
  return rule;
}

bool operator==(const EvidenceRule& a, const EvidenceRule& b) {
  for (int i = 0; i < EvidenceRule::kTests; ++i) {
    if (a.tests[i].failure != b.tests[i].failure ||
        a.tests[i].threshold != b.tests[i].threshold) {
      return false;
    }
  }
  return a.tolerated_burst == b.tolerated_burst;
}

void FailureEvidence::Restart(const EvidenceRule& rule, double level,
                              uint64_t successes, uint64_t generation) {
  for (int i = 0; i < EvidenceRule::kTests; ++i) {
    const auto ahead = static_cast<uint64_t>(
        level * static_cast<double>(rule.tests[i].threshold));
    words_[i].store(Pack(PlaceOf(successes) + ahead, generation));
  }
}

bool FailureEvidence::AddFailure(const EvidenceRule& rule, uint64_t successes,
                                 uint64_t generation, MonotonicTime now) {
  if (rule.tests[0].threshold == 0) return false;
  const uint64_t place = PlaceOf(successes);
  double ceiling = 1;
  if (rule.tolerated_burst > 0) {
    const auto time = now.time_since_epoch().count();
    const auto burst = static_cast<double>(rule.tolerated_burst);
    // Before the evidence is read to be added to: what a failure of the same
    // burst adds on another thread must not lift the ceiling.
    const double level = Level(rule, Read(), successes);
    // One failure alone always has its whole weight.
    double at_once = kThird;
    for (const EvidenceRule::Test& test : rule.tests) {
      at_once = std::max(at_once, Share(test.failure, test));
    }
    const MonotonicTime::rep start =
        time - std::llround(burst * ((level + at_once) / kThird));
    MonotonicTime::rep seen = ceiling_start_.load();
    while (seen < start && !ceiling_start_.compare_exchange_weak(seen, start)) {
    }
    // Below 0 where the clock of another thread is far ahead.
    ceiling = std::clamp(
        static_cast<double>(time - std::max(seen, start)) * kThird / burst, 0.0,
        1.0);
  }
  bool complete = false;
  for (int i = 0; i < EvidenceRule::kTests; ++i) {
    const EvidenceRule::Test& test = rule.tests[i];
    const auto most = static_cast<uint64_t>(
        std::ceil(ceiling * static_cast<double>(test.threshold)));
    uint64_t seen = words_[i].load();
    uint64_t units;
    do {
      if (seen >> kGenerationShift != (generation & 0xff)) return false;
      const uint64_t before = Ahead(seen, place);
      units = std::max(before, std::min(before + test.failure, most));
    } while (!words_[i].compare_exchange_weak(seen,
                                              Pack(place + units, generation)));
    if (units >= test.threshold) complete = true;
  }
  return complete;
}

FailureEvidence::Places FailureEvidence::Read() const {
  Places places;
  for (int i = 0; i < EvidenceRule::kTests; ++i) {
    places.words[i] = words_[i].load();
  }
  return places;
}

double FailureEvidence::Level(const EvidenceRule& rule, const Places& places,
                              uint64_t successes) {
  double level = 0;
  for (int i = 0; i < EvidenceRule::kTests; ++i) {
    if (rule.tests[i].threshold == 0) continue;
    const uint64_t units = Ahead(places.words[i], PlaceOf(successes));
    level = std::max(level, Share(units, rule.tests[i]));
  }
  // More only where `successes` are of before the last failure.
  return std::min(level, 1.0);
}

std::optional<int64_t> FailureEvidence::FailuresUntilComplete(
    const EvidenceRule& rule, const Places& places, uint64_t successes) {
  std::optional<int64_t> fewest;
  for (int i = 0; i < EvidenceRule::kTests; ++i) {
    const EvidenceRule::Test& test = rule.tests[i];
    // Rates that all but touch weigh a failure as nothing.
    if (test.threshold == 0 || test.failure == 0) continue;
    const uint64_t units = Ahead(places.words[i], PlaceOf(successes));
    const uint64_t missing =
        test.threshold > units ? test.threshold - units : 1;
    const auto failures =
        static_cast<int64_t>((missing - 1) / test.failure + 1);
    fewest = std::min(fewest.value_or(failures), failures);
  }
  return fewest;
}

}  // namespace autobreaker
