#include "autobreaker/simulation/world.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace autobreaker::decisions {
namespace {

constexpr size_t kCallsAtOnce = 4096;  // they stay in the CPU's cache

constexpr double kGoodLatency = 0.01;  // the mean, in seconds
constexpr double kLongestLatency = 0.1;

constexpr Nanos kBlipEvery = 30'000'000'000;
constexpr Nanos kBlipLength = 50'000'000;
constexpr Nanos kLossEvery = 20'000'000'000;

// The inverse of a distribution, so that one number drawn decides.
double GoodLatency(double random) {
  return std::min(-kGoodLatency * std::log1p(-random), kLongestLatency);
}
double FailFastLatency(double random) {
  return ToSeconds(kMeanFailFast) * (0.2 + 1.6 * random);
}

// Before anything goes wrong the windows shall be full, that of Polly too.
Nanos WarmUp(const Scenario& scenario) {
  return Seconds(std::max(31.0, 200 / scenario.rate));
}

}  // namespace

World::World(const Scenario& scenario, uint64_t seed, int episode)
    : scenario_(scenario),
      // Other calls at another rate, so that a stroke of luck is not had twice.
      random_(seed * 1'000'003 + static_cast<uint64_t>(episode) +
              static_cast<uint64_t>(scenario.rate * 1e6)) {
  if (IsNoise(scenario.kind)) return;
  begins_ = WarmUp(scenario);
  // One length out of each of as many equal parts as there are episodes, so
  // that their mean is steady.
  const double part = (episode + random_.Uniform()) / scenario.episodes;
  const double spread = static_cast<double>(scenario.longest) /
                        static_cast<double>(scenario.shortest);
  length_ = static_cast<Nanos>(static_cast<double>(scenario.shortest) *
                               std::pow(spread, part));
}

void World::Next(std::vector<Call>* calls) {
  calls->clear();
  while (calls->size() < kCallsAtOnce) calls->push_back(NextCall());
}

Call World::NextCall() {
  now_ += Seconds(random_.Exponential(1 / scenario_.rate));
  const double fate = random_.Uniform();
  const double latency = random_.Uniform();
  Call call;
  call.at = now_;
  if (IsNoise(scenario_.kind)) {
    DecideNoise(&call, fate, latency);
  } else {
    DecideEpisode(&call, fate, latency);
  }
  return call;
}

void World::DecideNoise(Call* call, double fate, double latency) {
  const bool blip = scenario_.kind == Kind::kBlip &&
                    call->at % kBlipEvery >= kBlipEvery - kBlipLength;
  call->fails = blip || fate < scenario_.background;
  if (scenario_.kind != Kind::kLostConnections) {
    call->ends = call->at + Seconds(call->fails ? FailFastLatency(latency)
                                                : GoodLatency(latency));
    return;
  }
  const double mean = kInFlightWhenLost / scenario_.rate;
  call->ends = call->at + Seconds(mean * (0.5 + latency));
  const Nanos loss = (call->at / kLossEvery + 1) * kLossEvery;
  if (call->ends >= loss) {
    call->ends = loss;
    call->fails = true;
  }
}

void World::DecideEpisode(Call* call, double fate, double latency) {
  double share = scenario_.background;
  if (call->at >= recovers()) {
    call->phase = Phase::kAfter;
  } else if (call->at >= begins_) {
    call->phase = Phase::kDuring;
    share = FailureShare(scenario_, call->at - begins_, length_);
    call->dead = share >= 1;
    call->limited =
        !call->dead && call->at >= recovers() - HalfCapacityTime(scenario_);
  }
  call->fails = fate < share;
  Nanos takes = Seconds(GoodLatency(latency));
  if (call->fails) {
    takes = scenario_.hangs && call->phase == Phase::kDuring
                ? kDeadline
                : Seconds(FailFastLatency(latency));
  }
  call->ends = call->at + takes;
}

}  // namespace autobreaker::decisions
