#include "autobreaker/simulation/contestants.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/simulation/our_breaker.h"
#include "autobreaker/simulation/peers/no_breaker.h"

namespace autobreaker::decisions {
namespace {

// Open times in seconds instead of calls.
BreakerOptions Timed(BreakerOptions options) {
  options.open.pace_by_calls.reset();
  options.open.duration = absl::Seconds(5);
  options.open.duration_multiplier = 2;
  options.open.duration_max = absl::Seconds(60);
  return options;
}

// Without evidence, and so without a ramp.
BreakerOptions Classic() {
  BreakerOptions options = Timed(BreakerOptions());
  options.trip.evidence.reset();
  options.half_open.successes_to_close = 3;
  return options;
}

}  // namespace

void AddOurs(std::vector<Contestant>* all) {
  const auto add = [all](absl::string_view setting, BreakerOptions options) {
    all->push_back({std::string(kOurs), std::string(setting), Role::kOurs,
                    [options](uint64_t seed) {
                      return std::make_unique<OurBreaker>(options, seed);
                    }});
  };
  add(kDefault, BreakerOptions());

  BreakerOptions options;
  options.trip.evidence->tolerated_burst = absl::ZeroDuration();
  add(kPlain, options);

  add("open 5 s to 60 s", Timed(BreakerOptions()));

  options = BreakerOptions();
  options.half_open.successes_to_close = 3;
  add("3 successes close", options);

  options = Classic();
  options.trip.failure_rate_threshold = 0.05;
  add("5 % of 10 s", options);

  options = Classic();
  options.trip.consecutive_failures = 5;
  add("5 consecutive", options);
}

std::vector<Contestant> AllContestants() {
  std::vector<Contestant> all;
  AddOurs(&all);
  all.push_back({"none", "", Role::kNone,
                 [](uint64_t) { return std::make_unique<NoBreaker>(); }});
  AddPeers(&all);
  return all;
}

std::vector<Contestant> AsTheyCome() {
  std::vector<Contestant> all = AllContestants();
  std::vector<Contestant> some;
  for (Contestant& contestant : all) {
    if (contestant.setting == kDefault || contestant.role == Role::kNone) {
      some.push_back(std::move(contestant));
    }
  }
  return some;
}

}  // namespace autobreaker::decisions
