// Shows the breakers of a registry to Prometheus.
//
//   auto collector = BreakerCollector::Create(registry);
//   if (!collector.ok()) return collector.status();
//   exposer.RegisterCollectable(*collector);
//
// Keep the collector as long as the metrics are to be seen: the exposer has
// only a weak_ptr, and leaves out without a word what is gone.
//
// A registry has one collector, which may be registered with any number of
// exposers; one registry serves as many channels as you like. Two collectors on
// one exposer should have different prefixes. With constant labels alone to
// tell them apart, families stand in the text twice: Prometheus reads that, but
// its text format does not allow it, and promtool refuses it.
//
// What is shown is docs/metrics.md. Two families are there only if the
// registry records them: see Instruments::duration_buckets and
// count_status_codes. Three are there only if a configuration was ever loaded:
// see ConfigReloads. A breaker that its policy leaves
// unguarded is not shown until it guards again. Everything is read when it is
// collected; nothing is done here while calls are made.
//
// Thread-safety: Collect() may be called from any thread at once.
#ifndef AUTOBREAKER_EXPORTER_BREAKER_COLLECTOR_H_
#define AUTOBREAKER_EXPORTER_BREAKER_COLLECTOR_H_

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/exporter/collector_options.h"

namespace autobreaker {

class BreakerCollector final : public prometheus::Collectable {
 public:
  // Shares ownership of the registry. INVALID_ARGUMENT if `registry` is null or
  // `options` are bad; ALREADY_EXISTS if a collector lives that shows the same
  // registry under the same prefix and constant labels: register that one.
  static absl::StatusOr<std::shared_ptr<BreakerCollector>> Create(
      std::shared_ptr<const BreakerRegistry> registry,
      CollectorOptions options = {});

  ~BreakerCollector() override;

  // One family per metric, each with every breaker, from one snapshot of each.
  // Like every look at a breaker it brings its state up to date, so a breaker
  // whose open time is over is shown half-open even if nobody calls. No call
  // waits for it longer than it takes to read one breaker's counters. Never
  // throws: without the memory for it, it answers nothing.
  std::vector<prometheus::MetricFamily> Collect() const noexcept override;

 private:
  class Living;

  BreakerCollector(std::shared_ptr<const BreakerRegistry> registry,
                   CollectorOptions options);

  std::vector<prometheus::MetricFamily> CollectOrThrow() const;

  const std::shared_ptr<const BreakerRegistry> registry_;
  const CollectorOptions options_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_EXPORTER_BREAKER_COLLECTOR_H_
