#include "autobreaker/admin/internal/breaker_messages.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registered_breaker.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

struct Breaker {
  explicit Breaker(const BreakerOptions& options = RateOptions(),
                   BreakerKey key = {"payments", "shop.Orders", "Place"}) {
    RegistryOptions registry_options;
    registry_options.defaults = options;
    registry_options.instruments.clock = &clock;
    registry_options.instruments.count_status_codes = true;
    breaker = BreakerRegistry::Create(std::move(registry_options))
                  .value()
                  ->GetOrCreate(key);
  }

  void Finish(Outcome outcome, int count) {
    for (int i = 0; i < count; ++i) breaker->TryAcquire().Record(outcome);
  }
  v1::Breaker Message() { return ToProto(breaker->Snapshot()); }
  v1::Transition LastTrip() { return ToProto(*breaker->Snapshot().last_trip); }

  FakeClock clock;
  std::shared_ptr<RegisteredBreaker> breaker;
};

std::string UpperCase(absl::string_view name) {
  return absl::AsciiStrToUpper(name);
}

TEST(BreakerMessages, EveryStateGoesByItsName) {
  for (int i = 0; i < kStateCount; ++i) {
    const auto state = static_cast<State>(i);
    EXPECT_EQ(v1::State_Name(ToProto(state)), UpperCase(ToString(state)));
    EXPECT_EQ(static_cast<int>(ToProto(state)), i);
  }
}

TEST(BreakerMessages, EveryReasonGoesByItsName) {
  for (int i = 0; i <= static_cast<int>(TransitionReason::kProbesSucceeded);
       ++i) {
    const auto reason = static_cast<TransitionReason>(i);
    EXPECT_EQ(v1::TransitionReason_Name(ToProto(reason)),
              UpperCase(ToString(reason)));
    EXPECT_EQ(static_cast<int>(ToProto(reason)), i);
  }
}

TEST(BreakerMessages, EveryReasonOfARefusalHasAFieldOfItsName) {
  RegisteredSnapshot s = Breaker().breaker->Snapshot();
  for (int i = 0; i < kRefusalReasonCount; ++i) s.refused[i] = 10 + i;
  const v1::Breaker message = ToProto(s);
  const v1::Refusals& refused = message.counts().refused();
  const auto* const descriptor = v1::Refusals::descriptor();
  EXPECT_EQ(descriptor->field_count(), kRefusalReasonCount);
  for (int i = 0; i < kRefusalReasonCount; ++i) {
    const auto* const field = descriptor->FindFieldByName(
        std::string(ToString(static_cast<RefusalReason>(i))));
    ASSERT_NE(field, nullptr) << i;
    EXPECT_EQ(refused.GetReflection()->GetUInt64(refused, field), 10u + i);
  }
}

// Those whose number is 0, too.
TEST(BreakerMessages, JsonTellsEveryEnum) {
  Breaker b;
  b.Finish(Outcome::kFailure, 20);
  b.breaker->handling().CountStatusCode(absl::StatusCode::kOk);
  b.breaker->Reset();
  std::string json;
  ASSERT_TRUE(
      google::protobuf::util::MessageToJsonString(b.Message(), &json).ok());
  for (const char* const part :
       {R"("state":"CLOSED","mode":"AUTOMATIC")",
        R"("from":"CLOSED","to":"OPEN")", R"("reason":"FAILURE_RATE")",
        R"("code":"OK")"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
  }
}

TEST(BreakerMessages, ANewBreakerHasNothingThatHasNoValue) {
  const v1::Breaker message = Breaker().Message();
  EXPECT_EQ(message.key().name(), "payments");
  EXPECT_EQ(message.key().service(), "shop.Orders");
  EXPECT_EQ(message.key().method(), "Place");
  EXPECT_EQ(message.state(), v1::CLOSED);
  EXPECT_EQ(message.mode(), v1::AUTOMATIC);
  EXPECT_FALSE(message.has_mode_remaining());
  EXPECT_FALSE(message.has_next_mode());
  EXPECT_FALSE(message.has_classification());
  EXPECT_FALSE(message.window().has_failure_rate());
  EXPECT_FALSE(message.has_evidence()) << "options.trip.evidence is not set";
  EXPECT_FALSE(message.has_open_remaining());
  EXPECT_FALSE(message.has_last_trip());
  EXPECT_EQ(message.counts().transitions_size(), 0);
  EXPECT_EQ(message.counts().trips_size(), 0);
  EXPECT_EQ(message.counts().statuses_size(), 0);
}

TEST(BreakerMessages, TheOptionsAreAllGiven) {
  const BreakerOptions options = RateOptions();
  BreakerOptions read;
  ASSERT_TRUE(MergeOptions(Breaker(options).Message().options(), &read).ok());
  EXPECT_EQ(read, options);
}

TEST(BreakerMessages, CountsAreThoseOfTheSnapshot) {
  RegisteredSnapshot s = Breaker().breaker->Snapshot();
  s.requests = 1;
  s.successes = 2;
  s.failures = 3;
  s.ignored = 4;
  s.abandoned = 5;
  s.in_flight = 6;
  s.slow_calls = 7;
  s.late_results = 8;
  s.refused = {9, 10, 11, 12};
  s.shadow_refused = {13, 14, 15, 16};
  s.callback_exceptions = 17;
  s.lost_transitions = 18;
  const v1::Breaker::Counts counts = ToProto(s).counts();
  EXPECT_EQ(counts.requests(), 1u);
  EXPECT_EQ(counts.successes(), 2u);
  EXPECT_EQ(counts.failures(), 3u);
  EXPECT_EQ(counts.ignored(), 4u);
  EXPECT_EQ(counts.abandoned(), 5u);
  EXPECT_EQ(counts.in_flight(), 6u);
  EXPECT_EQ(counts.slow_calls(), 7u);
  EXPECT_EQ(counts.late_results(), 8u);
  EXPECT_EQ(counts.refused().open(), 9u);
  EXPECT_EQ(counts.refused().half_open(), 10u);
  EXPECT_EQ(counts.refused().ramp(), 11u);
  EXPECT_EQ(counts.refused().forced_open(), 12u);
  EXPECT_EQ(counts.shadow_refused().open(), 13u);
  EXPECT_EQ(counts.shadow_refused().half_open(), 14u);
  EXPECT_EQ(counts.shadow_refused().ramp(), 15u);
  EXPECT_EQ(counts.shadow_refused().forced_open(), 16u);
  EXPECT_EQ(counts.callback_exceptions(), 17u);
  EXPECT_EQ(counts.lost_transitions(), 18u);
}

TEST(BreakerMessages, AnOpenBreakerTellsWhatOpenedItAndWhenItProbes) {
  Breaker b;
  b.Finish(Outcome::kSuccess, 15);
  b.Finish(Outcome::kFailure, 5);
  b.clock.Advance(absl::Milliseconds(10));
  const RegisteredSnapshot s = b.breaker->Snapshot();
  const v1::Breaker message = ToProto(s);
  EXPECT_EQ(message.state(), v1::OPEN);
  EXPECT_EQ(message.window().calls(), 20u);
  EXPECT_EQ(message.window().failures(), 5u);
  EXPECT_EQ(message.window().failure_rate(), 0.25);
  EXPECT_EQ(message.consecutive_failures(), 5);
  EXPECT_FALSE(message.has_failures_until_trip());
  absl::Duration remaining;
  ASSERT_TRUE(message.has_open_remaining());
  ASSERT_TRUE(MakeDuration(message.open_remaining(), &remaining).ok());
  EXPECT_EQ(remaining, s.open_remaining);
  EXPECT_EQ(message.last_trip().reason(), v1::FAILURE_RATE);
  EXPECT_EQ(message.last_trip().window().failure_rate(), 0.25);
}

TEST(BreakerMessages, OnlyWhatHappenedIsCountedByKind) {
  Breaker b;
  b.Finish(Outcome::kFailure, 20);
  b.breaker->handling().CountStatusCode(absl::StatusCode::kUnavailable);
  const v1::Breaker::Counts counts = b.Message().counts();
  ASSERT_EQ(counts.transitions_size(), 1);
  EXPECT_EQ(counts.transitions(0).from(), v1::CLOSED);
  EXPECT_EQ(counts.transitions(0).to(), v1::OPEN);
  EXPECT_EQ(counts.transitions(0).count(), 1u);
  ASSERT_EQ(counts.trips_size(), 1);
  EXPECT_EQ(counts.trips(0).reason(), v1::FAILURE_RATE);
  EXPECT_EQ(counts.trips(0).count(), 1u);
  ASSERT_EQ(counts.statuses_size(), 1);
  EXPECT_EQ(counts.statuses(0).code(), v1::UNAVAILABLE);
  EXPECT_EQ(counts.statuses(0).count(), 1u);
}

TEST(BreakerMessages, ForcedOpenForGoodHasNoEnd) {
  Breaker b;
  b.breaker->SetMode(Mode::kForcedOpen);
  const v1::Breaker message = b.Message();
  EXPECT_EQ(message.mode(), v1::FORCED_OPEN);
  EXPECT_FALSE(message.has_open_remaining());
  EXPECT_FALSE(message.has_mode_remaining());
  EXPECT_FALSE(message.last_trip().has_open_for());
}

TEST(BreakerMessages, AModeForATimeTellsItsEndAndWhatFollows) {
  Breaker b;
  b.breaker->SetMode(Mode::kShadow, absl::Seconds(90));
  b.clock.Advance(absl::Milliseconds(500));
  const v1::Breaker message = b.Message();
  EXPECT_EQ(message.mode(), v1::SHADOW);
  EXPECT_EQ(message.mode_remaining().seconds(), 89);
  EXPECT_EQ(message.mode_remaining().nanos(), 500'000'000);
  EXPECT_EQ(message.next_mode(), v1::AUTOMATIC);
}

TEST(BreakerMessages, EvidenceIsGivenWhereItIsJudgedBy) {
  Breaker b((BreakerOptions()));
  const v1::Breaker message = b.Message();
  ASSERT_TRUE(message.has_evidence());
  EXPECT_EQ(message.evidence(), 0);
  EXPECT_TRUE(message.has_failures_until_trip());
}

TEST(BreakerMessages, FailuresThatNeverOpenAreNotCounted) {
  BreakerOptions options = RateOptions();
  options.trip.failure_rate_threshold.reset();
  options.trip.slow_call_duration = absl::Seconds(1);
  options.trip.slow_call_rate_threshold = 0.5;
  EXPECT_FALSE(Breaker(options).Message().has_failures_until_trip());
}

TEST(BreakerMessages, PolicyOfTheConfigurationIsShown) {
  RegisteredSnapshot s = Breaker().breaker->Snapshot();
  s.unguarded = true;
  s.status_classes.emplace();
  s.status_classes->failures.Insert(absl::StatusCode::kInternal);
  const v1::Breaker message = ToProto(s);
  EXPECT_TRUE(message.unguarded());
  ASSERT_EQ(message.classification().failures_size(), 1);
  EXPECT_EQ(message.classification().failures(0), v1::INTERNAL);
}

TEST(BreakerMessages, AHalfOpenBreakerTellsOfItsProbes) {
  Breaker b;
  b.Finish(Outcome::kFailure, 20);
  b.clock.Advance(absl::Seconds(5));
  b.Finish(Outcome::kSuccess, 1);
  const Permit permit = b.breaker->TryAcquire();
  const v1::Breaker message = b.Message();
  EXPECT_EQ(message.state(), v1::HALF_OPEN);
  EXPECT_EQ(message.probes_in_flight(), 1);
  EXPECT_EQ(message.probe_successes(), 1);
  EXPECT_FALSE(message.has_open_remaining());
}

TEST(BreakerMessages, ATransitionTellsWhatItRestsOn) {
  Breaker b;
  b.Finish(Outcome::kFailure, 20);
  const v1::Transition message = b.LastTrip();
  EXPECT_EQ(message.key().method(), "Place");
  EXPECT_EQ(message.number(), 1u);
  EXPECT_EQ(message.from(), v1::CLOSED);
  EXPECT_EQ(message.to(), v1::OPEN);
  EXPECT_EQ(message.reason(), v1::FAILURE_RATE);
  EXPECT_EQ(message.window().calls(), 20u);
  EXPECT_EQ(message.consecutive_failures(), 20);
  EXPECT_TRUE(message.has_open_for());
}

TEST(BreakerMessages, WhereFailuresCameFromIsTold) {
  Breaker b;
  for (int i = 0; i < 20; ++i) {
    b.breaker->TryAcquire().Record(Outcome::kFailure, absl::ZeroDuration(),
                                   i < 2 ? "b\xFF" : "a");
  }
  const v1::Breaker message = b.Message();
  for (const v1::FailingPeers& failing :
       {message.failing_peers(), message.last_trip().failing_peers(),
        b.LastTrip().failing_peers()}) {
    EXPECT_EQ(failing.failures(), 20u);
    ASSERT_EQ(failing.peers_size(), 2);
    EXPECT_EQ(failing.peers(0).name(), "a");
    EXPECT_EQ(failing.peers(0).failures(), 18u);
    // Any bytes, and protobuf takes UTF-8 alone.
    EXPECT_EQ(failing.peers(1).name(), "b\xEF\xBF\xBD\x66\x66");
  }
}

TEST(BreakerMessages, NothingIsToldWhereNoPeerIsKnown) {
  Breaker b;
  b.Finish(Outcome::kFailure, 20);
  EXPECT_FALSE(b.Message().has_failing_peers());
  EXPECT_FALSE(b.LastTrip().has_failing_peers());
}

TEST(BreakerMessages, TimesAreExactToTheNanosecond) {
  Transition transition;
  transition.time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  EXPECT_EQ(ToProto(transition).time().seconds(), 1'700'000'000);
  EXPECT_EQ(ToProto(transition).time().nanos(), 123'456'789);
}

TEST(BreakerMessages, ATimeBeforeTheEpochHasPositiveNanoseconds) {
  Transition transition;
  transition.time = absl::FromUnixNanos(-1);
  EXPECT_EQ(ToProto(transition).time().seconds(), -1);
  EXPECT_EQ(ToProto(transition).time().nanos(), 999'999'999);
}

TEST(BreakerMessages, AKeyIsFoundByWhatIsShownOfIt) {
  for (const std::string part :
       {"payments", "\xFFpay\x80", "\xEF\xBF\xBD", "\xC3\xA4", "\xE2\x82"}) {
    const BreakerKey key = {part, part, part};
    EXPECT_EQ(KeyShownAs(ToProto(key)), key) << part;
  }
}

TEST(BreakerMessages, AReplacementSignThatStandsForNoByteIsItself) {
  v1::BreakerKey shown;
  shown.set_name("a\xEF\xBF\xBDz\xEF\xBF\xBD");
  EXPECT_EQ(KeyShownAs(shown).name, shown.name());
}

}  // namespace
}  // namespace autobreaker
