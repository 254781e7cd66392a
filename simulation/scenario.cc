#include "autobreaker/simulation/scenario.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace autobreaker::decisions {
namespace {

constexpr Nanos kSilence = 15'000'000'000;
constexpr Nanos kOnOffPeriod = 20'000'000'000;
constexpr Nanos kOn = 5'000'000'000;
constexpr Nanos kDay = 600'000'000'000;  // a short one
constexpr double kTide = 0.9;
constexpr Nanos kWarmUpTime = 20'000'000'000;

std::string What(const Scenario& s) {
  const double percent = s.share * 100;
  switch (s.kind) {
    case Kind::kHealthy:
      return absl::StrFormat("healthy_%g%%", s.background * 100);
    case Kind::kBlip:
      return "blip";
    case Kind::kLostConnections:
      return "lost_connections";
    case Kind::kIncident:
      return absl::StrFormat("incident_%g%%", percent);
    case Kind::kOnOff:
      return absl::StrFormat("on_off_%g%%", percent);
    case Kind::kDaily:
      return absl::StrFormat("daily_%g%%", percent);
    case Kind::kFleet:
      return "fleet_of_100";
    case Kind::kBackends:
      return absl::StrFormat("backends_1_of_%d", s.backends);
    case Kind::kKeys:
      return absl::StrFormat("keys_%g%%", percent);
    case Kind::kRestarts:
      return absl::StrFormat("restarts_of_%d", s.backends);
    case Kind::kDeploy:
      return "deploy";
    case Kind::kSilenceBefore:
      return "silence_before";
    case Kind::kSilenceWhile:
      return "silence_while";
    case Kind::kStreams:
      return absl::StrFormat("streams_of_%gs", ToSeconds(s.lasts));
    case Kind::kWarmUp:
      return "warm_up";
    case Kind::kBursts:
      return absl::StrFormat("bursts_of_%gs", ToSeconds(s.lasts));
    case Kind::kFlapping:
      return "flapping";
    case Kind::kDecline:
      return "decline";
    case Kind::kOverload:
      return absl::StrFormat("overload_%gx_%s", s.load,
                             s.collapses ? "collapse" : "constant");
    case Kind::kImpatient:
      return absl::StrFormat("impatient_%g%%", percent);
  }
  return "";
}

}  // namespace

std::string Scenario::Name() const {
  return absl::StrCat(
      What(*this), IsNoise(kind) ? "" : (hangs ? "_hang" : "_fast"), "_at_",
      absl::StrFormat("%g/s", rate), kind == Kind::kFleet ? "_each" : "");
}

bool IsPartial(const Scenario& scenario) {
  switch (scenario.kind) {
    case Kind::kBackends:
    case Kind::kKeys:
    case Kind::kRestarts:
    case Kind::kBursts:
      return true;
    case Kind::kIncident:
    case Kind::kOnOff:
    case Kind::kDaily:
    case Kind::kImpatient:
      return scenario.share < 0.5;
    default:
      return false;
  }
}

double FailureShare(const Scenario& scenario, Nanos since, Nanos length) {
  switch (scenario.kind) {
    case Kind::kFlapping:
      return since % Seconds(5) < Seconds(2) ? 1 : scenario.background;
    case Kind::kDecline:
      return std::clamp(ToSeconds(since) / 60, scenario.background, 1.0);
    case Kind::kWarmUp:
      return since < length - kWarmUpTime ? 1 : scenario.background;
    case Kind::kBackends:
    case Kind::kKeys:
    case Kind::kRestarts:
    case Kind::kBursts:
    case Kind::kOverload:
      return scenario.background;
    default:
      return scenario.share;
  }
}

int DeadBackend(const Scenario& scenario, Nanos since, Nanos length) {
  return scenario.kind == Kind::kRestarts
             ? static_cast<int>(since / (length / scenario.backends + 1))
             : 0;
}

double Capacity(const Scenario& scenario, Nanos since, Nanos length) {
  if (scenario.kind == Kind::kOverload) return scenario.rate / scenario.load;
  const Nanos warm_up = since - (length - kWarmUpTime);
  if (scenario.kind != Kind::kWarmUp || warm_up < 0) return 0;
  return scenario.rate *
         (0.1 + 0.9 * ToSeconds(warm_up) / ToSeconds(kWarmUpTime));
}

double Intensity(const Scenario& scenario, Nanos since, Nanos length) {
  constexpr double kTurn = 6.283185307179586;
  switch (scenario.kind) {
    case Kind::kOnOff:
      // It is on when something goes wrong.
      return (since % kOnOffPeriod + kOnOffPeriod) % kOnOffPeriod < kOn ? 1 : 0;
    case Kind::kDaily:
      // Incidents of all lengths begin at all times of the day.
      return (1 + kTide * std::sin(kTurn * ToSeconds(since + 20 * length) /
                                   ToSeconds(kDay))) /
             (1 + kTide);
    case Kind::kSilenceBefore:
      return since >= -kSilence && since < 0 ? 0 : 1;
    case Kind::kSilenceWhile:
      return since >= length - kSilence && since < length ? 0 : 1;
    default:
      return 1;
  }
}

double Peak(const Scenario& scenario) {
  return scenario.kind == Kind::kDaily ? scenario.rate * (1 + kTide)
                                       : scenario.rate;
}

}  // namespace autobreaker::decisions
