// What a reader of Watch() sees, in order.
#include <grpcpp/support/status.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/admin/admin_server.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

class BreakerAdminWatch : public testing::Test {
 protected:
  Watchdog watchdog_{"a watch"};
  AdminServer admin_;
};

void ExpectTransition(const v1::WatchResponse& response,
                      const std::string& name, v1::State from, v1::State to,
                      v1::TransitionReason reason) {
  ASSERT_TRUE(response.has_transition()) << response.ShortDebugString();
  EXPECT_EQ(response.transition().key().name(), name);
  EXPECT_EQ(response.transition().from(), from);
  EXPECT_EQ(response.transition().to(), to);
  EXPECT_EQ(response.transition().reason(), reason);
}

TEST_F(BreakerAdminWatch, BeginsWithTheBreakersAsTheyAre) {
  admin_.Make("a");
  admin_.Make("b")->SetMode(Mode::kForcedOpen);
  AdminWatch watch(*admin_.stub);
  const v1::WatchResponse response = watch.Next();
  ASSERT_EQ(response.snapshot().breakers_size(), 2);
  EXPECT_EQ(response.snapshot().breakers(0).state(), v1::CLOSED);
  EXPECT_EQ(response.snapshot().breakers(1).state(), v1::OPEN);
  EXPECT_TRUE(response.snapshot().complete());
}

TEST_F(BreakerAdminWatch, ASnapshotOfNoBreakersIsCompleteToo) {
  AdminWatch watch(*admin_.stub);
  const v1::WatchResponse response = watch.Next();
  ASSERT_TRUE(response.has_snapshot());
  EXPECT_EQ(response.snapshot().breakers_size(), 0);
  EXPECT_TRUE(response.snapshot().complete());
}

TEST_F(BreakerAdminWatch, ManyBreakersComeInSeveralMessages) {
  for (int i = 0; i < 250; ++i) admin_.Make(absl::StrCat(i));
  AdminWatch watch(*admin_.stub);
  for (const int breakers : {100, 100, 50}) {
    const v1::WatchResponse response = watch.Next();
    EXPECT_EQ(response.snapshot().breakers_size(), breakers);
    EXPECT_EQ(response.snapshot().complete(), breakers == 50);
  }
}

TEST_F(BreakerAdminWatch, AHundredBreakersComeInOneMessage) {
  for (int i = 0; i < 100; ++i) admin_.Make(absl::StrCat(i));
  AdminWatch watch(*admin_.stub);
  const v1::WatchResponse response = watch.Next();
  EXPECT_EQ(response.snapshot().breakers_size(), 100);
  EXPECT_TRUE(response.snapshot().complete());
}

TEST_F(BreakerAdminWatch, TellsEveryChangeOfStateInOrder) {
  const auto breaker = admin_.Make("a");
  AdminWatch watch(*admin_.stub);
  ASSERT_TRUE(watch.Next().snapshot().complete());
  for (int i = 0; i < 20; ++i) breaker->TryAcquire().Record(Outcome::kFailure);
  admin_.clock.Advance(absl::Seconds(5));
  for (int i = 0; i < 3; ++i) breaker->TryAcquire().Record(Outcome::kSuccess);
  breaker->SetMode(Mode::kForcedOpen);

  const v1::WatchResponse trip = watch.Next();
  ExpectTransition(trip, "a", v1::CLOSED, v1::OPEN, v1::FAILURE_RATE);
  EXPECT_EQ(trip.transition().number(), 1u);
  EXPECT_EQ(trip.transition().window().failure_rate(), 1);
  ExpectTransition(watch.Next(), "a", v1::OPEN, v1::HALF_OPEN,
                   v1::OPEN_TIME_ELAPSED);
  ExpectTransition(watch.Next(), "a", v1::HALF_OPEN, v1::CLOSED,
                   v1::PROBES_SUCCEEDED);
  ExpectTransition(watch.Next(), "a", v1::CLOSED, v1::OPEN, v1::FORCED);
}

TEST_F(BreakerAdminWatch, TellsOfAnIdleStreamsChangeAtOnce) {
  const auto breaker = admin_.Make("a");
  AdminWatch watch(*admin_.stub);
  ASSERT_TRUE(watch.Next().snapshot().complete());
  for (int i = 0; i < 10; ++i) {
    breaker->SetMode(Mode::kForcedOpen);
    EXPECT_EQ(watch.Next().transition().to(), v1::OPEN);
    breaker->SetMode(Mode::kAutomatic);
    EXPECT_EQ(watch.Next().transition().to(), v1::HALF_OPEN);
  }
}

// The snapshot that begins a watch may change a state itself.
TEST_F(BreakerAdminWatch, WhatIsInTheSnapshotIsNotToldAgain) {
  const auto breaker = admin_.Make("a");
  for (int i = 0; i < 20; ++i) breaker->TryAcquire().Record(Outcome::kFailure);
  admin_.clock.Advance(absl::Seconds(5));
  Permit probe = breaker->TryAcquire();
  AdminWatch watch(*admin_.stub);
  EXPECT_EQ(watch.Next().snapshot().breakers(0).state(), v1::HALF_OPEN);
  probe.Record(Outcome::kFailure);
  const v1::WatchResponse next = watch.Next();
  ExpectTransition(next, "a", v1::HALF_OPEN, v1::OPEN, v1::PROBE_FAILED);
  EXPECT_EQ(next.transition().number(), 3u);
}

TEST_F(BreakerAdminWatch, BreakersMadeLaterShowUpByTheirChanges) {
  AdminWatch watch(*admin_.stub);
  ASSERT_TRUE(watch.Next().snapshot().complete());
  admin_.Make("later")->SetMode(Mode::kForcedOpen);
  ExpectTransition(watch.Next(), "later", v1::CLOSED, v1::OPEN, v1::FORCED);
}

TEST_F(BreakerAdminWatch, ABreakerThatTakesThePlaceOfAnotherIsTold) {
  const auto before = admin_.Make("a");
  before->SetMode(Mode::kForcedOpen);
  before->SetMode(Mode::kAutomatic);
  AdminWatch watch(*admin_.stub);
  ASSERT_TRUE(watch.Next().snapshot().complete());
  admin_.registry->Remove({"a", "", ""});
  admin_.Make("a")->SetMode(Mode::kForcedOpen);
  const v1::WatchResponse next = watch.Next();
  ExpectTransition(next, "a", v1::CLOSED, v1::OPEN, v1::FORCED);
  EXPECT_EQ(next.transition().number(), 1u);
}

TEST_F(BreakerAdminWatch, AFilterByKeyLeavesTheOthersOut) {
  const auto wanted = admin_.Make("\xFFwanted", "a.B", "C");
  const auto other = admin_.Make("other", "a.B", "C");
  v1::WatchRequest request;
  request.mutable_filter()->mutable_key()->set_name(
      "\xEF\xBF\xBD"
      "ffwanted");
  AdminWatch watch(*admin_.stub, request);
  EXPECT_EQ(watch.Next().snapshot().breakers_size(), 1);
  other->SetMode(Mode::kForcedOpen);
  wanted->SetMode(Mode::kForcedOpen);
  EXPECT_EQ(watch.Next().transition().key().name(),
            request.filter().key().name());
}

TEST_F(BreakerAdminWatch, AFilterByAnythingElseIsRefused) {
  v1::WatchRequest states;
  states.mutable_filter()->add_states(v1::OPEN);
  v1::WatchResponse none;
  AdminWatch watch(*admin_.stub, states);
  EXPECT_FALSE(watch.reader->Read(&none));
  const grpc::Status status = watch.reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "filter.states has 1 elements, must be empty in a watch");

  v1::WatchRequest modes;
  modes.mutable_filter()->add_modes(v1::SHADOW);
  AdminWatch other(*admin_.stub, modes);
  EXPECT_FALSE(other.reader->Read(&none));
  EXPECT_EQ(other.reader->Finish().error_message(),
            "filter.modes has 1 elements, must be empty in a watch");
}

TEST_F(BreakerAdminWatch, WatchesDoNotDisturbEachOther) {
  const auto breaker = admin_.Make("a");
  std::vector<std::unique_ptr<AdminWatch>> watches;
  for (int i = 0; i < 5; ++i) {
    watches.push_back(std::make_unique<AdminWatch>(*admin_.stub));
    ASSERT_TRUE(watches.back()->Next().snapshot().complete());
  }
  EXPECT_EQ(watches[2]->Cancel().error_code(), grpc::StatusCode::CANCELLED);
  breaker->SetMode(Mode::kForcedOpen);
  for (const size_t i : {0, 1, 3, 4}) {
    EXPECT_EQ(watches[i]->Next().transition().to(), v1::OPEN);
  }
}

TEST_F(BreakerAdminWatch, AWatchThatIsOverLeavesNothingBehind) {
  const auto breaker = admin_.Make("a");
  for (int i = 0; i < 10; ++i) {
    AdminWatch watch(*admin_.stub);
    ASSERT_TRUE(watch.Next().snapshot().complete());
    if (i % 2 == 0) watch.Cancel();
  }
  admin_.server->Shutdown();  // waits for all to be over
  // The test and the service have it.
  EXPECT_EQ(admin_.registry.use_count(), 3);  // the service and its hub
  EXPECT_EQ(breaker.use_count(), 2);
  breaker->SetMode(Mode::kForcedOpen);
}

TEST_F(BreakerAdminWatch, StopEndsWatchesSoThatAServerShutsDown) {
  const auto breaker = admin_.Make("a");
  AdminWatch watch(*admin_.stub);
  ASSERT_TRUE(watch.Next().snapshot().complete());
  admin_.service->Stop();
  admin_.server->Shutdown();  // without a deadline
  v1::WatchResponse none;
  EXPECT_FALSE(watch.reader->Read(&none));
  EXPECT_EQ(watch.reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  breaker->SetMode(Mode::kForcedOpen);
}

TEST_F(BreakerAdminWatch, StopEndsOneWhoseReaderDoesNotRead) {
  for (int i = 0; i < 1000; ++i) {
    admin_.Make(absl::StrCat(std::string(900, 'n'), i));
  }
  AdminWatch watch(*admin_.stub);
  watch.Next();
  admin_.service->Stop();
  admin_.server->Shutdown();  // without a deadline
  EXPECT_FALSE(watch.Cancel().ok());
}

TEST_F(BreakerAdminWatch, AfterStopThereAreNoOthers) {
  admin_.service->Stop();
  AdminWatch watch(*admin_.stub);
  v1::WatchResponse none;
  EXPECT_FALSE(watch.reader->Read(&none));
  EXPECT_EQ(watch.reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(BreakerAdminWatches, AreBounded) {
  const Watchdog watchdog("too many watches");
  BreakerAdminOptions options;
  options.max_watches = 2;
  AdminServer admin(options);
  std::vector<std::unique_ptr<AdminWatch>> watches;
  for (int i = 0; i < 2; ++i) {
    watches.push_back(std::make_unique<AdminWatch>(*admin.stub));
    ASSERT_TRUE(watches.back()->Next().snapshot().complete());
  }
  AdminWatch another(*admin.stub);
  v1::WatchResponse none;
  EXPECT_FALSE(another.reader->Read(&none));
  const grpc::Status status = another.reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(),
            "there are 2 watches already, and may be no more");
  // One that ended makes room, as soon as the server knows.
  watches.front()->Cancel();
  for (bool takes_another = false; !takes_another;) {
    AdminWatch next(*admin.stub);
    takes_another = next.Next().snapshot().complete();
  }
}

TEST_F(BreakerAdminWatch, WhatWasRemovedIsNotTold) {
  const auto removed = admin_.Make("a");
  AdminWatch watch(*admin_.stub);
  ASSERT_TRUE(watch.Next().snapshot().complete());
  ASSERT_TRUE(admin_.registry->Remove({"a"}));
  const auto made = admin_.Make("a");
  removed->SetMode(Mode::kForcedOpen);
  made->SetMode(Mode::kForcedOpen);
  made->SetMode(Mode::kAutomatic);
  v1::WatchResponse next = watch.Next();
  EXPECT_EQ(next.transition().to(), v1::OPEN);
  next = watch.Next();
  EXPECT_EQ(next.transition().to(), v1::HALF_OPEN);
}

TEST_F(BreakerAdminWatch, AServerThatShutsDownEndsItsWatches) {
  const auto breaker = admin_.Make("a");
  std::vector<std::unique_ptr<AdminWatch>> watches;
  for (int i = 0; i < 5; ++i) {
    watches.push_back(std::make_unique<AdminWatch>(*admin_.stub));
    ASSERT_TRUE(watches.back()->Next().snapshot().complete());
  }
  admin_.Stop();
  for (const auto& watch : watches) {
    v1::WatchResponse none;
    EXPECT_FALSE(watch->reader->Read(&none));
    EXPECT_FALSE(watch->reader->Finish().ok());
  }
  breaker->SetMode(Mode::kForcedOpen);
  EXPECT_EQ(admin_.registry.use_count(), 3);  // the service and its hub
}

TEST_F(BreakerAdminWatch, BreakersMayOutliveTheServerAndItsRegistry) {
  const auto breaker = admin_.Make("a");
  AdminWatch watch(*admin_.stub);
  ASSERT_TRUE(watch.Next().snapshot().complete());
  admin_.registry.reset();  // the service still has it
  breaker->SetMode(Mode::kForcedOpen);
  EXPECT_EQ(watch.Next().transition().to(), v1::OPEN);
  admin_.Stop();
  admin_.service.reset();
  breaker->SetMode(Mode::kAutomatic);
  EXPECT_EQ(breaker->Snapshot().state, State::kHalfOpen);
}

}  // namespace
}  // namespace autobreaker
