#include "autobreaker/breaker/internal/balance.h"

#include <algorithm>
#include <cmath>

#include "autobreaker/breaker/internal/places.h"

namespace autobreaker {
namespace {

uint64_t PlaceOf(uint64_t successes) {
  return successes * BalanceRule::kOneSuccess;
}

}  // namespace

BalanceRule BalanceRule::From(const EvidenceOptions& options) {
  const double normal = options.normal_failure_rate;
  const double break_even = options.break_even_failure_rate;
  constexpr double kOdds = 1e9;
  constexpr double kLongestGap = 1 << 20;
  const double successes =
      std::log(kOdds) / (std::log1p(-normal) - std::log1p(-break_even));
  BalanceRule rule;
  rule.failure = static_cast<uint32_t>(
      std::lround(kOneSuccess * (1 - break_even) / break_even));
  rule.gap = static_cast<uint32_t>(std::min(successes, kLongestGap));
  rule.fewest = 2 / (1 - break_even);
  return rule;
}

double BalanceRule::Outweighs(int64_t failures) const {
  return failure *
         std::sqrt(fewest *
                   std::max(static_cast<double>(failures - 1), fewest));
}

void FailureBalance::Restart(uint64_t successes, uint64_t generation) {
  trouble_.Restart(successes, generation);
  word_.store(PackPlace(PlaceOf(successes), generation));
}

void FailureBalance::Reweigh(const BalanceRule& before,
                             const BalanceRule& after, uint64_t successes,
                             uint64_t generation) {
  const uint64_t place = PlaceOf(successes);
  const uint64_t balance = PlaceAhead(word_.load(), place);
  word_.store(PackPlace(
      place +
          (before.failure == 0 ? 0 : balance * after.failure / before.failure),
      generation));
}

bool FailureBalance::AddFailure(const BalanceRule& rule, uint64_t successes,
                                uint64_t generation) {
  const int64_t failures = trouble_.AddFailure(successes, generation, rule.gap);
  const uint64_t place = PlaceOf(successes);
  uint64_t seen = word_.load();
  uint64_t balance;
  do {
    if (!IsOfGeneration(seen, generation)) return false;
    // Whoever added to the word was counted before.
    balance = std::min(PlaceAhead(seen, place) + rule.failure,
                       rule.failure * Failures(rule, successes));
  } while (!word_.compare_exchange_weak(
      seen, PackPlace(place + balance, generation)));
  return static_cast<double>(balance) >= rule.Outweighs(failures);
}

uint64_t FailureBalance::Failures(const BalanceRule& rule,
                                  uint64_t successes) const {
  return trouble_.Failures(successes, rule.gap);
}

double FailureBalance::Level(const BalanceRule& rule, uint64_t word,
                             uint64_t successes) const {
  const uint64_t failures = Failures(rule, successes);
  const uint64_t balance =
      std::min(PlaceAhead(word, PlaceOf(successes)), rule.failure * failures);
  return std::min(static_cast<double>(balance) / rule.Outweighs(failures), 1.0);
}

int64_t FailureBalance::FailuresUntilOutweighed(const BalanceRule& rule,
                                                uint64_t word,
                                                uint64_t successes) const {
  const uint64_t failures = Failures(rule, successes);
  const auto balance = static_cast<double>(
      std::min(PlaceAhead(word, PlaceOf(successes)), rule.failure * failures));
  const auto outweigh = [&](int64_t more) {
    return balance + static_cast<double>(more) * rule.failure >=
           rule.Outweighs(failures + more);
  };
  // Each failure brings the balance closer, once there are some, so the first
  // number that does is found by doubling and halving.
  int64_t enough = 1;
  while (!outweigh(enough)) enough *= 2;
  int64_t too_few = enough / 2;
  while (enough - too_few > 1) {
    const int64_t middle = too_few + (enough - too_few) / 2;
    (outweigh(middle) ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace autobreaker
