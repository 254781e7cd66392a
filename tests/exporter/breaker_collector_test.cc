#include "autobreaker/exporter/breaker_collector.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "autobreaker/tests/exporter/scrape.h"

namespace autobreaker {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// Whether its samples are without a breaker's labels.
bool IsOfTheRegistry(const MetricFamily& family) {
  return absl::StartsWith(family.name, "circuit_breaker_breakers") ||
         absl::StartsWith(family.name, "circuit_breaker_config_") ||
         absl::StartsWith(family.name, "circuit_breaker_removed_") ||
         family.name == "circuit_breaker_collect_duration_seconds";
}

// What is told of breakers that are gone, where none is.
Scrape WithNoneRemoved(Scrape scrape) {
  for (const char* const reason : {"program", "room"}) {
    scrape[absl::StrCat("removed_breakers_total{reason=", reason, "}")] = 0;
  }
  for (const char* const result :
       {"abandoned", "failure", "ignored", "rejected", "success"}) {
    scrape[absl::StrCat("removed_calls_total{result=", result, "}")] = 0;
  }
  return scrape;
}

// A registry with one breaker, which trips at more than half of four calls.
class BreakerCollectorTest : public testing::Test {
 protected:
  BreakerCollectorTest() {
    options_.trip.failure_rate_threshold = 0.5;
    options_.trip.minimum_calls = 4;
    options_.open.duration_jitter = 0;
    RegistryOptions registry_options;
    registry_options.defaults = options_;
    registry_options.max_breakers = 2;
    registry_options.instruments.clock = &clock_;
    registry_ = *BreakerRegistry::Create(registry_options);
    collector_ = *BreakerCollector::Create(registry_);
    breaker_ = registry_->GetOrCreate({"payments", "shop.Shop", "PlaceOrder"});
  }

  void Call(Outcome outcome) { breaker_->TryAcquire().Record(outcome); }
  void Succeed(int times = 1) {
    for (int i = 0; i < times; ++i) Call(Outcome::kSuccess);
  }
  void Fail(int times = 1) {
    for (int i = 0; i < times; ++i) Call(Outcome::kFailure);
  }
  void Trip() { Fail(4); }
  void BecomeHalfOpen() { clock_.Advance(options_.open.duration); }
  void Recover() {
    BecomeHalfOpen();
    Succeed(static_cast<int>(*options_.half_open.successes_to_close));
  }

  // As a configuration does.
  void LeaveUnguarded(const BreakerKey& scope, bool unguarded = true) {
    BreakerPolicy policy;
    policy.options = options_;
    policy.unguarded = unguarded;
    ASSERT_TRUE(registry_->Apply({{scope, policy}}).ok());
  }

  Scrape Collect() const { return Flatten(collector_->Collect()); }
  std::string Text() const {
    return prometheus::TextSerializer().Serialize(collector_->Collect());
  }

  FakeClock clock_;
  BreakerOptions options_ = RateOptions();
  std::shared_ptr<BreakerRegistry> registry_;
  std::shared_ptr<BreakerCollector> collector_;
  std::shared_ptr<RegisteredBreaker> breaker_;
};

TEST_F(BreakerCollectorTest, HasEveryFamilyOnceWithItsType) {
  registry_->config_reloads().Record(true, clock_.WallNow());
  std::map<std::string, MetricType> types;
  for (const MetricFamily& family : collector_->Collect()) {
    EXPECT_TRUE(types.emplace(family.name, family.type).second) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    // prometheus-cpp writes it as it is.
    EXPECT_EQ(family.help.find_first_of("\\\n"), std::string::npos);
  }
  const MetricType counter = MetricType::Counter;
  const MetricType gauge = MetricType::Gauge;
  const std::map<std::string, MetricType> expected = {
      {"circuit_breaker_abandoned_total", counter},
      {"circuit_breaker_breakers", gauge},
      {"circuit_breaker_breakers_overflow_total", counter},
      {"circuit_breaker_callback_exceptions_total", counter},
      {"circuit_breaker_collect_duration_seconds", gauge},
      {"circuit_breaker_config_last_reload_success_timestamp_seconds", gauge},
      {"circuit_breaker_config_last_reload_successful", gauge},
      {"circuit_breaker_config_reloads_total", counter},
      {"circuit_breaker_config_unmatched_names", gauge},
      {"circuit_breaker_consecutive_failures", gauge},
      {"circuit_breaker_consecutive_successes", gauge},
      {"circuit_breaker_evidence", gauge},
      {"circuit_breaker_failure_rate", gauge},
      {"circuit_breaker_failures_total", counter},
      {"circuit_breaker_ignored_total", counter},
      {"circuit_breaker_in_flight", gauge},
      {"circuit_breaker_last_transition_timestamp_seconds", gauge},
      {"circuit_breaker_late_results_total", counter},
      {"circuit_breaker_lost_transitions_total", counter},
      {"circuit_breaker_max_calls_in_flight", gauge},
      {"circuit_breaker_mode", gauge},
      {"circuit_breaker_open_remaining_seconds", gauge},
      {"circuit_breaker_rejected_total", counter},
      {"circuit_breaker_removed_breakers_total", counter},
      {"circuit_breaker_removed_calls_total", counter},
      {"circuit_breaker_requests_total", counter},
      {"circuit_breaker_shadow_rejected_total", counter},
      {"circuit_breaker_slow_calls_total", counter},
      {"circuit_breaker_state", gauge},
      {"circuit_breaker_success_rate", gauge},
      {"circuit_breaker_successes_total", counter},
      {"circuit_breaker_transitions_total", counter},
      {"circuit_breaker_trips_total", counter},
      {"circuit_breaker_unpartitioned_total", counter},
      {"circuit_breaker_window_failures", gauge},
      {"circuit_breaker_window_requests", gauge},
  };
  EXPECT_EQ(types, expected);
}

TEST_F(BreakerCollectorTest, OneFamilyHoldsAllBreakers) {
  registry_->config_reloads().Record(true, clock_.WallNow());
  registry_->GetOrCreate({"payments", "shop.Shop", "GetPrice"});
  std::set<std::string> names;
  for (const MetricFamily& family : collector_->Collect()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    if (IsOfTheRegistry(family)) continue;
    std::set<std::string> methods;
    for (const auto& metric : family.metric) {
      ASSERT_GE(metric.label.size(), 3u);
      EXPECT_EQ(metric.label[0].name, "name");
      EXPECT_EQ(metric.label[0].value, "payments");
      EXPECT_EQ(metric.label[1].name, "service");
      EXPECT_EQ(metric.label[1].value, "shop.Shop");
      EXPECT_EQ(metric.label[2].name, "method");
      methods.insert(metric.label[2].value);
    }
    EXPECT_EQ(methods, (std::set<std::string>{"GetPrice", "PlaceOrder"}))
        << family.name;
  }
}

TEST_F(BreakerCollectorTest, LabelsThePartitionOfThoseThatHaveOne) {
  registry_->GetOrCreate({"payments", "shop.Shop", "PlaceOrder", "tenant-7"});
  int with = 0;
  int without = 0;
  for (const MetricFamily& family : collector_->Collect()) {
    if (IsOfTheRegistry(family)) continue;
    for (const auto& metric : family.metric) {
      if (metric.label.size() > 3 && metric.label[3].name == "partition") {
        EXPECT_EQ(metric.label[3].value, "tenant-7");
        ++with;
      } else {
        ++without;
      }
    }
  }
  EXPECT_EQ(with, without);
  EXPECT_GT(with, 0);
}

TEST_F(BreakerCollectorTest, HasEverySampleFromTheStart) {
  Scrape scrape = Collect();
  for (const char* rate : {"evidence", "failure_rate", "success_rate"}) {
    EXPECT_TRUE(std::isnan(scrape.at(rate))) << "nothing to tell";
    scrape.erase(rate);
  }
  const Scrape expected = WithNoneRemoved({
      {"abandoned_total", 0},
      {"breakers", 1},
      {"breakers_overflow_total", 0},
      {"callback_exceptions_total", 0},
      {"collect_duration_seconds", 0},
      {"consecutive_failures", 0},
      {"consecutive_successes", 0},
      {"failures_total", 0},
      {"ignored_total", 0},
      {"in_flight", 0},
      {"last_transition_timestamp_seconds",
       absl::ToDoubleSeconds(clock_.WallNow() - absl::UnixEpoch())},
      {"late_results_total", 0},
      {"lost_transitions_total", 0},
      {"max_calls_in_flight", std::numeric_limits<double>::infinity()},
      {"mode", 0},
      {"open_remaining_seconds", 0},
      {"rejected_total{reason=forced_open}", 0},
      {"rejected_total{reason=half_open}", 0},
      {"rejected_total{reason=open}", 0},
      {"rejected_total{reason=ramp}", 0},
      {"rejected_total{reason=too_many_calls}", 0},
      {"requests_total", 0},
      {"shadow_rejected_total{reason=half_open}", 0},
      {"shadow_rejected_total{reason=open}", 0},
      {"shadow_rejected_total{reason=ramp}", 0},
      {"shadow_rejected_total{reason=too_many_calls}", 0},
      {"slow_calls_total", 0},
      {"state", 0},
      {"successes_total", 0},
      {"transitions_total{from=closed,to=half_open}", 0},
      {"transitions_total{from=closed,to=open}", 0},
      {"transitions_total{from=half_open,to=closed}", 0},
      {"transitions_total{from=half_open,to=open}", 0},
      {"transitions_total{from=open,to=closed}", 0},
      {"transitions_total{from=open,to=half_open}", 0},
      {"trips_total{reason=consecutive_failures}", 0},
      {"unpartitioned_total", 0},
      {"trips_total{reason=evidence}", 0},
      {"trips_total{reason=failure_rate}", 0},
      {"trips_total{reason=forced}", 0},
      {"trips_total{reason=probe_failed}", 0},
      {"trips_total{reason=probe_slow}", 0},
      {"trips_total{reason=slow_call_rate}", 0},
      {"window_failures", 0},
      {"window_requests", 0},
  });
  EXPECT_EQ(scrape, expected);
}

TEST_F(BreakerCollectorTest, CountsEachOutcome) {
  Succeed(5);
  Fail(2);
  for (int i = 0; i < 3; ++i) Call(Outcome::kIgnored);
  Call(Outcome::kAbandoned);
  const Permit first = breaker_->TryAcquire();
  const Permit second = breaker_->TryAcquire();
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["requests_total"], 13);
  EXPECT_EQ(scrape["successes_total"], 5);
  EXPECT_EQ(scrape["failures_total"], 2);
  EXPECT_EQ(scrape["ignored_total"], 3);
  EXPECT_EQ(scrape["abandoned_total"], 1);
  EXPECT_EQ(scrape["in_flight"], 2);
}

TEST_F(BreakerCollectorTest, TellsRatesAndRows) {
  Succeed(3);
  Fail();
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["failure_rate"], 0.25);
  EXPECT_EQ(scrape["success_rate"], 0.75);
  EXPECT_EQ(scrape["consecutive_failures"], 1);
  EXPECT_EQ(scrape["consecutive_successes"], 0);
  Succeed(4);
  scrape = Collect();
  EXPECT_EQ(scrape["failure_rate"], 0.125);
  EXPECT_EQ(scrape["success_rate"], 0.875);
  EXPECT_EQ(scrape["consecutive_failures"], 0);
  EXPECT_EQ(scrape["consecutive_successes"], 4);
}

TEST_F(BreakerCollectorTest, RatesAreNaNOnceTheWindowIsEmptyAgain) {
  Succeed();
  clock_.Advance(options_.trip.window * 2);
  Scrape scrape = Collect();
  EXPECT_TRUE(std::isnan(scrape["failure_rate"]));
  EXPECT_TRUE(std::isnan(scrape["success_rate"]));
  EXPECT_TRUE(absl::StrContains(Text(), "method=\"PlaceOrder\"} Nan"));
}

TEST_F(BreakerCollectorTest, TellsTheStateByItsNumber) {
  EXPECT_EQ(Collect()["state"], 0);
  Trip();
  EXPECT_EQ(Collect()["state"], 1);
  BecomeHalfOpen();
  EXPECT_EQ(Collect()["state"], 2);
}

TEST_F(BreakerCollectorTest, TheRateThatTrippedStaysWhileOpen) {
  Succeed(2);
  Fail(3);
  ASSERT_EQ(Collect()["state"], 1);
  clock_.Advance(options_.open.duration - absl::Seconds(1));
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["state"], 1);
  EXPECT_EQ(scrape["failure_rate"], 0.6);
  EXPECT_EQ(scrape["success_rate"], 0.4);
  EXPECT_EQ(scrape["consecutive_failures"], 3);
}

TEST_F(BreakerCollectorTest, CountsRefusalsByReason) {
  Trip();
  EXPECT_FALSE(breaker_->TryAcquire());
  BecomeHalfOpen();
  std::vector<Permit> probes(options_.half_open.max_calls);
  for (Permit& probe : probes) probe = breaker_->TryAcquire();
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(breaker_->TryAcquire());
  breaker_->SetMode(Mode::kForcedOpen);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(breaker_->TryAcquire());
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["rejected_total{reason=open}"], 1);
  EXPECT_EQ(scrape["rejected_total{reason=half_open}"], 2);
  EXPECT_EQ(scrape["rejected_total{reason=forced_open}"], 3);
  EXPECT_EQ(scrape["requests_total"], 4 + options_.half_open.max_calls);
}

TEST_F(BreakerCollectorTest, CountsWhatShadowModeWouldHaveRefused) {
  breaker_->SetMode(Mode::kShadow);
  Trip();
  Succeed();
  BecomeHalfOpen();
  std::vector<Permit> calls(options_.half_open.max_calls + 2);
  for (Permit& call : calls) call = breaker_->TryAcquire();
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["shadow_rejected_total{reason=open}"], 1);
  EXPECT_EQ(scrape["shadow_rejected_total{reason=half_open}"], 2);
  EXPECT_EQ(scrape["rejected_total{reason=open}"], 0);
  EXPECT_EQ(scrape["rejected_total{reason=half_open}"], 0);
}

TEST_F(BreakerCollectorTest, ShowsTheCapAndWhatItRefused) {
  options_.max_calls_in_flight = 2;
  ASSERT_TRUE(breaker_->UpdateOptions(options_).ok());
  std::vector<Permit> calls(3);
  for (Permit& call : calls) call = breaker_->TryAcquire();
  breaker_->SetMode(Mode::kShadow);
  for (int i = 0; i < 2; ++i) breaker_->TryAcquire();
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["max_calls_in_flight"], 2);
  EXPECT_EQ(scrape["in_flight"], 2);
  EXPECT_EQ(scrape["rejected_total{reason=too_many_calls}"], 1);
  EXPECT_EQ(scrape["shadow_rejected_total{reason=too_many_calls}"], 2);
}

TEST_F(BreakerCollectorTest, CountsTransitionsByPair) {
  Trip();            // closed to open
  BecomeHalfOpen();  // open to half-open
  Fail();            // and back
  clock_.Advance(options_.open.duration_max);
  Succeed(static_cast<int>(
      *options_.half_open.successes_to_close));  // half-open, closed
  Trip();
  breaker_->SetMode(Mode::kForcedClosed);  // open to closed
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["transitions_total{from=closed,to=open}"], 2);
  EXPECT_EQ(scrape["transitions_total{from=open,to=half_open}"], 2);
  EXPECT_EQ(scrape["transitions_total{from=half_open,to=open}"], 1);
  EXPECT_EQ(scrape["transitions_total{from=half_open,to=closed}"], 1);
  EXPECT_EQ(scrape["transitions_total{from=open,to=closed}"], 1);
  EXPECT_EQ(scrape["transitions_total{from=closed,to=half_open}"], 0);
}

TEST_F(BreakerCollectorTest, CountsTripsByReason) {
  Trip();
  BecomeHalfOpen();
  Fail();
  clock_.Advance(options_.open.duration_max);
  Succeed(static_cast<int>(*options_.half_open.successes_to_close));
  breaker_->SetMode(Mode::kForcedOpen);
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["trips_total{reason=failure_rate}"], 1);
  EXPECT_EQ(scrape["trips_total{reason=probe_failed}"], 1);
  EXPECT_EQ(scrape["trips_total{reason=forced}"], 1);
  EXPECT_EQ(scrape["trips_total{reason=consecutive_failures}"], 0);
}

TEST_F(BreakerCollectorTest, CountsWhatCallbacksThrow) {
  breaker_->handling().CountException();
  EXPECT_EQ(Collect()["callback_exceptions_total"], 1);
}

TEST_F(BreakerCollectorTest, CountsLateResults) {
  Permit late = breaker_->TryAcquire();
  Trip();
  late.Record(Outcome::kFailure);
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["late_results_total"], 1);
  EXPECT_EQ(scrape["failures_total"], 5);
}

TEST_F(BreakerCollectorTest, TellsTheModeByItsNumber) {
  for (const auto& [mode, number] :
       std::map<Mode, double>{{Mode::kForcedOpen, 1},
                              {Mode::kForcedClosed, 2},
                              {Mode::kShadow, 3},
                              {Mode::kAutomatic, 0}}) {
    breaker_->SetMode(mode);
    EXPECT_EQ(Collect()["mode"], number) << ToString(mode);
  }
}

TEST_F(BreakerCollectorTest, TellsTheCallsThatTheRatesAreMadeOf) {
  Succeed(3);
  Fail();
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["window_requests"], 4);
  EXPECT_EQ(scrape["window_failures"], 1);
  clock_.Advance(options_.trip.window * 2);
  scrape = Collect();
  EXPECT_EQ(scrape["window_requests"], 0);
  EXPECT_EQ(scrape["window_failures"], 0);
}

TEST_F(BreakerCollectorTest, TheCallsThatTrippedStayWhileOpen) {
  Succeed(2);
  Fail(3);
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["window_requests"], 5);
  EXPECT_EQ(scrape["window_failures"], 3);
}

TEST_F(BreakerCollectorTest, CountsSlowCalls) {
  options_.trip.slow_call_duration = absl::Seconds(1);
  options_.trip.slow_call_rate_threshold = 1;
  ASSERT_TRUE(breaker_->UpdateOptions(options_).ok());
  Succeed();
  Permit slow = breaker_->TryAcquire();
  clock_.Advance(absl::Seconds(1));
  slow.Record(Outcome::kSuccess);
  EXPECT_EQ(Collect()["slow_calls_total"], 1);
}

TEST_F(BreakerCollectorTest, TellsWhenTheStateChangedLast) {
  clock_.Advance(absl::Seconds(7));
  Trip();
  const double tripped =
      absl::ToDoubleSeconds(clock_.WallNow() - absl::UnixEpoch());
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Collect()["last_transition_timestamp_seconds"], tripped);
}

TEST_F(BreakerCollectorTest, TellsTheTimeUntilProbes) {
  Trip();
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Collect()["open_remaining_seconds"],
            absl::ToDoubleSeconds(options_.open.duration) - 1);
  clock_.Advance(options_.open.duration);
  EXPECT_EQ(Collect()["open_remaining_seconds"], 0);
  breaker_->SetMode(Mode::kForcedOpen);
  EXPECT_EQ(Collect()["open_remaining_seconds"],
            std::numeric_limits<double>::infinity());
}

TEST_F(BreakerCollectorTest, CountsBreakersAndCallsBeyondThem) {
  const auto held = registry_->GetOrCreate({"a", "b", "c"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(registry_->GetOrCreate({"no", "room", "left"}), nullptr);
  }
  const std::string text = Text();
  EXPECT_TRUE(absl::StrContains(text, "\ncircuit_breaker_breakers 2\n"));
  EXPECT_TRUE(
      absl::StrContains(text, "\ncircuit_breaker_breakers_overflow_total 3\n"));
}

TEST_F(BreakerCollectorTest, FollowsTheRegistry) {
  EXPECT_TRUE(registry_->Remove(breaker_->key()));
  Scrape expected = WithNoneRemoved({{"breakers", 0},
                                     {"breakers_overflow_total", 0},
                                     {"collect_duration_seconds", 0}});
  expected["removed_breakers_total{reason=program}"] = 1;
  EXPECT_EQ(Collect(), expected);
}

TEST_F(BreakerCollectorTest, TellsWhatBreakersCountedThatAreGone) {
  Succeed(2);
  Call(Outcome::kFailure);
  breaker_->SetMode(Mode::kForcedOpen);
  Call(Outcome::kSuccess);
  registry_->Remove(breaker_->key());
  for (const char* const name : {"b", "c", "d"}) registry_->GetOrCreate({name});
  for (const char* const name : {"c", "d"}) registry_->Remove({name});
  const Scrape scrape = Collect();
  EXPECT_EQ(scrape.at("removed_breakers_total{reason=program}"), 3);
  EXPECT_EQ(scrape.at("removed_breakers_total{reason=room}"), 1);
  EXPECT_EQ(scrape.at("removed_calls_total{result=success}"), 2);
  EXPECT_EQ(scrape.at("removed_calls_total{result=failure}"), 1);
  EXPECT_EQ(scrape.at("removed_calls_total{result=rejected}"), 1);
}

TEST_F(BreakerCollectorTest, HasNothingOnConfigurationsBeforeTheFirst) {
  for (const MetricFamily& family : collector_->Collect()) {
    EXPECT_FALSE(absl::StrContains(family.name, "config")) << family.name;
  }
}

TEST_F(BreakerCollectorTest, TellsHowLoadsOfTheConfigurationWent) {
  clock_.Advance(absl::Seconds(7));
  const double loaded =
      absl::ToDoubleSeconds(clock_.WallNow() - absl::UnixEpoch());
  registry_->config_reloads().Record(true, clock_.WallNow());
  Scrape scrape = Collect();
  EXPECT_EQ(scrape["config_last_reload_successful"], 1);
  EXPECT_EQ(scrape["config_last_reload_success_timestamp_seconds"], loaded);
  EXPECT_EQ(scrape["config_reloads_total{result=success}"], 1);
  EXPECT_EQ(scrape.at("config_reloads_total{result=failure}"), 0);
  clock_.Advance(absl::Seconds(7));
  registry_->config_reloads().Record(false, clock_.WallNow());
  registry_->config_reloads().Record(false, clock_.WallNow());
  scrape = Collect();
  EXPECT_EQ(scrape["config_last_reload_successful"], 0);
  EXPECT_EQ(scrape["config_last_reload_success_timestamp_seconds"], loaded);
  EXPECT_EQ(scrape["config_reloads_total{result=success}"], 1);
  EXPECT_EQ(scrape["config_reloads_total{result=failure}"], 2);
}

TEST_F(BreakerCollectorTest, CountsNamesThatStandForNoBreaker) {
  registry_->config_reloads().Record(true, clock_.WallNow());
  EXPECT_EQ(Collect().at("config_unmatched_names"), 0);
  BreakerPolicy policy;
  ASSERT_TRUE(registry_
                  ->Apply({{{"", "shop.Shop", ""}, policy},
                           {{"", "shop.Shpo", ""}, policy}})
                  .ok());
  EXPECT_EQ(Collect().at("config_unmatched_names"), 1);
}

TEST_F(BreakerCollectorTest, TheTimeOfALoadIsZeroBeforeOneSucceeds) {
  registry_->config_reloads().Record(false, clock_.WallNow());
  Scrape scrape = Collect();
  EXPECT_EQ(scrape.at("config_last_reload_successful"), 0);
  EXPECT_EQ(scrape.at("config_last_reload_success_timestamp_seconds"), 0);
  EXPECT_EQ(scrape.at("config_reloads_total{result=success}"), 0);
  EXPECT_EQ(scrape.at("config_reloads_total{result=failure}"), 1);
}

TEST_F(BreakerCollectorTest, AnUnguardedBreakerIsNotShown) {
  LeaveUnguarded(breaker_->key());
  const Scrape expected = WithNoneRemoved({{"breakers", 1},
                                           {"breakers_overflow_total", 0},
                                           {"collect_duration_seconds", 0}});
  EXPECT_EQ(Collect(), expected);
}

TEST_F(BreakerCollectorTest, OthersAreShownBesideAnUnguardedBreaker) {
  registry_->GetOrCreate({"a", "b", "c"});
  LeaveUnguarded({"a", "b", "c"});
  EXPECT_TRUE(absl::StrContains(Text(), "method=\"PlaceOrder\""));
  EXPECT_FALSE(absl::StrContains(Text(), "method=\"c\""));
  EXPECT_EQ(Collect()["breakers"], 2);
}

TEST_F(BreakerCollectorTest, ABreakerThatGuardsAgainHasItsCounts) {
  Succeed(5);
  LeaveUnguarded(breaker_->key());
  LeaveUnguarded(breaker_->key(), /*unguarded=*/false);
  EXPECT_EQ(Collect()["successes_total"], 5);
}

// Counters must be told apart from gauges by type: ones that went back would
// show as resets in rate().
TEST_F(BreakerCollectorTest, CountersNeverGoBack) {
  std::map<std::string, double> before;
  const auto scrape = [this, &before](const char* after) {
    int higher = 0;
    for (const MetricFamily& family : collector_->Collect()) {
      if (family.type != MetricType::Counter) continue;
      for (const auto& [sample, value] : Flatten({family})) {
        EXPECT_GE(value, before[sample]) << sample << " after " << after;
        if (value > before[sample]) ++higher;
        before[sample] = value;
      }
    }
    return higher;
  };
  Succeed(2);
  EXPECT_GT(scrape("calls"), 0);
  clock_.Advance(options_.trip.window * 3);
  EXPECT_EQ(scrape("the window passed"), 0);
  Permit late = breaker_->TryAcquire();
  Trip();
  EXPECT_GT(scrape("the trip"), 0);
  late.Record(Outcome::kSuccess);
  EXPECT_FALSE(breaker_->TryAcquire());
  EXPECT_GT(scrape("a refusal and a late result"), 0);
  BecomeHalfOpen();
  Fail();
  EXPECT_GT(scrape("a failed probe"), 0);
  clock_.Advance(options_.open.duration_max);
  Succeed(static_cast<int>(*options_.half_open.successes_to_close));
  EXPECT_GT(scrape("recovery"), 0);
  options_.trip.window = options_.trip.window * 2;
  ASSERT_TRUE(breaker_->UpdateOptions(options_).ok());
  EXPECT_EQ(scrape("the update"), 0);
  for (const Mode mode : {Mode::kForcedOpen, Mode::kShadow, Mode::kForcedClosed,
                          Mode::kAutomatic}) {
    breaker_->SetMode(mode);
    Succeed();
    Fail();
    EXPECT_GT(scrape(std::string(ToString(mode)).c_str()), 0);
  }
}

TEST_F(BreakerCollectorTest, EscapesWhatNamesMayHold) {
  registry_->GetOrCreate({"a\"b\\c\nd", "caf\xC3\xA9", "bad \xFF byte"});
  EXPECT_TRUE(absl::StrContains(
      Text(),
      "circuit_breaker_state{name=\"a\\\"b\\\\c\\nd\",service=\"caf\xC3\xA9\","
      "method=\"bad \xEF\xBF\xBD"
      "ff byte\"} 0\n"));
}

TEST_F(BreakerCollectorTest, PromtoolAcceptsTheText) {
  registry_->config_reloads().Record(true, clock_.WallNow());
  // Every value there is: NaN, fractions, and names that need care.
  registry_->GetOrCreate({"a\"b\\c\nd\t\r", "caf\xC3\xA9", "bad \xFF byte"});
  Succeed(2);
  Fail(3);
  const std::string path = testing::TempDir() + "/metrics";
  std::ofstream(path) << Text();
  EXPECT_EQ(std::system(absl::StrCat("promtool check metrics <", path).c_str()),
            0);
}

}  // namespace
}  // namespace autobreaker
