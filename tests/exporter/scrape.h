// What a collector answers, as one map.
#ifndef AUTOBREAKER_TESTS_EXPORTER_SCRAPE_H_
#define AUTOBREAKER_TESTS_EXPORTER_SCRAPE_H_

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace autobreaker {

// One scrape: the value of each sample, by "metric" or "metric{label=value,..}"
// with the labels beyond name, service and method. Of a histogram, the number
// of calls.
using Scrape = std::map<std::string, double>;

inline double ValueOf(prometheus::MetricType type,
                      const prometheus::ClientMetric& metric) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return metric.counter.value;
    case prometheus::MetricType::Histogram:
      return static_cast<double>(metric.histogram.sample_count);
    default:
      return metric.gauge.value;
  }
}

// Expects no sample twice.
inline Scrape Flatten(const std::vector<prometheus::MetricFamily>& families) {
  Scrape scrape;
  for (const prometheus::MetricFamily& family : families) {
    for (const auto& metric : family.metric) {
      std::vector<std::string> more;
      for (const auto& [name, value] : metric.label) {
        if (name == "name" || name == "service" || name == "method") continue;
        more.push_back(absl::StrCat(name, "=", value));
      }
      std::string sample(absl::StripPrefix(family.name, "circuit_breaker_"));
      if (!more.empty()) {
        absl::StrAppend(&sample, "{", absl::StrJoin(more, ","), "}");
      }
      EXPECT_TRUE(scrape.emplace(sample, ValueOf(family.type, metric)).second)
          << sample << " is there twice";
    }
  }
  return scrape;
}

// Whether admitted calls are those that ended and those that did not.
inline bool Adds(Scrape& scrape) {
  return scrape["requests_total"] ==
         scrape["successes_total"] + scrape["failures_total"] +
             scrape["ignored_total"] + scrape["abandoned_total"] +
             scrape["in_flight"];
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_EXPORTER_SCRAPE_H_
