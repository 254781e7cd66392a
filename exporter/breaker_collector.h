// Shows the breakers of a registry to Prometheus.
//
//   auto collector = std::make_shared<BreakerCollector>(registry);
//   prometheus::Exposer exposer("127.0.0.1:8080");
//   exposer.RegisterCollectable(collector);
//
// Keep `collector` as long as the metrics are to be seen: the exposer has only
// a weak_ptr, and leaves out without a word what is gone.
//
// Register one collector per registry with an exposer, and one registry if you
// can: it serves as many channels as you like. A second collector repeats the
// families of the first, which Prometheus's text format does not allow.
//
// Metrics are named circuit_breaker_*. All but those of the registry itself
// have the labels name, service and method. Everything is read when it is
// collected; nothing is done here while calls are made.
//
// Thread-safety: Collect() may be called from any thread at once.
#ifndef AUTOBREAKER_EXPORTER_BREAKER_COLLECTOR_H_
#define AUTOBREAKER_EXPORTER_BREAKER_COLLECTOR_H_

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <memory>
#include <vector>

#include "breaker/registry.h"

namespace autobreaker {

class BreakerCollector final : public prometheus::Collectable {
 public:
  // REQUIRES: registry != nullptr. Shares ownership of the registry.
  explicit BreakerCollector(std::shared_ptr<const BreakerRegistry> registry);

  // One family per metric, each with every breaker, from one snapshot of each.
  // Like every look at a breaker it brings its state up to date, so a breaker
  // whose open time is over is shown half-open even if nobody calls.
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::shared_ptr<const BreakerRegistry> registry_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_EXPORTER_BREAKER_COLLECTOR_H_
