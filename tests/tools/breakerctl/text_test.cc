#include "autobreaker/tools/breakerctl/text.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/proto/admin.pb.h"
#include "autobreaker/tools/breakerctl/options.h"

namespace autobreaker::breakerctl {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kEscape[] = "\x1b";

// 2,000 s after the epoch of the messages below.
const View kView = {false, absl::FromUnixSeconds(2000), absl::UTCTimeZone()};
const View kColorView = {true, kView.now, kView.zone};

template <typename Message>
Message Make(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

v1::Breaker MakeBreaker(const std::string& more) {
  return Make<v1::Breaker>(
      "key { name: 'shop' service: 'shop.Orders' method: 'PlaceOrder' } "
      "mode: AUTOMATIC " +
      more);
}

v1::Breaker OpenBreaker() {
  return MakeBreaker(R"(
    state: OPEN
    open_remaining { seconds: 1 nanos: 930000000 }
    evidence: 1 reopenings: 2 consecutive_failures: 9
    last_transition_time { seconds: 1875 }
    window { calls: 41 failures: 14 slow_calls: 3 failure_rate: 0.341463 }
    counts {
      requests: 100 successes: 90 failures: 8 in_flight: 2
      refused { open: 15 half_open: 3 too_many_calls: 2 }
      transitions { from: CLOSED to: OPEN count: 3 }
      transitions { from: OPEN to: HALF_OPEN count: 2 }
      trips { reason: EVIDENCE count: 3 }
      statuses { code: OK count: 90 }
      statuses { code: UNAVAILABLE count: 8 }
    }
    last_trip {
      from: CLOSED to: OPEN reason: EVIDENCE
      time { seconds: 1875 } open_for { seconds: 2 }
      window { calls: 41 failures: 14 }
    }
    options {
      half_open { max_calls: 3 }
      open { duration { seconds: 2 } }
      trip { minimum_calls: 20 evidence { tolerated_burst { seconds: 1 } } }
    }
)");
}

// The row of one breaker.
std::string Row(const v1::Breaker& breaker) {
  const std::string table = Table(kView, {breaker});
  return table.substr(table.find('\n') + 1);
}

TEST(Table, HasAHeaderAndARowForEachBreaker) {
  const v1::Breaker other = Make<v1::Breaker>(
      "key { name: 'stock' service: 'shop.Stock' method: 'Watch' } "
      "state: HALF_OPEN mode: SHADOW mode_remaining { seconds: 590 } "
      "counts { requests: 1234567 }");
  EXPECT_EQ(
      Table(kView, {OpenBreaker(), other}),
      "NAME   METHOD                  STATE      MODE            CALLS  FAILED"
      "  REFUSED   RATE  EVIDENCE  SINCE\n"
      "shop   shop.Orders/PlaceOrder  open 1.9s  automatic         120       8"
      "       20  34.1%    100.0%   2m5s\n"
      "stock  shop.Stock/Watch        half-open  shadow 9m50s  1234567       0"
      "        0      -         -      -\n");
}

TEST(Table, ShowsWhereBreakersAreIfTheyAreAtSeveralAddresses) {
  const std::string table = Table(
      kView, {{OpenBreaker(), "10.0.0.1:8081"}, {OpenBreaker(), "b\x1b:1"}});
  EXPECT_THAT(table, testing::StartsWith("ADDRESS        NAME "));
  EXPECT_THAT(table, HasSubstr("\n10.0.0.1:8081  shop "));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
}

TEST(Table, OfWideOutputHasMoreColumns) {
  v1::Breaker breaker = OpenBreaker();
  breaker.mutable_counts()->set_in_flight(7);
  breaker.mutable_last_trip()->set_reason(v1::PROBE_SLOW);
  View wide = kView;
  wide.wide = true;
  const std::string table = Table(wide, {breaker});
  EXPECT_THAT(table, HasSubstr("  IN FLIGHT  SLOW  LATE  IGNORED  UNTIL TRIP "
                               " LAST TRIP   FAILING"));
  EXPECT_THAT(table, HasSubstr("          7  "));
  EXPECT_THAT(table, HasSubstr("  probe_slow"));
  EXPECT_THAT(Table(kView, {breaker}), Not(HasSubstr("IN FLIGHT")));
}

TEST(Table, OfNothingSaysSo) { EXPECT_EQ(Table(kView, {}), "no breakers\n"); }

TEST(Table, IsAlignedByCharactersAndNotBytes) {
  v1::Breaker german = OpenBreaker();
  german.mutable_key()->set_name("größe");
  v1::Breaker english = OpenBreaker();
  english.mutable_key()->set_name("stocks");
  const std::string table = Table(kView, {german, english});
  EXPECT_THAT(table, HasSubstr("\ngröße   shop.Orders/PlaceOrder "));
  EXPECT_THAT(table, HasSubstr("\nstocks  shop.Orders/PlaceOrder "));
}

TEST(Table, HasADashForEmptyParts) {
  v1::Breaker breaker = OpenBreaker();
  breaker.mutable_key()->set_name("");
  EXPECT_THAT(Row(breaker),
              testing::StartsWith("-     shop.Orders/PlaceOrder "));
  breaker.mutable_key()->set_service("");
  breaker.mutable_key()->set_method("");
  EXPECT_THAT(Row(breaker), testing::StartsWith("-     -       open 1.9s "));
}

TEST(Table, NamesDoNotBreakLines) {
  v1::Breaker breaker = OpenBreaker();
  breaker.mutable_key()->set_name("a\nb");
  EXPECT_THAT(Row(breaker), testing::StartsWith("a\\nb  "));
}

TEST(Table, TellsWhatIsUnguarded) {
  EXPECT_THAT(Row(MakeBreaker("unguarded: true")), HasSubstr("  unguarded  "));
}

TEST(Table, TellsNumbersOfANewerService) {
  EXPECT_THAT(Row(MakeBreaker("state: 17")), HasSubstr("  17  "));
}

TEST(Table, TellsTimesInAFewCharacters) {
  const auto since = [](absl::Duration duration) {
    v1::Breaker breaker;
    breaker.mutable_last_transition_time();
    const std::string table = Table(
        {false, absl::UnixEpoch() + duration, absl::UTCTimeZone()}, {breaker});
    return table.substr(table.rfind(' ') + 1);
  };
  EXPECT_EQ(since(absl::Milliseconds(95)), "95ms\n");
  EXPECT_EQ(since(absl::Milliseconds(1999)), "1.9s\n");
  EXPECT_EQ(since(absl::Milliseconds(12'999)), "12s\n");
  EXPECT_EQ(since(absl::Seconds(3599)), "59m59s\n");
  EXPECT_EQ(since(absl::Seconds(3 * 3600 + 719)), "3h11m\n");
  EXPECT_EQ(since(absl::Hours(52)), "2d4h\n");
}

// As where the clocks of two machines differ.
TEST(Table, TellsNoTimesBelow0) {
  v1::Breaker breaker = OpenBreaker();
  breaker.mutable_last_transition_time()->set_seconds(3000);
  EXPECT_THAT(Row(breaker), testing::EndsWith("  0\n"));
}

TEST(Table, HasColorOnlyWhereItIsWanted) {
  EXPECT_THAT(Table(kColorView, {OpenBreaker()}),
              HasSubstr("\x1b[31mopen 1.9s\x1b[0m  automatic  "));
  EXPECT_THAT(Table(kView, {OpenBreaker()}), Not(HasSubstr(kEscape)));
}

TEST(Details, TellEverything) {
  EXPECT_EQ(Details(kView, OpenBreaker()),
            R"(shop/shop.Orders/PlaceOrder
  state      open for 2m5s, 1.9s to go, reopened 2 times
  mode       automatic
  last trip  1970-01-01 00:31:15, 2m5s ago: closed -> open 2s, evidence, 14 of 41 calls failed
  window     41 calls, 14 failed (34.1%), 3 slow
  in a row   9 failures, 0 successes
  evidence   100.0% of what opens it

Calls since it was made
  calls      120
  admitted   100 requests, 90 successes, 8 failures, 2 in flight
  refused    20: 15 open, 3 half open, 2 too many calls
  statuses   OK 90, UNAVAILABLE 8
  trips      evidence 3
  changes    closed -> open 3, open -> half-open 2

When it opens
  trip.evidence.tolerated_burst=1s
  trip.minimum_calls=20

How long it stays open
  open.duration=2s

How it comes back
  half_open.max_calls=3
)");
}

TEST(Details, TellWhereFailuresCameFrom) {
  const std::string details = Details(kView, MakeBreaker(
                                                 R"(failing_peers {
               failures: 20
               peers { name: "ipv4:10.0.0.3:50051" failures: 18 }
               peers { name: "\033[1m" failures: 2 }
             }
             last_trip {
               from: CLOSED to: OPEN reason: PROBE_FAILED
               failing_peers {
                 failures: 1
                 peers { name: "ipv4:10.0.0.3:50051" failures: 1 }
               }
             })"));
  EXPECT_THAT(details, HasSubstr("18 of 20 failures at ipv4:10.0.0.3:50051, 2 "
                                 "at "));
  EXPECT_THAT(details, HasSubstr("closed -> open, probe_failed, 1 of 1 failure "
                                 "at ipv4:10.0.0.3:50051\n"));
  EXPECT_THAT(details, Not(HasSubstr(kEscape)));
}

TEST(Details, TellEveryOption) {
  v1::Breaker breaker;
  *breaker.mutable_options() = ToProto(BreakerOptions());
  const std::string details = Details(kView, breaker);
  for (const std::string& assignment : Assignments(breaker.options())) {
    EXPECT_THAT(details, HasSubstr("\n  " + assignment + "\n"));
  }
}

TEST(Details, TellHowFarItIsFromATrip) {
  EXPECT_THAT(
      Details(kView, MakeBreaker("state: CLOSED consecutive_failures: 1 "
                                 "failures_until_trip: 6")),
      HasSubstr("  in a row   1 failure, 0 successes; at least 6 failures "
                "in a row would open it\n"));
}

TEST(Details, TellOfProbes) {
  EXPECT_THAT(Details(kView, MakeBreaker("state: HALF_OPEN probes_in_flight: 1 "
                                         "probe_successes: 2")),
              HasSubstr("half-open, probes: 1 under way, 2 succeeded\n"));
}

TEST(Details, TellWhatAModeDoesAndWhenItEnds) {
  v1::Breaker breaker = MakeBreaker(
      "mode_remaining { seconds: 590 } next_mode: FORCED_CLOSED "
      "counts { shadow_refused { open: 7 ramp: 1 } }");
  breaker.set_mode(v1::SHADOW);
  EXPECT_THAT(Details(kView, breaker),
              HasSubstr("  mode       shadow for 9m50s, then forced-closed\n"));
  EXPECT_THAT(Details(kView, breaker),
              HasSubstr("  in shadow  would have refused 8: 7 open, 1 ramp\n"));
}

TEST(Details, TellWhatIsUnguarded) {
  EXPECT_THAT(Details(kView, MakeBreaker("unguarded: true")),
              HasSubstr("automatic, unguarded: calls just pass\n"));
}

TEST(Details, TellWhichStatusesAreConfigured) {
  EXPECT_THAT(Details(kView, MakeBreaker("classification { failures: INTERNAL "
                                         "failures: UNAVAILABLE }")),
              HasSubstr("Classification, as configured\n"
                        "  failures  INTERNAL, UNAVAILABLE\n"
                        "  ignored   none\n"));
}

TEST(ModeLine, TellsForHowLong) {
  v1::Breaker breaker = MakeBreaker("state: OPEN");
  breaker.set_mode(v1::FORCED_OPEN);
  EXPECT_EQ(ModeLine(breaker),
            "shop/shop.Orders/PlaceOrder: mode forced-open; state open\n");
  breaker.mutable_mode_remaining()->set_seconds(600);
  breaker.set_next_mode(v1::AUTOMATIC);
  EXPECT_EQ(ModeLine(breaker),
            "shop/shop.Orders/PlaceOrder: mode forced-open for 10m, then "
            "automatic; state open\n");
}

TEST(UpdateLine, TellsWhatIsInForceNow) {
  google::protobuf::FieldMask updated;
  updated.add_paths("trip.evidence");
  EXPECT_EQ(UpdateLine(OpenBreaker(), updated),
            "shop/shop.Orders/PlaceOrder: trip.evidence.tolerated_burst=1s\n");
}

TEST(ResetLine, TellsTheState) {
  EXPECT_EQ(ResetLine(MakeBreaker("state: CLOSED")),
            "shop/shop.Orders/PlaceOrder: reset; state closed\n");
}

// ---------------------------------------------------------------- WatchText

v1::WatchResponse MakeTransition(const std::string& more) {
  return Make<v1::WatchResponse>(
      "transition { key { name: 'shop' service: 'shop.Orders' "
      "method: 'PlaceOrder' } time { seconds: 3723 nanos: 120000000 } " +
      more + " }");
}

std::string TransitionText(const std::string& more) {
  return WatchText().Add(kView, MakeTransition(more));
}

TEST(WatchText, TellsWhyABreakerOpenedAndForHowLong) {
  EXPECT_EQ(TransitionText("from: CLOSED to: OPEN reason: FAILURE_RATE "
                           "open_for { seconds: 1 nanos: 920000000 } "
                           "window { calls: 41 failure_rate: 0.341463 }"),
            "01:02:03.120  shop  shop.Orders/PlaceOrder  "
            "closed -> open 1.9s     failure_rate 34.1% of 41 calls\n");
}

TEST(WatchText, TellsWhatEveryReasonRestsOn) {
  EXPECT_THAT(TransitionText("reason: SLOW_CALL_RATE "
                             "window { calls: 40 slow_calls: 12 }"),
              HasSubstr("  slow_call_rate 30.0% of 40 calls\n"));
  EXPECT_THAT(
      TransitionText("reason: CONSECUTIVE_FAILURES consecutive_failures: 5"),
      HasSubstr("  consecutive_failures 5\n"));
  EXPECT_THAT(
      TransitionText("reason: EVIDENCE window { calls: 41 failures: 14 }"),
      HasSubstr("  evidence, 14 of 41 calls failed\n"));
  EXPECT_THAT(
      TransitionText("from: HALF_OPEN to: CLOSED reason: PROBES_SUCCEEDED"),
      HasSubstr("  half-open -> closed     probes_succeeded\n"));
}

TEST(WatchText, HasColorOnlyWhereItIsWanted) {
  const v1::WatchResponse change = MakeTransition("from: OPEN to: HALF_OPEN");
  EXPECT_THAT(WatchText().Add(kColorView, change),
              HasSubstr("\x1b[33mopen -> half-open"));
  EXPECT_THAT(WatchText().Add(kView, change), Not(HasSubstr(kEscape)));
}

TEST(WatchText, WaitsUntilASnapshotIsComplete) {
  WatchText text;
  v1::WatchResponse part;
  *part.mutable_snapshot()->add_breakers() = OpenBreaker();
  EXPECT_EQ(text.Add(kView, part), "");
  part.mutable_snapshot()->set_complete(true);
  EXPECT_EQ(text.Add(kView, part),
            Table(kView, {OpenBreaker(), OpenBreaker()}));
  EXPECT_EQ(text.Add(kView, part), Table(kView, {OpenBreaker()}));
}

TEST(WatchText, ChangesStandBelowEachOther) {
  WatchText text;
  v1::WatchResponse longer = MakeTransition("from: CLOSED to: OPEN");
  longer.mutable_transition()->mutable_key()->set_name("payments");
  text.Add(kView, longer);
  EXPECT_THAT(text.Add(kView, MakeTransition("from: CLOSED to: OPEN")),
              HasSubstr("  shop      shop.Orders/PlaceOrder  closed -> open"));
}

TEST(WatchText, TellsHowManyChangesAreMissing) {
  EXPECT_EQ(WatchText().Add(
                kView, Make<v1::WatchResponse>("missed { transitions: 12 }")),
            "... missed 12 changes; as it is now:\n");
}

TEST(WatchText, TellsNothingOfWhatIsNew) {
  EXPECT_EQ(WatchText().Add(kView, v1::WatchResponse()), "");
}

}  // namespace
}  // namespace autobreaker::breakerctl
