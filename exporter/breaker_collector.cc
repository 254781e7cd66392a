#include "autobreaker/exporter/breaker_collector.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/instruments.h"
#include "autobreaker/breaker/internal/exceptions.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// One more label of a sample.
struct Label {
  const char* name;
  absl::string_view value;
};

// Adds the samples of one breaker to a family.
class Samples {
 public:
  Samples(const Labels& breaker, MetricFamily* family)
      : breaker_(breaker), family_(family) {}

  void Add(double value, std::initializer_list<Label> more = {}) {
    ClientMetric& metric = AddMetric(more);
    if (family_->type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }

  // One sample for each enumerator from 0 up, told apart by its name.
  template <typename Enum, typename Counts>
  void AddEach(const char* label, const Counts& counts, int size) {
    for (int i = 0; i < size; ++i) {
      Add(counts[i], {{label, ToString(static_cast<Enum>(i))}});
    }
  }

  void AddHistogram(const std::vector<absl::Duration>& bounds,
                    const DurationCounts& counts,
                    std::initializer_list<Label> more) {
    ClientMetric::Histogram& histogram = AddMetric(more).histogram;
    histogram.bucket.reserve(counts.buckets.size());
    uint64_t sum = 0;
    for (size_t i = 0; i < counts.buckets.size(); ++i) {
      sum += counts.buckets[i];
      histogram.bucket.push_back(
          {sum, i < bounds.size() ? absl::ToDoubleSeconds(bounds[i])
                                  : std::numeric_limits<double>::infinity()});
    }
    histogram.sample_count = sum;
    histogram.sample_sum = counts.sum_seconds;
  }

 private:
  ClientMetric& AddMetric(std::initializer_list<Label> more) {
    ClientMetric& metric = family_->metric.emplace_back();
    metric.label.reserve(breaker_.size() + more.size());
    metric.label.assign(breaker_.begin(), breaker_.end());
    for (const Label& label : more) {
      metric.label.push_back({label.name, std::string(label.value)});
    }
    return metric;
  }

  const Labels& breaker_;
  MetricFamily* const family_;
};

struct Metric {
  const char* name;
  MetricType type;
  // Not escaped by prometheus-cpp: no backslash and no line break in it.
  const char* help;
  void (*add)(const RegisteredSnapshot&, Samples);
};

constexpr MetricType kGauge = MetricType::Gauge;
constexpr MetricType kCounter = MetricType::Counter;

constexpr Metric kMetrics[] = {
    {"state", kGauge, "State of the breaker: 0 closed, 1 open, 2 half-open.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(static_cast<int>(s.state));
     }},
    {"mode", kGauge,
     "Who decides: 0 the breaker, 1 forced open, 2 forced closed, 3 shadow.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(static_cast<int>(s.mode));
     }},
    {"requests_total", kCounter, "Calls admitted.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.requests); }},
    {"successes_total", kCounter, "Calls that succeeded.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.successes); }},
    {"failures_total", kCounter, "Calls that failed.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.failures); }},
    {"ignored_total", kCounter,
     "Calls that ended with nothing to say about the server.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.ignored); }},
    {"abandoned_total", kCounter, "Calls whose end was never told.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.abandoned); }},
    {"in_flight", kGauge, "Calls admitted that have not ended.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.in_flight); }},
    {"max_calls_in_flight", kGauge,
     "So many calls may be under way at once; +Inf if any number may.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(s.options.max_calls_in_flight.has_value()
                  ? static_cast<double>(*s.options.max_calls_in_flight)
                  : std::numeric_limits<double>::infinity());
     }},
    {"late_results_total", kCounter,
     "Successes and failures that came after the state they belonged to.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.late_results); }},
    {"slow_calls_total", kCounter,
     "Successes and failures that took slow_call_duration or longer.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.slow_calls); }},
    {"rejected_total", kCounter, "Calls refused, by what refused them.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.AddEach<RefusalReason>("reason", s.refused, kRefusalReasonCount);
     }},
    {"shadow_rejected_total", kCounter,
     "Calls that shadow mode let through and would have refused.",
     [](const RegisteredSnapshot& s, Samples to) {
       for (int i = 0; i < kRefusalReasonCount; ++i) {
         const auto reason = static_cast<RefusalReason>(i);
         // Which shadow mode does not have.
         if (reason == RefusalReason::kForcedOpen) continue;
         to.Add(s.shadow_refused[i], {{"reason", ToString(reason)}});
       }
     }},
    {"callback_exceptions_total", kCounter,
     "Exceptions that callbacks threw, which were dropped.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(s.callback_exceptions);
     }},
    {"lost_transitions_total", kCounter,
     "Changes of state that a callback which was too slow was not told of.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(s.lost_transitions);
     }},
    {"unpartitioned_total", kCounter,
     "Calls that named a partition which got no breaker of its own.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.unpartitioned); }},
    {"transitions_total", kCounter, "Changes of state.",
     [](const RegisteredSnapshot& s, Samples to) {
       for (int from = 0; from < kStateCount; ++from) {
         for (int state = 0; state < kStateCount; ++state) {
           if (state == from) continue;
           to.Add(s.transitions[from][state],
                  {{"from", ToString(static_cast<State>(from))},
                   {"to", ToString(static_cast<State>(state))}});
         }
       }
     }},
    {"trips_total", kCounter, "Changes to open, by reason.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.AddEach<TransitionReason>("reason", s.trips, kTripReasonCount);
     }},
    {"evidence", kGauge,
     "What there is of the evidence that opens the breaker, 0 to 1; NaN if it "
     "does not open on evidence.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.evidence); }},
    {"failure_rate", kGauge,
     "Share of the calls in the window that failed, 0 to 1; NaN if it is "
     "empty; while not closed, that at the trip.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.failure_rate); }},
    {"success_rate", kGauge,
     "Share of the calls in the window that succeeded, 0 to 1; NaN if it is "
     "empty; while not closed, that at the trip.",
     [](const RegisteredSnapshot& s, Samples to) { to.Add(s.success_rate); }},
    {"consecutive_successes", kGauge,
     "Successes since the last failure or change of state.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(s.consecutive_successes);
     }},
    {"consecutive_failures", kGauge,
     "Failures since the last success; while not closed, those at the trip.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(s.consecutive_failures);
     }},
    {"window_requests", kGauge,
     "Finished calls in the window; while not closed, those at the trip.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(s.window.finished());
     }},
    {"window_failures", kGauge,
     "Failed calls in the window; while not closed, those at the trip.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(s.window.failures);
     }},
    {"last_transition_timestamp_seconds", kGauge,
     "Unix time of the last change of state; at first, of the creation.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(
           absl::ToDoubleSeconds(s.last_transition_time - absl::UnixEpoch()));
     }},
    {"open_remaining_seconds", kGauge,
     "Time until probes are let through; 0 unless open, +Inf while forced "
     "open.",
     [](const RegisteredSnapshot& s, Samples to) {
       to.Add(absl::ToDoubleSeconds(s.open_remaining));
     }},
};

}  // namespace

// The collectors there are, so that no two show the same; see Create().
class BreakerCollector::Living {
 public:
  static Living& Get() {
    static auto* const living = new Living;
    return *living;
  }

  // False if one is there that shows what `collector` does.
  bool Add(const BreakerCollector* collector) {
    MutexLock lock(&mu_);
    for (const BreakerCollector* other : collectors_) {
      if (other->registry_ == collector->registry_ &&
          other->options_.prefix == collector->options_.prefix &&
          other->options_.constant_labels ==
              collector->options_.constant_labels) {
        return false;
      }
    }
    collectors_.push_back(collector);
    return true;
  }

  void Remove(const BreakerCollector* collector) {
    MutexLock lock(&mu_);
    collectors_.erase(
        std::remove(collectors_.begin(), collectors_.end(), collector),
        collectors_.end());
  }

 private:
  Mutex mu_;
  std::vector<const BreakerCollector*> collectors_ ABSL_GUARDED_BY(mu_);
};

absl::StatusOr<std::shared_ptr<BreakerCollector>> BreakerCollector::Create(
    std::shared_ptr<const BreakerRegistry> registry, CollectorOptions options) {
  if (registry == nullptr) {
    return absl::InvalidArgumentError("registry is null, must be a registry");
  }
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  std::shared_ptr<BreakerCollector> collector(
      new BreakerCollector(std::move(registry), std::move(options)));
  if (!Living::Get().Add(collector.get())) {
    return absl::AlreadyExistsError(absl::StrCat(
        "a collector with prefix \"", collector->options_.prefix,
        "\" and these constant_labels shows this registry already; register "
        "that one, with as many exposers as you like"));
  }
  return collector;
}

BreakerCollector::BreakerCollector(
    std::shared_ptr<const BreakerRegistry> registry, CollectorOptions options)
    : registry_(std::move(registry)), options_(std::move(options)) {}

BreakerCollector::~BreakerCollector() { Living::Get().Remove(this); }

std::vector<MetricFamily> BreakerCollector::Collect() const noexcept {
  std::vector<MetricFamily> families;
  // Out of memory. A scrape less is better than a program less.
  if (!EndsWell([&] { families = CollectOrThrow(); })) return {};
  return families;
}

std::vector<MetricFamily> BreakerCollector::CollectOrThrow() const {
  const Instruments& instruments = registry_->instruments();
  const MonotonicTime start = instruments.clock->Now();
  const std::vector<std::shared_ptr<RegisteredBreaker>> breakers =
      registry_->Breakers();
  Labels constant;
  for (const auto& [name, value] : options_.constant_labels) {
    constant.push_back({name, value});
  }

  std::vector<MetricFamily> families;
  families.reserve(std::size(kMetrics) + 8);
  const auto add_family = [this, &families](const char* name, MetricType type,
                                            const char* help) {
    MetricFamily& family = families.emplace_back();
    family.name = absl::StrCat(options_.prefix, name);
    family.type = type;
    family.help = help;
    return &family;
  };
  for (const Metric& metric : kMetrics) {
    add_family(metric.name, metric.type, metric.help);
  }
  MetricFamily* const durations =
      instruments.duration_buckets.empty()
          ? nullptr
          : add_family("request_duration_seconds", MetricType::Histogram,
                       "How long successes and failures took, by the state "
                       "that admitted them.");
  MetricFamily* const status_codes =
      instruments.count_status_codes
          ? add_family("status_total", kCounter,
                       "Calls that ended, by their status code.")
          : nullptr;

  bool first = true;
  for (const std::shared_ptr<RegisteredBreaker>& breaker : breakers) {
    // Calls pass it by, so what it would show is of another time.
    if (breaker->handling().unguarded()) continue;
    const RegisteredSnapshot snapshot = breaker->Snapshot();
    Labels labels = {
        {options_.name_label, ReplaceInvalidUtf8(snapshot.key.name)},
        {options_.service_label, ReplaceInvalidUtf8(snapshot.key.service)},
        {options_.method_label, ReplaceInvalidUtf8(snapshot.key.method)}};
    if (!snapshot.key.partition.empty()) {
      labels.push_back({options_.partition_label,
                        ReplaceInvalidUtf8(snapshot.key.partition)});
    }
    labels.insert(labels.end(), constant.begin(), constant.end());
    MetricFamily* family = families.data();
    for (const Metric& metric : kMetrics) {
      metric.add(snapshot, Samples(labels, family++));
    }
    for (int i = 0; durations != nullptr && i < kStateCount; ++i) {
      Samples(labels, durations)
          .AddHistogram(instruments.duration_buckets, snapshot.durations[i],
                        {{"state", ToString(static_cast<State>(i))}});
    }
    for (int code = 0; status_codes != nullptr && code < kStatusCodeCount;
         ++code) {
      Samples(labels, status_codes)
          .Add(snapshot.status_codes[code],
               {{"code", absl::StatusCodeToString(
                             static_cast<absl::StatusCode>(code))}});
    }
    // The first one tells how many samples each has.
    if (first) {
      for (MetricFamily& f : families) {
        f.metric.reserve(f.metric.size() * breakers.size());
      }
    }
    first = false;
  }

  Samples(constant, add_family("breakers", kGauge, "Breakers in the registry."))
      .Add(breakers.size());
  Samples(constant,
          add_family("breakers_overflow_total", kCounter,
                     "Calls let through without a breaker, since the registry "
                     "was full or their name too long."))
      .Add(registry_->overflow_total());
  const RemovedBreakers removed = registry_->removed_breakers();
  {
    Samples to(constant,
               add_family("removed_breakers_total", kCounter,
                          "Breakers that are no longer in the registry, by "
                          "why: they made room, or the program removed them."));
    to.Add(removed.made_room, {{"reason", "room"}});
    to.Add(removed.taken_out, {{"reason", "program"}});
  }
  {
    Samples to(constant,
               add_family("removed_calls_total", kCounter,
                          "Calls of breakers that are no longer in the "
                          "registry, by what became of them."));
    to.Add(removed.successes, {{"result", "success"}});
    to.Add(removed.failures, {{"result", "failure"}});
    to.Add(removed.ignored, {{"result", "ignored"}});
    to.Add(removed.abandoned, {{"result", "abandoned"}});
    to.Add(removed.refused, {{"result", "rejected"}});
  }
  if (const std::optional<ConfigReloads::Counts> reloads =
          registry_->config_reloads().counts()) {
    Samples(constant,
            add_family("config_last_reload_successful", kGauge,
                       "Whether the last load of the configuration succeeded: "
                       "0 it changed nothing, 1 it is in force."))
        .Add(reloads->last_succeeded);
    const absl::Time last = reloads->last_success_time;
    Samples(constant,
            add_family("config_last_reload_success_timestamp_seconds", kGauge,
                       "Unix time of the last load of the configuration that "
                       "succeeded; 0 if none has."))
        .Add(last == absl::InfinitePast()
                 ? 0
                 : absl::ToDoubleSeconds(last - absl::UnixEpoch()));
    Samples to(constant, add_family("config_reloads_total", kCounter,
                                    "Loads of the configuration, by result."));
    to.Add(reloads->succeeded, {{"result", "success"}});
    to.Add(reloads->failed, {{"result", "failure"}});
    Samples(constant,
            add_family("config_unmatched_names", kGauge,
                       "Names of the configuration that stand for no breaker: "
                       "mistyped, or of calls that were not made yet."))
        .Add(registry_->UnmatchedScopes().size());
  }
  Samples(constant, add_family("collect_duration_seconds", kGauge,
                               "Time that this collection took."))
      .Add(absl::ToDoubleSeconds(
          absl::FromChrono(instruments.clock->Now() - start)));
  return families;
}

}  // namespace autobreaker
