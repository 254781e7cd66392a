// The peers: each as it comes, and the settings that are tried.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "autobreaker/simulation/contestants.h"
#include "autobreaker/simulation/peers/autobreaker_go.h"
#include "autobreaker/simulation/peers/envoy_outlier.h"
#include "autobreaker/simulation/peers/finagle.h"
#include "autobreaker/simulation/peers/gobreaker.h"
#include "autobreaker/simulation/peers/linkerd.h"
#include "autobreaker/simulation/peers/polly.h"
#include "autobreaker/simulation/peers/resilience4j.h"
#include "autobreaker/simulation/peers/sre_throttling.h"

namespace autobreaker::decisions {
namespace {

template <typename Breaker, typename Settings>
Contestant Make(absl::string_view breaker, std::string setting, Role role,
                const Settings& settings) {
  return {std::string(breaker), std::move(setting), role,
          [settings](uint64_t) { return std::make_unique<Breaker>(settings); }};
}

void AddAutoBreakerGo(std::vector<Contestant>* all) {
  constexpr absl::string_view kName = "AutoBreaker for Go";
  AutoBreakerGoSettings s;
  all->push_back(
      Make<AutoBreakerGo>(kName, std::string(kDefault), Role::kPeerDefault, s));
  s.interval = Seconds(60);
  all->push_back(
      Make<AutoBreakerGo>(kName, "interval 60 s", Role::kPeerGrid, s));
  for (const double rate : {0.1, 0.3}) {
    for (const int64_t minimum : {10, 20, 100}) {
      for (const double interval : {0.0, 10.0}) {
        for (const double timeout : {0.5, 5.0, 60.0}) {
          s.failure_rate = rate;
          s.minimum = minimum;
          s.interval = Seconds(interval);
          s.timeout = Seconds(timeout);
          all->push_back(Make<AutoBreakerGo>(
              kName,
              absl::StrFormat("%g%% of %d, interval %g s, open %g s",
                              rate * 100, minimum, interval, timeout),
              Role::kPeerGrid, s));
        }
      }
    }
  }
}

void AddGobreaker(std::vector<Contestant>* all) {
  constexpr absl::string_view kName = "gobreaker";
  GobreakerSettings s;
  all->push_back(
      Make<Gobreaker>(kName, std::string(kDefault), Role::kPeerDefault, s));
  for (const int64_t failures : {3, 5, 14, 39}) {
    for (const int64_t probes : {1, 5}) {
      for (const double timeout : {0.1, 0.5, 2.0, 10.0, 60.0}) {
        s.more_failures_than = failures;
        s.max_requests = probes;
        s.timeout = Seconds(timeout);
        all->push_back(Make<Gobreaker>(
            kName,
            absl::StrFormat("more than %d, open %g s, %d probes", failures,
                            timeout, probes),
            Role::kPeerGrid, s));
      }
    }
  }
}

void AddResilience4j(std::vector<Contestant>* all) {
  constexpr absl::string_view kName = "resilience4j";
  Resilience4jSettings s;
  all->push_back(
      Make<Resilience4j>(kName, std::string(kDefault), Role::kPeerDefault, s));
  constexpr std::pair<int64_t, int64_t> kWindows[] = {
      {100, 100}, {100, 10}, {20, 10}};
  for (const auto& [window, minimum] : kWindows) {
    for (const double rate : {0.15, 0.25, 0.5}) {
      for (const double wait : {0.5, 5.0, 60.0}) {
        s.window = window;
        s.minimum = minimum;
        s.failure_rate = rate;
        s.wait = Seconds(wait);
        all->push_back(Make<Resilience4j>(
            kName,
            absl::StrFormat("%g%% of %d, minimum %d, open %g s", rate * 100,
                            window, minimum, wait),
            Role::kPeerGrid, s));
      }
    }
  }
}

void AddPolly(std::vector<Contestant>* all) {
  constexpr absl::string_view kName = "Polly";
  PollySettings s;
  all->push_back(
      Make<Polly>(kName, std::string(kDefault), Role::kPeerDefault, s));
  for (const double ratio : {0.1, 0.25, 0.5}) {
    for (const int64_t minimum : {10, 100}) {
      for (const double sampling : {1.0, 30.0}) {
        for (const double open : {0.5, 5.0, 30.0}) {
          s.failure_ratio = ratio;
          s.minimum = minimum;
          s.sampling = Seconds(sampling);
          s.break_time = Seconds(open);
          all->push_back(
              Make<Polly>(kName,
                          absl::StrFormat("%g%% of %d, %g s, open %g s",
                                          ratio * 100, minimum, sampling, open),
                          Role::kPeerGrid, s));
        }
      }
    }
  }
}

void AddEnvoy(std::vector<Contestant>* all) {
  constexpr absl::string_view kName = "Envoy";
  EnvoyOutlierSettings s;
  all->push_back(
      Make<EnvoyOutlier>(kName, std::string(kDefault), Role::kPeerDefault, s));
  for (const int64_t consecutive : {4, 5, 15, 40}) {
    for (const double base : {0.5, 5.0, 30.0}) {
      for (const double interval : {0.5, 10.0}) {
        s.consecutive = consecutive;
        s.base = Seconds(base);
        s.interval = Seconds(interval);
        all->push_back(
            Make<EnvoyOutlier>(kName,
                               absl::StrFormat("%d, base %g s, interval %g s",
                                               consecutive, base, interval),
                               Role::kPeerGrid, s));
      }
    }
  }
}

// Of those that draw random numbers.
template <typename Breaker, typename Settings>
Contestant MakeSeeded(absl::string_view breaker, std::string setting, Role role,
                      const Settings& settings) {
  return {std::string(breaker), std::move(setting), role,
          [settings](uint64_t seed) {
            return std::make_unique<Breaker>(settings, seed);
          }};
}

void AddSreThrottling(std::vector<Contestant>* all) {
  constexpr absl::string_view kName = "SRE throttling";
  SreThrottlingSettings s;
  all->push_back(MakeSeeded<SreThrottling>(kName, std::string(kDefault),
                                           Role::kPeerDefault, s));
  for (const double k : {1.1, 1.5, 2.0, 3.0}) {
    for (const double window : {5.0, 30.0, 120.0}) {
      s.k = k;
      s.window = Seconds(window);
      all->push_back(MakeSeeded<SreThrottling>(
          kName, absl::StrFormat("K %g, %g s", k, window), Role::kPeerGrid, s));
    }
  }
}

void AddFinagle(std::vector<Contestant>* all) {
  all->push_back(MakeSeeded<Finagle>("Finagle", std::string(kDefault),
                                     Role::kPeerDefault, FinagleSettings()));
}

void AddLinkerd(std::vector<Contestant>* all) {
  all->push_back(MakeSeeded<Linkerd>("Linkerd", std::string(kDefault),
                                     Role::kPeerDefault, LinkerdSettings()));
}

}  // namespace

void AddPeers(std::vector<Contestant>* all) {
  AddAutoBreakerGo(all);
  AddGobreaker(all);
  AddResilience4j(all);
  AddPolly(all);
  AddEnvoy(all);
  AddFinagle(all);
  AddLinkerd(all);
  AddSreThrottling(all);
}

}  // namespace autobreaker::decisions
