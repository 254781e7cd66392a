#include "autobreaker/breaker/registry.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<BreakerRegistry> MakeRegistry(RegistryOptions options = {}) {
  return BreakerRegistry::Create(std::move(options)).value();
}

// Options told apart by this number.
BreakerOptions Numbered(int64_t minimum_calls) {
  BreakerOptions options = RateOptions();
  options.trip.minimum_calls = minimum_calls;
  return options;
}

int64_t NumberOf(const std::shared_ptr<CircuitBreaker>& breaker) {
  return breaker->options().trip.minimum_calls;
}

const BreakerKey& PlaceKey() {
  static const auto* key = new BreakerKey{"payments", "shop.Orders", "Place"};
  return *key;
}

TEST(RegistryTest, StartsEmpty) {
  EXPECT_THAT(MakeRegistry()->Breakers(), IsEmpty());
}

TEST(RegistryTest, MakesABreakerOnFirstUse) {
  const auto registry = MakeRegistry();
  const auto breaker = registry->GetOrCreate(PlaceKey());
  ASSERT_NE(breaker, nullptr);
  EXPECT_TRUE(breaker->key() == PlaceKey());
  EXPECT_EQ(registry->Breakers().size(), 1);
}

TEST(RegistryTest, AnswersTheSameBreakerAgain) {
  const auto registry = MakeRegistry();
  EXPECT_EQ(registry->GetOrCreate(PlaceKey()),
            registry->GetOrCreate(PlaceKey()));
}

TEST(RegistryTest, EveryPartOfTheKeyTellsBreakersApart) {
  const auto registry = MakeRegistry();
  const std::set<std::shared_ptr<CircuitBreaker>> breakers = {
      registry->GetOrCreate({"a", "b", "c"}),
      registry->GetOrCreate({"x", "b", "c"}),
      registry->GetOrCreate({"a", "x", "c"}),
      registry->GetOrCreate({"a", "b", "x"}),
      registry->GetOrCreate({"ab", "", "c"}),
      registry->GetOrCreate({"a", "bc", ""}),
  };
  EXPECT_EQ(breakers.size(), 6);
}

TEST(RegistryTest, ThreadsThatAskAtOnceGetOneBreaker) {
  const auto registry = MakeRegistry();
  std::vector<std::shared_ptr<CircuitBreaker>> got(8);
  RunThreads(8, [&](int t) {
    for (int i = 0; i < 100; ++i) {
      got[t] = registry->GetOrCreate({"name", "", std::to_string(i)});
    }
  });
  for (const auto& breaker : got) EXPECT_EQ(breaker, got[0]);
  EXPECT_EQ(registry->Breakers().size(), 100);
}

TEST(RegistryTest, BreakersTakeTheDefaults) {
  RegistryOptions options;
  options.defaults = Numbered(7);
  EXPECT_EQ(NumberOf(MakeRegistry(options)->GetOrCreate(PlaceKey())), 7);
}

TEST(RegistryTest, BreakersTakeTheEnvironment) {
  FakeClock clock;
  std::vector<BreakerKey> opened;
  RegistryOptions options;
  options.defaults = RateOptions();
  options.instruments.clock = &clock;
  options.instruments.on_transition = [&](const Transition& transition) {
    opened.push_back(transition.key);
  };
  const auto breaker = MakeRegistry(options)->GetOrCreate(PlaceKey());
  for (int i = 0; i < 20; ++i) breaker->TryAcquire().Record(Outcome::kFailure);
  breaker->FlushTransitions();
  ASSERT_EQ(opened.size(), 1);
  EXPECT_TRUE(opened[0] == PlaceKey());
  EXPECT_EQ(breaker->Snapshot().last_transition_time, clock.WallNow());
}

TEST(RegistryTest, ListsInTheOrderOfKeys) {
  const auto registry = MakeRegistry();
  registry->GetOrCreate({"b", "a", "a"});
  registry->GetOrCreate({"a", "b", "a"});
  registry->GetOrCreate({"a", "a", "b"});
  registry->GetOrCreate({"a", "a", "a"});
  std::vector<BreakerKey> keys;
  for (const auto& breaker : registry->Breakers()) {
    keys.push_back(breaker->key());
  }
  const std::vector<BreakerKey> expected = {
      {"a", "a", "a"}, {"a", "a", "b"}, {"a", "b", "a"}, {"b", "a", "a"}};
  EXPECT_TRUE(keys == expected);
}

// ------------------------------------------------------------------- Limits

std::shared_ptr<BreakerRegistry> RegistryOf(int64_t max_breakers,
                                            const Clock* clock = nullptr) {
  RegistryOptions options;
  options.max_breakers = max_breakers;
  if (clock != nullptr) options.instruments.clock = clock;
  return MakeRegistry(options);
}

TEST(RegistryTest, RegistryFullOfBreakersThatAreHeldAnswersNull) {
  const auto registry = RegistryOf(2);
  const auto one = registry->GetOrCreate({"1", "", ""});
  const auto two = registry->GetOrCreate({"2", "", ""});
  EXPECT_EQ(registry->GetOrCreate({"3", "", ""}), nullptr);
  EXPECT_EQ(registry->Breakers().size(), 2);
}

TEST(RegistryTest, FullRegistryStillKnowsItsBreakers) {
  const auto registry = RegistryOf(1);
  const auto breaker = registry->GetOrCreate({"1", "", ""});
  EXPECT_EQ(registry->GetOrCreate({"1", "", ""}), breaker);
  EXPECT_EQ(registry->overflow_total(), 0);
}

TEST(RegistryTest, EveryCallWithoutABreakerIsCounted) {
  const auto registry = RegistryOf(1);
  const auto held = registry->GetOrCreate({"1", "", ""});
  for (int i = 0; i < 5; ++i) registry->GetOrCreate({"2", "", ""});
  EXPECT_EQ(registry->overflow_total(), 5);
}

TEST(RegistryTest, RemoveMakesRoom) {
  const auto registry = RegistryOf(1);
  const auto held = registry->GetOrCreate({"1", "", ""});
  registry->Remove({"1", "", ""});
  EXPECT_NE(registry->GetOrCreate({"2", "", ""}), nullptr);
}

TEST(RegistryTest, ThreadsNeverExceedTheLimit) {
  const auto registry = RegistryOf(10);
  std::atomic<int> made{0};
  std::vector<std::vector<std::shared_ptr<RegisteredBreaker>>> held(8);
  RunThreads(8, [&](int t) {
    for (int i = 0; i < 100; ++i) {
      const std::string name = std::to_string(t * 100 + i);
      held[t].push_back(registry->GetOrCreate({name, "", ""}));
      made += held[t].back() != nullptr;
    }
  });
  EXPECT_EQ(made.load(), 10);
  EXPECT_EQ(registry->Breakers().size(), 10);
  EXPECT_EQ(registry->overflow_total(), 790);
}

// ------------------------------------------------------------- Making room

TEST(RegistryRoomTest, OneThatNobodyHoldsMakesRoom) {
  const auto registry = RegistryOf(2);
  const auto held = registry->GetOrCreate({"held", "", ""});
  registry->GetOrCreate({"unheld", "", ""});
  EXPECT_NE(registry->GetOrCreate({"new", "", ""}), nullptr);
  EXPECT_NE(registry->Find({"held", "", ""}), nullptr);
  EXPECT_EQ(registry->Find({"unheld", "", ""}), nullptr);
  EXPECT_EQ(registry->overflow_total(), 0);
}

TEST(RegistryRoomTest, TheLongestUnheldGoesFirst) {
  FakeClock clock;
  const auto registry = RegistryOf(3, &clock);
  for (const char* const name : {"b", "c", "a", "b"}) {
    registry->GetOrCreate({name, "", ""});
    clock.Advance(absl::Seconds(1));
  }
  for (const char* const gone : {"c", "a", "b"}) {
    EXPECT_NE(registry->Find({gone, "", ""}), nullptr);
    registry->GetOrCreate({std::string("after ") + gone, "", ""});
    EXPECT_EQ(registry->Find({gone, "", ""}), nullptr) << gone;
  }
}

TEST(RegistryRoomTest, OneThatIsHeldAgainStays) {
  FakeClock clock;
  const auto registry = RegistryOf(3, &clock);
  for (const char* const name : {"a", "b", "c"}) {
    registry->GetOrCreate({name, "", ""});
    clock.Advance(absl::Seconds(1));
  }
  registry->GetOrCreate({"d", "", ""});  // in the place of a
  const auto held = registry->GetOrCreate({"b", "", ""});
  registry->GetOrCreate({"e", "", ""});
  EXPECT_EQ(registry->Find({"b", "", ""}), held);
  EXPECT_EQ(registry->Find({"c", "", ""}), nullptr);
}

// A permit does not keep its breaker alive.
TEST(RegistryRoomTest, OneWithACallUnderWayStays) {
  FakeClock clock;
  const auto registry = RegistryOf(1, &clock);
  Permit permit = registry->GetOrCreate({"a", "", ""})->TryAcquire();
  EXPECT_EQ(registry->GetOrCreate({"b", "", ""}), nullptr);
  permit.Record(Outcome::kSuccess);
  EXPECT_EQ(registry->Find({"a", "", ""})->Snapshot().successes, 1u);
  EXPECT_NE(registry->GetOrCreate({"b", "", ""}), nullptr);
}

TEST(RegistryRoomTest, ThereIsRoomSoonAfterAllWereHeld) {
  FakeClock clock;
  const auto registry = RegistryOf(1, &clock);
  auto held = registry->GetOrCreate({"a", "", ""});
  EXPECT_EQ(registry->GetOrCreate({"b", "", ""}), nullptr);
  held.reset();
  clock.Advance(absl::Milliseconds(100));
  EXPECT_NE(registry->GetOrCreate({"b", "", ""}), nullptr);
}

TEST(RegistryRoomTest, WhatWasCountedGoesOn) {
  const auto registry = RegistryOf(1);
  const auto call = [&](const char* name, Outcome outcome) {
    registry->GetOrCreate({name, "", ""})->TryAcquire().Record(outcome);
  };
  call("a", Outcome::kSuccess);
  call("a", Outcome::kFailure);
  call("b", Outcome::kIgnored);
  registry->GetOrCreate({"b", "", ""})->TryAcquire();
  registry->GetOrCreate({"b", "", ""})->SetMode(Mode::kForcedOpen);
  registry->GetOrCreate({"b", "", ""})->TryAcquire();
  registry->Remove({"b", "", ""});
  const RemovedBreakers removed = registry->removed_breakers();
  EXPECT_EQ(removed.made_room, 1u);
  EXPECT_EQ(removed.taken_out, 1u);
  EXPECT_EQ(removed.requests, 4u);
  EXPECT_EQ(removed.successes, 1u);
  EXPECT_EQ(removed.failures, 1u);
  EXPECT_EQ(removed.ignored, 1u);
  EXPECT_EQ(removed.abandoned, 1u);
  EXPECT_EQ(removed.refused, 1u);
}

TEST(RegistryRoomTest, AnyNumberOneAfterTheOtherEachGetABreaker) {
  const auto registry = RegistryOf(1024);
  for (int i = 0; i < 20'000; ++i) {
    const auto breaker = registry->GetOrCreate({std::to_string(i), "", ""});
    ASSERT_NE(breaker, nullptr) << i;
    if (i % 1000 == 0) breaker->TryAcquire().Record(Outcome::kSuccess);
  }
  EXPECT_EQ(registry->Breakers().size(), 1024u);
  EXPECT_EQ(registry->overflow_total(), 0u);
}

TEST(RegistryTest, LongestKeyGetsABreaker) {
  const BreakerKey key{std::string(300, 'a'), std::string(300, 'b'),
                       std::string(424, 'c')};
  EXPECT_NE(MakeRegistry()->GetOrCreate(key), nullptr);
}

TEST(RegistryTest, LongerKeyGetsNoBreakerAndIsCounted) {
  const auto registry = MakeRegistry();
  EXPECT_EQ(registry->GetOrCreate({std::string(300, 'a'), std::string(300, 'b'),
                                   std::string(425, 'c')}),
            nullptr);
  EXPECT_THAT(registry->Breakers(), IsEmpty());
  EXPECT_EQ(registry->overflow_total(), 1);
}

TEST(RegistryTest, HugeKeyGetsNoBreaker) {
  const std::string huge(10'240, 'x');
  const auto registry = MakeRegistry();
  EXPECT_EQ(registry->GetOrCreate({huge, "", ""}), nullptr);
  EXPECT_EQ(registry->GetOrCreate({"", huge, ""}), nullptr);
  EXPECT_EQ(registry->GetOrCreate({"", "", huge}), nullptr);
  EXPECT_FALSE(registry->Remove({huge, huge, huge}));
}

TEST(RegistryTest, AnyBytesMakeAKey) {
  const auto registry = MakeRegistry();
  const std::vector<std::string> strings = {
      "",
      std::string("\0", 1),
      std::string("a\0b", 3),
      "\xff\xfe",
      "\xc3",
      "\r\n",
      "{}\"'\\$;--%s%n/..",
      "\u2028",
  };
  for (const std::string& s : strings) {
    const BreakerKey key{s, s, s};
    const auto breaker = registry->GetOrCreate(key);
    ASSERT_NE(breaker, nullptr);
    EXPECT_TRUE(breaker->Snapshot().key == key);
  }
  EXPECT_EQ(registry->Breakers().size(), strings.size());
}

// ------------------------------------------------------------------ Removal

TEST(RegistryTest, RemovedBreakerIsNoLongerListed) {
  const auto registry = MakeRegistry();
  registry->GetOrCreate(PlaceKey());
  EXPECT_TRUE(registry->Remove(PlaceKey()));
  EXPECT_THAT(registry->Breakers(), IsEmpty());
}

TEST(RegistryTest, RemovedBreakerKnowsIt) {
  const auto registry = MakeRegistry();
  const auto breaker = registry->GetOrCreate(PlaceKey());
  EXPECT_FALSE(breaker->removed());
  registry->Remove(PlaceKey());
  EXPECT_TRUE(breaker->removed());
}

TEST(RegistryTest, RemovedBreakerGoesOnWorking) {
  RegistryOptions options;
  options.defaults = RateOptions();
  const auto registry = MakeRegistry(options);
  const auto breaker = registry->GetOrCreate(PlaceKey());
  Permit permit = breaker->TryAcquire();
  registry->Remove(PlaceKey());
  permit.Record(Outcome::kFailure);
  for (int i = 0; i < 19; ++i) breaker->TryAcquire().Record(Outcome::kFailure);
  EXPECT_EQ(breaker->Snapshot().state, State::kOpen);
}

TEST(RegistryTest, KeyOfARemovedBreakerGetsANewOne) {
  const auto registry = MakeRegistry();
  const auto old = registry->GetOrCreate(PlaceKey());
  registry->Remove(PlaceKey());
  const auto fresh = registry->GetOrCreate(PlaceKey());
  EXPECT_NE(fresh, old);
  EXPECT_FALSE(fresh->removed());
}

TEST(RegistryTest, RemoveOfAnUnknownKeyIsFalse) {
  EXPECT_FALSE(MakeRegistry()->Remove(PlaceKey()));
}

TEST(RegistryTest, BreakerOutlivesItsRegistry) {
  auto registry = MakeRegistry();
  const auto breaker = registry->GetOrCreate(PlaceKey());
  registry.reset();
  breaker->TryAcquire().Record(Outcome::kSuccess);
  EXPECT_EQ(breaker->Snapshot().successes, 1);
}

TEST(RegistryTest, RegistriesDoNotSeeEachOther) {
  const auto a = MakeRegistry();
  const auto b = MakeRegistry();
  const auto breaker = a->GetOrCreate(PlaceKey());
  EXPECT_THAT(b->Breakers(), IsEmpty());
  EXPECT_NE(b->GetOrCreate(PlaceKey()), breaker);
  ASSERT_TRUE(a->SetOptions(BreakerKey(), Numbered(7)).ok());
  EXPECT_EQ(NumberOf(b->GetOrCreate(PlaceKey())), 20);
  b->Remove(PlaceKey());
  EXPECT_FALSE(breaker->removed());
}

// ------------------------------------------------------------------ Options

TEST(RegistryTest, OptionsApplyToNewBreakers) {
  const auto registry = MakeRegistry();
  ASSERT_TRUE(registry->SetOptions(PlaceKey(), Numbered(7)).ok());
  EXPECT_EQ(NumberOf(registry->GetOrCreate(PlaceKey())), 7);
}

TEST(RegistryTest, OptionsApplyToExistingBreakers) {
  const auto registry = MakeRegistry();
  const auto breaker = registry->GetOrCreate(PlaceKey());
  ASSERT_TRUE(registry->SetOptions(PlaceKey(), Numbered(7)).ok());
  EXPECT_EQ(NumberOf(breaker), 7);
}

TEST(RegistryTest, OptionsApplyOnlyInTheirScope) {
  const auto registry = MakeRegistry();
  const auto other = registry->GetOrCreate({"payments", "shop.Orders", "Get"});
  ASSERT_TRUE(registry->SetOptions(PlaceKey(), Numbered(7)).ok());
  EXPECT_EQ(NumberOf(other), 20);
}

TEST(RegistryTest, ScopeWithAPartitionIsRefused) {
  auto registry = BreakerRegistry::Create().value();
  const absl::Status status =
      registry->SetOptions({"n", "s", "m", "p"}, BreakerOptions());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), testing::HasSubstr("scope.partition is \"p\""));
}

TEST(RegistryTest, OptionsOfAMethodAreThoseOfItsPartitions) {
  auto registry = BreakerRegistry::Create().value();
  BreakerOptions options;
  options.open.duration = absl::Seconds(7);
  ASSERT_TRUE(registry->SetOptions({"n", "s", "m"}, options).ok());
  EXPECT_EQ(registry->GetOrCreate({"n", "s", "m", "p"})->options(), options);
}

TEST(RegistryTest, EmptyScopeReplacesTheDefaults) {
  const auto registry = MakeRegistry();
  const auto old = registry->GetOrCreate({"old", "", ""});
  ASSERT_TRUE(registry->SetOptions(BreakerKey(), Numbered(7)).ok());
  EXPECT_EQ(NumberOf(old), 7);
  EXPECT_EQ(NumberOf(registry->GetOrCreate({"new", "", ""})), 7);
}

// From the least specific to the most.
const std::vector<BreakerKey>& Scopes() {
  static const auto* scopes = new std::vector<BreakerKey>{
      {"", "", ""},
      {"payments", "", ""},
      {"", "shop.Orders", ""},
      {"payments", "shop.Orders", ""},
      {"", "shop.Orders", "Place"},
      {"payments", "shop.Orders", "Place"},
  };
  return *scopes;
}

TEST(RegistryTest, MostSpecificScopeAppliesWhateverTheOrder) {
  const int count = static_cast<int>(Scopes().size());
  for (int low = 0; low < count; ++low) {
    for (int high = low + 1; high < count; ++high) {
      for (const bool low_first : {true, false}) {
        for (const bool existing : {true, false}) {
          const auto registry = MakeRegistry();
          if (existing) registry->GetOrCreate(PlaceKey());
          for (const bool set_low : {low_first, !low_first}) {
            const int scope = set_low ? low : high;
            ASSERT_TRUE(
                registry->SetOptions(Scopes()[scope], Numbered(100 + scope))
                    .ok());
          }
          EXPECT_EQ(NumberOf(registry->GetOrCreate(PlaceKey())), 100 + high)
              << "scopes " << low << " and " << high;
        }
      }
    }
  }
}

TEST(RegistryTest, NameScopeAppliesToABreakerOutsideGrpc) {
  const auto registry = MakeRegistry();
  const auto breaker = registry->GetOrCreate({"payments", "", ""});
  ASSERT_TRUE(registry->SetOptions({"payments", "", ""}, Numbered(7)).ok());
  EXPECT_EQ(NumberOf(breaker), 7);
}

TEST(RegistryTest, MethodScopeWithoutServiceIsRefused) {
  const auto registry = MakeRegistry();
  const absl::Status status =
      registry->SetOptions({"payments", "", "Place"}, Numbered(7));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("scope.method"));
  EXPECT_EQ(NumberOf(registry->GetOrCreate({"payments", "", "Place"})), 20);
}

TEST(RegistryTest, InvalidOptionsChangeNothing) {
  const auto registry = MakeRegistry();
  const auto old = registry->GetOrCreate({"old", "", ""});
  const absl::Status status = registry->SetOptions(BreakerKey(), Numbered(0));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("trip.minimum_calls is 0"));
  EXPECT_EQ(NumberOf(old), 20);
  EXPECT_EQ(NumberOf(registry->GetOrCreate({"new", "", ""})), 20);
}

TEST(RegistryTest, CreateRefusesInvalidDefaults) {
  RegistryOptions options;
  options.defaults = Numbered(0);
  const auto registry = BreakerRegistry::Create(options);
  EXPECT_EQ(registry.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(registry.status().message()),
              HasSubstr("trip.minimum_calls is 0"));
}

TEST(RegistryTest, CreateRefusesMaxBreakersOutOfRange) {
  for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{1'000'001},
                              std::numeric_limits<int64_t>::max(),
                              std::numeric_limits<int64_t>::min()}) {
    RegistryOptions options;
    options.max_breakers = value;
    const auto registry = BreakerRegistry::Create(options);
    EXPECT_EQ(registry.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(std::string(registry.status().message()),
              "max_breakers is " + std::to_string(value) +
                  ", must be in [1, 1000000]");
  }
}

TEST(RegistryTest, CreateRefusesANullClock) {
  RegistryOptions options;
  options.instruments.clock = nullptr;
  const auto registry = BreakerRegistry::Create(options);
  EXPECT_EQ(registry.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(registry.status().message()), HasSubstr("clock"));
}

TEST(RegistryTest, ThreadsMayDoEverythingAtOnce) {
  RegistryOptions options;
  options.max_breakers = 16;
  const auto registry = MakeRegistry(options);
  RunThreads(8, [&](int t) {
    for (int i = 0; i < 500; ++i) {
      const BreakerKey key{std::to_string((t + i) % 20), "", ""};
      if (const auto breaker = registry->GetOrCreate(key)) {
        breaker->TryAcquire().Record(Outcome::kSuccess);
      }
      if (i % 7 == 0) registry->Remove(key);
      if (i % 11 == 0) registry->SetOptions(key, Numbered(1 + i)).IgnoreError();
      if (i % 13 == 0) {
        EXPECT_LE(registry->Breakers().size(), 16);
      }
    }
  });
  EXPECT_LE(registry->Breakers().size(), 16);
}

// --------------------------------------------------------------------- Keys

TEST(BreakerKeyTest, OrdersByNameThenServiceThenMethod) {
  EXPECT_TRUE((BreakerKey{"a", "z", "z"} < BreakerKey{"b", "a", "a"}));
  EXPECT_TRUE((BreakerKey{"a", "a", "z"} < BreakerKey{"a", "b", "a"}));
  EXPECT_TRUE((BreakerKey{"a", "a", "a"} < BreakerKey{"a", "a", "b"}));
  EXPECT_FALSE((BreakerKey{"a", "a", "a"} < BreakerKey{"a", "a", "a"}));
}

TEST(BreakerKeyTest, EqualKeysHaveEqualHashes) {
  const absl::Hash<BreakerKey> hash;
  EXPECT_EQ(hash({"a", "b", "c"}), hash({"a", "b", "c"}));
}

TEST(BreakerKeyTest, HashTellsThePartsApart) {
  const absl::Hash<BreakerKey> hash;
  const std::set<size_t> hashes = {
      hash({"ab", "", ""}), hash({"", "ab", ""}), hash({"", "", "ab"}),
      hash({"a", "b", ""}), hash({"a", "", "b"}), hash({"", "a", "b"}),
  };
  EXPECT_EQ(hashes.size(), 6);
}

}  // namespace
}  // namespace autobreaker
