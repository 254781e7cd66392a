#include "autobreaker/exporter/collector_options.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"

namespace autobreaker {
namespace {

std::string ErrorOf(const CollectorOptions& options) {
  const absl::Status status = options.Validate();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(CollectorOptionsTest, DefaultsAreValid) {
  EXPECT_TRUE(CollectorOptions().Validate().ok());
}

TEST(CollectorOptionsTest, TakesEveryNameThatPrometheusTakes) {
  CollectorOptions options;
  options.prefix = "_job:Breaker9_";
  options.name_label = "_";
  options.service_label = "grpc_service";
  options.method_label = "M9";
  options.constant_labels = {{"name", "free now"}, {"caf", "caf\xC3\xA9\n"}};
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
}

TEST(CollectorOptionsTest, RefusesPrefixesThatMakeNoMetricName) {
  CollectorOptions options;
  for (const char* prefix : {"", "9_", "a-b_", "a b_", "caf\xC3\xA9_"}) {
    options.prefix = prefix;
    EXPECT_FALSE(options.Validate().ok()) << prefix;
  }
  options.prefix = "9_";
  EXPECT_EQ(ErrorOf(options),
            "prefix is \"9_\", must be letters, digits, _ and :, and begin "
            "with no digit");
}

TEST(CollectorOptionsTest, RefusesLabelsThatPrometheusRefuses) {
  CollectorOptions options;
  for (const char* label : {"", "9", "a:b", "a-b", "__name__"}) {
    options.method_label = label;
    EXPECT_FALSE(options.Validate().ok()) << label;
    options.method_label = "method";
    options.partition_label = label;
    EXPECT_FALSE(options.Validate().ok()) << label;
    options.partition_label = "partition";
    options.constant_labels = {{label, "value"}};
    EXPECT_FALSE(options.Validate().ok()) << label;
    options.constant_labels.clear();
  }
  options.service_label = "a-b";
  EXPECT_EQ(ErrorOf(options),
            "service_label is \"a-b\", must be letters, digits and _, and "
            "begin with no digit and no __");
}

TEST(CollectorOptionsTest, RefusesALabelTwice) {
  CollectorOptions options;
  options.service_label = "name";
  EXPECT_EQ(ErrorOf(options),
            "service_label is \"name\", must be a label of no other use");
  options = CollectorOptions();
  options.constant_labels = {{"method", "any"}};
  EXPECT_EQ(ErrorOf(options),
            "a key of constant_labels is \"method\", must be a label of no "
            "other use");
}

TEST(CollectorOptionsTest, RefusesLabelsThatMetricsHaveThemselves) {
  for (const char* label :
       {"code", "from", "le", "reason", "result", "state", "to"}) {
    CollectorOptions options;
    options.name_label = label;
    EXPECT_FALSE(options.Validate().ok()) << label;
  }
}

TEST(CollectorOptionsTest, RefusesValuesThatWouldNotArrive) {
  CollectorOptions options;
  options.constant_labels = {{"team", ""}};
  EXPECT_EQ(ErrorOf(options),
            "constant_labels[\"team\"] is \"\", must be UTF-8 without U+FFFD, "
            "not empty");
  options.constant_labels = {{"team", "\xFF"}};
  EXPECT_EQ(ErrorOf(options),
            "constant_labels[\"team\"] is \"\\xff\", must be UTF-8 without "
            "U+FFFD, not empty");
}

TEST(CollectorOptionsTest, NamesEveryBadField) {
  CollectorOptions options;
  options.prefix = "";
  options.name_label = "to";
  const std::string error = ErrorOf(options);
  EXPECT_NE(error.find("prefix"), std::string::npos);
  EXPECT_NE(error.find("name_label"), std::string::npos);
}

}  // namespace
}  // namespace autobreaker
