#include "exporter/breaker_collector.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "breaker/circuit_breaker.h"
#include "breaker/snapshot.h"
#include "breaker/types.h"
#include "breaker/utf8.h"

namespace autobreaker {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// Adds the samples of one breaker to a family.
class Samples {
 public:
  Samples(const Labels& breaker, MetricFamily* family)
      : breaker_(breaker), family_(family) {}

  void Add(double value, const Labels& more = {}) {
    ClientMetric metric;
    metric.label = breaker_;
    metric.label.insert(metric.label.end(), more.begin(), more.end());
    if (family_->type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family_->metric.push_back(std::move(metric));
  }

  // One sample for each enumerator from 0 up, told apart by its name.
  template <typename Enum, typename Counts>
  void AddEach(const char* label, const Counts& counts, int size) {
    for (int i = 0; i < size; ++i) {
      Add(counts[i], {{label, std::string(ToString(static_cast<Enum>(i)))}});
    }
  }

 private:
  const Labels& breaker_;
  MetricFamily* const family_;
};

struct Metric {
  const char* name;
  MetricType type;
  // Not escaped by prometheus-cpp: no backslash and no line break in it.
  const char* help;
  void (*add)(const BreakerSnapshot&, Samples);
};

constexpr MetricType kGauge = MetricType::Gauge;
constexpr MetricType kCounter = MetricType::Counter;

constexpr Metric kMetrics[] = {
    {"state", kGauge, "State of the breaker: 0 closed, 1 open, 2 half-open.",
     [](const BreakerSnapshot& s, Samples to) {
       to.Add(static_cast<int>(s.state));
     }},
    {"requests_total", kCounter, "Calls admitted.",
     [](const BreakerSnapshot& s, Samples to) { to.Add(s.requests); }},
    {"successes_total", kCounter, "Calls that succeeded.",
     [](const BreakerSnapshot& s, Samples to) { to.Add(s.successes); }},
    {"failures_total", kCounter, "Calls that failed.",
     [](const BreakerSnapshot& s, Samples to) { to.Add(s.failures); }},
    {"ignored_total", kCounter,
     "Calls that ended with nothing to say about the server.",
     [](const BreakerSnapshot& s, Samples to) { to.Add(s.ignored); }},
    {"abandoned_total", kCounter, "Calls whose end was never told.",
     [](const BreakerSnapshot& s, Samples to) { to.Add(s.abandoned); }},
    {"in_flight", kGauge, "Calls admitted that have not ended.",
     [](const BreakerSnapshot& s, Samples to) { to.Add(s.in_flight); }},
    {"late_results_total", kCounter,
     "Successes and failures that came after the state they belonged to.",
     [](const BreakerSnapshot& s, Samples to) { to.Add(s.late_results); }},
    {"rejected_total", kCounter, "Calls refused, by what refused them.",
     [](const BreakerSnapshot& s, Samples to) {
       to.AddEach<RefusalReason>("reason", s.refused, kRefusalReasonCount);
     }},
    {"shadow_rejected_total", kCounter,
     "Calls that shadow mode let through and would have refused.",
     [](const BreakerSnapshot& s, Samples to) {
       static_assert(static_cast<int>(RefusalReason::kForcedOpen) == 2,
                     "the last reason, which shadow mode does not have");
       to.AddEach<RefusalReason>("reason", s.shadow_refused, 2);
     }},
    {"transitions_total", kCounter, "Changes of state.",
     [](const BreakerSnapshot& s, Samples to) {
       for (int from = 0; from < kStateCount; ++from) {
         for (int state = 0; state < kStateCount; ++state) {
           if (state == from) continue;
           to.Add(s.transitions[from][state],
                  {{"from", std::string(ToString(static_cast<State>(from)))},
                   {"to", std::string(ToString(static_cast<State>(state)))}});
         }
       }
     }},
    {"trips_total", kCounter, "Changes to open, by reason.",
     [](const BreakerSnapshot& s, Samples to) {
       to.AddEach<TransitionReason>("reason", s.trips, kTripReasonCount);
     }},
    {"failure_rate", kGauge,
     "Share of the calls in the window that failed, 0 to 1; NaN if it is "
     "empty; while not closed, that at the trip.",
     [](const BreakerSnapshot& s, Samples to) { to.Add(s.failure_rate); }},
    {"success_rate", kGauge,
     "Share of the calls in the window that succeeded, 0 to 1; NaN if it is "
     "empty; while not closed, that at the trip.",
     [](const BreakerSnapshot& s, Samples to) { to.Add(s.success_rate); }},
    {"consecutive_successes", kGauge,
     "Successes since the last failure or change of state.",
     [](const BreakerSnapshot& s, Samples to) {
       to.Add(s.consecutive_successes);
     }},
    {"consecutive_failures", kGauge,
     "Failures since the last success; while not closed, those at the trip.",
     [](const BreakerSnapshot& s, Samples to) {
       to.Add(s.consecutive_failures);
     }},
};

MetricFamily MakeFamily(absl::string_view name, MetricType type,
                        const char* help) {
  MetricFamily family;
  family.name = absl::StrCat("circuit_breaker_", name);
  family.type = type;
  family.help = help;
  return family;
}

}  // namespace

BreakerCollector::BreakerCollector(
    std::shared_ptr<const BreakerRegistry> registry)
    : registry_(std::move(registry)) {}

std::vector<MetricFamily> BreakerCollector::Collect() const {
  const std::vector<std::shared_ptr<CircuitBreaker>> breakers =
      registry_->Breakers();

  std::vector<MetricFamily> families;
  for (const Metric& metric : kMetrics) {
    families.push_back(MakeFamily(metric.name, metric.type, metric.help));
  }
  for (const std::shared_ptr<CircuitBreaker>& breaker : breakers) {
    const BreakerSnapshot snapshot = breaker->Snapshot();
    const Labels labels = {
        {"name", ReplaceInvalidUtf8(snapshot.key.name)},
        {"service", ReplaceInvalidUtf8(snapshot.key.service)},
        {"method", ReplaceInvalidUtf8(snapshot.key.method)}};
    MetricFamily* family = families.data();
    for (const Metric& metric : kMetrics) {
      metric.add(snapshot, Samples(labels, family++));
    }
  }

  families.push_back(
      MakeFamily("breakers", kGauge, "Breakers in the registry."));
  Samples({}, &families.back()).Add(breakers.size());
  families.push_back(
      MakeFamily("breakers_overflow_total", kCounter,
                 "Calls let through without a breaker, since the registry was "
                 "full or their name too long."));
  Samples({}, &families.back()).Add(registry_->overflow_total());
  return families;
}

}  // namespace autobreaker
