#include "autobreaker/interceptor/refusal_status.h"

#include <google/protobuf/any.pb.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/interceptor/internal/process_token.h"
#include "autobreaker/proto/refusal_details.pb.h"

namespace autobreaker {
namespace {

// As OpenOptions::duration_max may be.
constexpr absl::Duration kLongestRetry = absl::Hours(24 * 365);

constexpr char kErrorInfoType[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryInfoType[] = "type.googleapis.com/google.rpc.RetryInfo";

constexpr RefusalReason kReasons[] = {
    RefusalReason::kOpen, RefusalReason::kHalfOpen, RefusalReason::kForcedOpen,
    RefusalReason::kRamp, RefusalReason::kTooManyCalls};

const char* ErrorReason(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kOpen:
      return "CIRCUIT_BREAKER_OPEN";
    case RefusalReason::kHalfOpen:
      return "CIRCUIT_BREAKER_HALF_OPEN";
    case RefusalReason::kForcedOpen:
      return "CIRCUIT_BREAKER_FORCED_OPEN";
    case RefusalReason::kRamp:
      return "CIRCUIT_BREAKER_RAMP";
    case RefusalReason::kTooManyCalls:
      return "CIRCUIT_BREAKER_TOO_MANY_CALLS";
  }
  return "";
}

std::string ForPeople(absl::Duration time) {
  return absl::FormatDuration(absl::Ceil(time, absl::Milliseconds(1)));
}

std::string MessageFor(const BreakerKey& key, const Refusal& refusal) {
  const std::string who = absl::StrCat(
      "circuit breaker ", Printable(key.name), " for ", Printable(key.service),
      "/", Printable(key.method), key.partition.empty() ? "" : " of partition ",
      Printable(key.partition));
  switch (refusal.reason) {
    case RefusalReason::kOpen:
      return absl::StrCat(
          who, " is open; next probe in ",
          ForPeople(refusal.retry_after.value_or(absl::ZeroDuration())));
    case RefusalReason::kHalfOpen:
      return absl::StrCat(who, " is half-open; all probes are under way");
    case RefusalReason::kForcedOpen:
      return absl::StrCat(
          who, " is forced open by the operator",
          refusal.retry_after.has_value()
              ? absl::StrCat(" for another ", ForPeople(*refusal.retry_after))
              : "");
    case RefusalReason::kRamp:
      return absl::StrCat(
          who, " is half-open; the share of calls let through grows");
    case RefusalReason::kTooManyCalls:
      return absl::StrCat(who, " has as many calls under way as it may");
  }
  return who;
}

constexpr char kProcess[] = "process";

void Pack(const google::protobuf::MessageLite& message, const char* type,
          google::protobuf::Any* any) {
  any->set_type_url(type);
  any->set_value(message.SerializeAsString());
}

}  // namespace

grpc::Status MakeRefusalStatus(const BreakerKey& any_key,
                               const Refusal& refusal) {
  const BreakerKey key = {ReplaceInvalidUtf8(any_key.name),
                          ReplaceInvalidUtf8(any_key.service),
                          ReplaceInvalidUtf8(any_key.method),
                          ReplaceInvalidUtf8(any_key.partition)};
  const std::string message = MessageFor(key, refusal);
  details::Status status;
  status.set_code(grpc::StatusCode::UNAVAILABLE);
  status.set_message(message);

  details::ErrorInfo error;
  error.set_reason(ErrorReason(refusal.reason));
  error.set_domain(kRefusalDomain);
  (*error.mutable_metadata())["name"] = key.name;
  (*error.mutable_metadata())["service"] = key.service;
  (*error.mutable_metadata())["method"] = key.method;
  (*error.mutable_metadata())[kProcess] = ProcessToken();
  if (!key.partition.empty()) {
    (*error.mutable_metadata())["partition"] = key.partition;
  }
  Pack(error, kErrorInfoType, status.add_details());

  if (refusal.retry_after.has_value()) {
    details::RetryInfo retry;
    absl::Duration rest;
    retry.mutable_retry_delay()->set_seconds(
        absl::IDivDuration(*refusal.retry_after, absl::Seconds(1), &rest));
    retry.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
    Pack(retry, kRetryInfoType, status.add_details());
  }
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, message,
                      status.SerializeAsString());
}

namespace {

// A refusal, and whether it has this process's token.
struct Parsed {
  RefusalInfo info;
  bool is_ours;
};

std::optional<Parsed> Parse(const grpc::Status& status) {
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return std::nullopt;
  details::Status parsed;
  if (!parsed.ParseFromString(status.error_details())) return std::nullopt;
  std::optional<Parsed> found;
  std::optional<absl::Duration> retry_after;
  for (const google::protobuf::Any& any : parsed.details()) {
    details::ErrorInfo error;
    details::RetryInfo retry;
    if (any.type_url() == kErrorInfoType &&
        error.ParseFromString(any.value()) &&
        error.domain() == kRefusalDomain) {
      const auto* const reason = std::find_if(
          std::begin(kReasons), std::end(kReasons), [&error](RefusalReason r) {
            return error.reason() == ErrorReason(r);
          });
      if (reason == std::end(kReasons)) continue;
      const auto& metadata = error.metadata();
      const auto text = [&metadata](const char* key) {
        const auto found = metadata.find(key);
        return found == metadata.end() ? std::string() : found->second;
      };
      found.emplace();
      found->info.reason = *reason;
      found->info.key = {text("name"), text("service"), text("method"),
                         text("partition")};
      found->is_ours = text(kProcess) == ProcessToken();
    } else if (any.type_url() == kRetryInfoType &&
               retry.ParseFromString(any.value())) {
      retry_after =
          std::clamp(absl::Seconds(retry.retry_delay().seconds()) +
                         absl::Nanoseconds(retry.retry_delay().nanos()),
                     absl::ZeroDuration(), kLongestRetry);
    }
  }
  if (found.has_value()) found->info.retry_after = retry_after;
  return found;
}

std::optional<RefusalInfo> ParseOf(const grpc::Status& status, bool is_ours) {
  const std::optional<Parsed> found = Parse(status);
  return found.has_value() && found->is_ours == is_ours
             ? std::make_optional(found->info)
             : std::nullopt;
}

}  // namespace

std::optional<RefusalInfo> ParseRefusal(const grpc::Status& status) {
  return ParseOf(status, /*is_ours=*/true);
}

std::optional<RefusalInfo> ParseRelayedRefusal(const grpc::Status& status) {
  return ParseOf(status, /*is_ours=*/false);
}

}  // namespace autobreaker
