#include "autobreaker/interceptor/refusal_status.h"

#include <google/protobuf/unknown_field_set.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const BreakerKey kKey = {"payments", "shop.Orders", "Place"};

grpc::Status OpenFor(absl::Duration time) {
  Refusal refusal;
  refusal.reason = RefusalReason::kOpen;
  refusal.retry_after = time;
  return MakeRefusalStatus(kKey, refusal);
}

grpc::Status RefusedFor(RefusalReason reason) {
  Refusal refusal;
  refusal.reason = reason;
  return MakeRefusalStatus(kKey, refusal);
}

// A message read without its definition, by the field numbers that
// google/rpc/status.proto and google/rpc/error_details.proto publish: each
// field's values in order, numbers in decimal.
using Fields = std::map<int, std::vector<std::string>>;

Fields Decode(const std::string& bytes) {
  google::protobuf::UnknownFieldSet unknown;
  EXPECT_TRUE(unknown.ParseFromString(bytes));
  Fields fields;
  for (int i = 0; i < unknown.field_count(); ++i) {
    const google::protobuf::UnknownField& field = unknown.field(i);
    fields[field.number()].push_back(
        field.type() == google::protobuf::UnknownField::TYPE_VARINT
            ? std::to_string(field.varint())
            : std::string(field.length_delimited()));
  }
  return fields;
}

TEST(RefusalStatus, IsUnavailable) {
  EXPECT_EQ(OpenFor(absl::Seconds(1)).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST(RefusalStatus, MessageNamesBreakerStateAndTimeLeft) {
  EXPECT_EQ(OpenFor(absl::Milliseconds(3200)).error_message(),
            "circuit breaker payments for shop.Orders/Place is open; next "
            "probe in 3.2s");
}

TEST(RefusalStatus, MessageSaysWhenAllProbesAreUnderWay) {
  EXPECT_THAT(RefusedFor(RefusalReason::kHalfOpen).error_message(),
              HasSubstr("is half-open; all probes are under way"));
}

TEST(RefusalStatus, MessageSaysWhenItIsNotTheCallsTurn) {
  EXPECT_THAT(RefusedFor(RefusalReason::kRamp).error_message(),
              HasSubstr("is half-open; the share of calls let through grows"));
}

TEST(RefusalStatus, MessageSaysWhenTheOperatorForcedItOpen) {
  EXPECT_THAT(RefusedFor(RefusalReason::kForcedOpen).error_message(),
              HasSubstr("is forced open by the operator"));
}

TEST(RefusalStatus, MessageSaysWhenTooManyCallsAreUnderWay) {
  EXPECT_THAT(
      RefusedFor(RefusalReason::kTooManyCalls).error_message(),
      HasSubstr("shop.Orders/Place has as many calls under way as it may"));
}

TEST(RefusalStatus, MessageSaysUntilWhenItIsForcedOpen) {
  Refusal refusal;
  refusal.reason = RefusalReason::kForcedOpen;
  refusal.retry_after = absl::Minutes(10);
  const grpc::Status status = MakeRefusalStatus(kKey, refusal);
  EXPECT_THAT(status.error_message(),
              HasSubstr("is forced open by the operator for another 10m"));
  EXPECT_EQ(ParseRefusal(status)->retry_after, absl::Minutes(10));
}

TEST(RefusalStatus, MessageIsALineThatOnlyShows) {
  const grpc::Status status = MakeRefusalStatus(
      {"a\n", "x", "\x1b[2J\r\nINFO all is well\xC2\x9B", "\xE2\x80\xAE"},
      Refusal());
  EXPECT_THAT(status.error_message(),
              HasSubstr("circuit breaker a\\n for x/\\033[2J\\r\\nINFO all is "
                        "well\\302\\233 of partition \\342\\200\\256 is open"));
}

TEST(RefusalStatus, DetailsAreAGoogleRpcStatus) {
  const grpc::Status status = OpenFor(absl::Seconds(2));
  Fields rpc_status = Decode(status.error_details());
  EXPECT_THAT(rpc_status[1], ElementsAre("14"));  // code: UNAVAILABLE
  EXPECT_THAT(rpc_status[2], ElementsAre(status.error_message()));
}

TEST(RefusalStatus, FirstDetailIsAGoogleRpcErrorInfo) {
  Fields status = Decode(OpenFor(absl::Seconds(2)).error_details());
  Fields any = Decode(status[3].at(0));
  EXPECT_THAT(any[1], ElementsAre("type.googleapis.com/google.rpc.ErrorInfo"));
  Fields info = Decode(any[2].at(0));
  EXPECT_THAT(info[1], ElementsAre("CIRCUIT_BREAKER_OPEN"));
  EXPECT_THAT(info[2], ElementsAre(kRefusalDomain));
  std::map<std::string, std::string> metadata;
  for (const std::string& bytes : info[3]) {
    Fields entry = Decode(bytes);
    metadata[entry[1].at(0)] = entry[2].at(0);
  }
  EXPECT_EQ(metadata["process"].size(), 32u);
  metadata.erase("process");
  EXPECT_EQ(metadata,
            (std::map<std::string, std::string>{{"name", "payments"},
                                                {"service", "shop.Orders"},
                                                {"method", "Place"}}));
}

TEST(RefusalStatus, SecondDetailIsAGoogleRpcRetryInfo) {
  Fields status = Decode(OpenFor(absl::Milliseconds(2500)).error_details());
  Fields any = Decode(status[3].at(1));
  EXPECT_THAT(any[1], ElementsAre("type.googleapis.com/google.rpc.RetryInfo"));
  Fields info = Decode(any[2].at(0));
  Fields delay = Decode(info[1].at(0));
  EXPECT_THAT(delay[1], ElementsAre("2"));
  EXPECT_THAT(delay[2], ElementsAre("500000000"));
}

TEST(ParseRefusal, TellsBreakerReasonAndTime) {
  const std::optional<RefusalInfo> refusal =
      ParseRefusal(OpenFor(absl::Milliseconds(2500)));
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->key, kKey);
  EXPECT_EQ(refusal->reason, RefusalReason::kOpen);
  EXPECT_EQ(refusal->retry_after, absl::Milliseconds(2500));
}

TEST(ParseRefusal, TellsEveryReason) {
  for (const RefusalReason reason :
       {RefusalReason::kOpen, RefusalReason::kHalfOpen, RefusalReason::kRamp,
        RefusalReason::kForcedOpen, RefusalReason::kTooManyCalls}) {
    EXPECT_EQ(ParseRefusal(RefusedFor(reason))->reason, reason);
  }
}

TEST(ParseRefusal, TellsNoTimeWhereNoneIsKnown) {
  EXPECT_EQ(ParseRefusal(RefusedFor(RefusalReason::kForcedOpen))->retry_after,
            std::nullopt);
}

// Each process has a token of its own.
grpc::Status OfAnotherProcess(grpc::Status status) {
  std::string details = status.error_details();
  const size_t key = details.find("process");
  // The 32 digits follow the field's tag and length.
  details.replace(key + 9, 32, std::string(32, 'f'));
  return grpc::Status(status.error_code(), status.error_message(), details);
}

TEST(ParseRefusal, DoesNotTakeAnotherProcessesForOne) {
  EXPECT_EQ(ParseRefusal(OfAnotherProcess(OpenFor(absl::Seconds(1)))),
            std::nullopt);
}

TEST(ParseRelayedRefusal, TellsAnotherProcesses) {
  const std::optional<RefusalInfo> refusal =
      ParseRelayedRefusal(OfAnotherProcess(OpenFor(absl::Seconds(1))));
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->key, kKey);
  EXPECT_EQ(refusal->retry_after, absl::Seconds(1));
}

TEST(ParseRelayedRefusal, TellsNothingOfOneMadeHere) {
  EXPECT_EQ(ParseRelayedRefusal(OpenFor(absl::Seconds(1))), std::nullopt);
}

TEST(ParseRefusal, KeepsTimesInRange) {
  const absl::Duration most = absl::Hours(24 * 365);
  EXPECT_EQ(ParseRefusal(OpenFor(-absl::Seconds(5)))->retry_after,
            absl::ZeroDuration());
  EXPECT_EQ(ParseRefusal(OpenFor(absl::Seconds(1e13)))->retry_after, most);
  EXPECT_EQ(ParseRefusal(OpenFor(most))->retry_after, most);
}

TEST(ParseRefusal, SurvivesAKeyThatIsNotUtf8) {
  const grpc::Status status =
      MakeRefusalStatus({"n\xff", "s\xff", "m\xff"}, Refusal());
  const std::optional<RefusalInfo> refusal = ParseRefusal(status);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->key, (BreakerKey{"n\uFFFDff", "s\uFFFDff", "m\uFFFDff"}));
}

TEST(ParseRefusal, DoesNotTakeAServersUnavailableForARefusal) {
  EXPECT_EQ(
      ParseRefusal(grpc::Status(grpc::StatusCode::UNAVAILABLE, "no route")),
      std::nullopt);
}

TEST(ParseRefusal, DoesNotTakeAnotherCodeForARefusal) {
  const std::string details = OpenFor(absl::Seconds(1)).error_details();
  EXPECT_EQ(ParseRefusal(grpc::Status(grpc::StatusCode::INTERNAL, "", details)),
            std::nullopt);
}

TEST(ParseRefusal, DoesNotTakeAnErrorInfoOfAnotherDomainForARefusal) {
  std::string details = OpenFor(absl::Seconds(1)).error_details();
  const std::string domain = kRefusalDomain;
  details.replace(details.find(domain), domain.size(), "elsewhere..");
  EXPECT_EQ(
      ParseRefusal(grpc::Status(grpc::StatusCode::UNAVAILABLE, "", details)),
      std::nullopt);
}

TEST(ParseRefusal, DoesNotTakeBytesThatAreNoStatusForARefusal) {
  EXPECT_EQ(ParseRefusal(grpc::Status(grpc::StatusCode::UNAVAILABLE, "",
                                      "\xff\xff not protobuf")),
            std::nullopt);
}

}  // namespace
}  // namespace autobreaker
