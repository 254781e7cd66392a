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

// The next call has the key of the last one with this chance.
constexpr double kSameKey = 0.8;
// Between two bursts, over a burst.
constexpr double kBetweenBursts = 10;

// Before anything goes wrong the windows shall be full, that of Polly too, and
// streams under way as many as there will be.
Nanos WarmUp(const Scenario& scenario) {
  return Seconds(std::max(31.0, 200 / scenario.rate)) + scenario.lasts;
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

void World::MoveOn() {
  for (;;) {
    now_ += Seconds(random_.Exponential(1 / Peak(scenario_)));
    const double intensity = Intensity(scenario_, now_ - begins_, length_);
    if (intensity >= 1 || random_.Uniform() < intensity) return;
  }
}

Call World::NextCall() {
  MoveOn();
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
  const Nanos fail_fast = call->at + Seconds(FailFastLatency(latency));
  call->fails = fate < scenario_.background;
  call->ends =
      call->fails ? fail_fast : call->at + Seconds(GoodLatency(latency));
  if (call->at >= recovers()) {
    call->phase = Phase::kAfter;
  } else if (call->at >= begins_) {
    call->phase = Phase::kDuring;
    call->fails_at = scenario_.hangs ? call->at + kDeadline : fail_fast;
    DecideDuring(call, fate, latency);
  }
  if (scenario_.kind == Kind::kStreams && !call->fails) Stream(call);
}

void World::DecideDuring(Call* call, double fate, double latency) {
  const Nanos since = call->at - begins_;
  if (scenario_.kind == Kind::kImpatient) {
    if (random_.Uniform() >= scenario_.share) return;
    const Nanos gives_up = call->at + kImpatientDeadline;
    call->fails |= call->ends > gives_up;
    call->ends = std::min(call->ends, gives_up);
    return;
  }
  double share = FailureShare(scenario_, since, length_);
  call->dead = share >= 1;
  if (scenario_.kind == Kind::kKeys && KeyIsDead()) share = 1;
  if (scenario_.kind == Kind::kBursts && InBurst()) share = scenario_.share;
  call->fails = fate < share;
  call->ends =
      call->fails ? call->fails_at : call->at + Seconds(GoodLatency(latency));
  call->backends = scenario_.backends;
  call->dead_backend = DeadBackend(scenario_, since, length_);
  call->capacity = Capacity(scenario_, since, length_);
  call->collapses = scenario_.collapses;
}

void World::Stream(Call* call) {
  call->progress = call->ends;
  call->ends = call->at + scenario_.lasts;
  if (call->at >= begins_ || call->ends < begins_) return;
  // All of them are lost with the server.
  call->fails = true;
  call->ends = begins_;
  call->progress = std::min(call->progress, begins_);
}

bool World::KeyIsDead() {
  if (key_ >= 1 || random_.Uniform() >= kSameKey) key_ = random_.Uniform();
  return key_ < scenario_.share;
}

bool World::InBurst() {
  while (now_ >= burst_turns_) {
    const double mean =
        ToSeconds(scenario_.lasts) * (burst_ ? kBetweenBursts : 1);
    burst_turns_ =
        std::max(burst_turns_, begins_) + Seconds(random_.Exponential(mean));
    burst_ = !burst_;
  }
  return burst_;
}

}  // namespace autobreaker::decisions
