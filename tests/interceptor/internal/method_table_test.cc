#include "autobreaker/interceptor/internal/method_table.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

std::shared_ptr<BreakerRegistry> RegistryFor(int64_t max_breakers) {
  RegistryOptions options;
  options.max_breakers = max_breakers;
  return BreakerRegistry::Create(options).value();
}

TEST(KeyForMethod, SplitsServiceFromMethod) {
  EXPECT_EQ(KeyForMethod("n", "/pkg.Service/Method"),
            (BreakerKey{"n", "pkg.Service", "Method"}));
}

TEST(KeyForMethod, SplitsAtTheLastSlash) {
  EXPECT_EQ(KeyForMethod("n", "/a/b/c"), (BreakerKey{"n", "a/b", "c"}));
}

TEST(KeyForMethod, WithoutASlashIsAllMethod) {
  EXPECT_EQ(KeyForMethod("n", "Method"), (BreakerKey{"n", "", "Method"}));
  EXPECT_EQ(KeyForMethod("n", "/Method"), (BreakerKey{"n", "", "Method"}));
}

TEST(KeyForMethod, OfNothingIsEmpty) {
  EXPECT_EQ(KeyForMethod("n", ""), (BreakerKey{"n", "", ""}));
  EXPECT_EQ(KeyForMethod("n", "/"), (BreakerKey{"n", "", ""}));
}

TEST(KeyForPartition, HasMethodAndPartition) {
  EXPECT_EQ(KeyForPartition("n", PartitionText("/a.B/C", "seven")),
            (BreakerKey{"n", "a.B", "C", "seven"}));
}

TEST(KeyForPartition, TellsApartWhatReadsTheSame) {
  EXPECT_NE(PartitionText("/a/b", "c"), PartitionText("/a/", "bc"));
  EXPECT_EQ(KeyForPartition("n", PartitionText("/1:a/b:2", ":3")),
            (BreakerKey{"n", "1:a", "b:2", ":3"}));
}

TEST(MethodTable, HasNothingForMorePartitionsThanItMayHold) {
  auto registry = RegistryFor(10);
  MethodTable table(registry, "n", {}, &KeyForPartition, /*most=*/2);
  EXPECT_NE(table.Find(PartitionText("/a/b", "1")), nullptr);
  EXPECT_NE(table.Find(PartitionText("/a/b", "2")), nullptr);
  EXPECT_EQ(table.Find(PartitionText("/a/b", "3")), nullptr);
  EXPECT_NE(table.Find(PartitionText("/a/b", "1")), nullptr);
  EXPECT_EQ(registry->Breakers().size(), 2);
}

TEST(MethodTable, MoreMethodsThanItMayHoldShareABreaker) {
  auto registry = RegistryFor(10);
  MethodTable table(registry, "n", {}, &KeyForMethod, /*most=*/2);
  RegisteredBreaker* const one = table.Find("/a/1");
  EXPECT_NE(one, nullptr);
  EXPECT_NE(table.Find("/a/2"), nullptr);
  RegisteredBreaker* const shared = table.Find("/a/3");
  ASSERT_NE(shared, nullptr);
  EXPECT_EQ(shared->key(), BreakerKey{"n"});
  EXPECT_EQ(table.Find("/a/4"), shared);
  EXPECT_EQ(table.Find("/a/1"), one);
  EXPECT_EQ(registry->Breakers().size(), 3);
}

TEST(MethodTable, GivesItsBreakersBackWhenItEnds) {
  auto registry = RegistryFor(1);
  {
    MethodTable table(registry, "n");
    ASSERT_NE(table.Find("/a/1"), nullptr);
    EXPECT_EQ(registry->GetOrCreate({"other"}), nullptr);
  }
  // Not looked at again for a while.
  const auto deadline = absl::Now() + absl::Seconds(30);
  while (registry->GetOrCreate({"other"}) == nullptr) {
    ASSERT_LT(absl::Now(), deadline);
  }
}

TEST(MethodTable, BreakerThatReplacesAnotherTakesNoMoreRoom) {
  auto registry = RegistryFor(10);
  MethodTable table(registry, "n", {}, &KeyForMethod, /*most=*/1);
  for (int i = 0; i < 3; ++i) {
    ASSERT_NE(table.Find("/a/1"), nullptr);
    registry->Remove({"n", "a", "1"});
  }
}

TEST(MethodTable, FindsTheRegistrysBreaker) {
  const auto registry = RegistryFor(10);
  MethodTable table(registry, "n");
  EXPECT_EQ(table.Find("/s/m"), registry->GetOrCreate({"n", "s", "m"}).get());
}

TEST(MethodTable, FindsTheSameBreakerEveryTime) {
  MethodTable table(RegistryFor(10), "n");
  EXPECT_EQ(table.Find("/s/m"), table.Find(std::string("/s/m")));
}

TEST(MethodTable, KeepsManyMethodsApart) {
  MethodTable table(RegistryFor(1000), "n");
  for (int i = 0; i < 1000; ++i) table.Find(absl::StrCat("/s/", i));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(table.Find(absl::StrCat("/s/", i))->key().method,
              absl::StrCat(i));
  }
}

TEST(MethodTable, HasNothingForWhatTheRegistryHasNoRoomFor) {
  const auto registry = RegistryFor(1);
  MethodTable table(registry, "n");
  EXPECT_NE(table.Find("/s/first"), nullptr);
  EXPECT_EQ(table.Find("/s/second"), nullptr);
  EXPECT_EQ(table.Find("/s/second"), nullptr);
  EXPECT_EQ(registry->overflow_total(), 2u);
}

TEST(MethodTable, FindsANewBreakerWhenTheOldOneWasRemoved) {
  const auto registry = RegistryFor(10);
  MethodTable table(registry, "n");
  CircuitBreaker* const old = table.Find("/s/m");
  registry->Remove({"n", "s", "m"});
  CircuitBreaker* const found = table.Find("/s/m");
  EXPECT_NE(found, old);
  EXPECT_EQ(found, registry->GetOrCreate({"n", "s", "m"}).get());
}

TEST(MethodTable, KeepsARemovedBreakerForTheCallsThatUseIt) {
  const auto registry = RegistryFor(10);
  MethodTable table(registry, "n");
  Permit permit = table.Find("/s/m")->TryAcquire();
  registry->Remove({"n", "s", "m"});
  table.Find("/s/m");
  permit.Record(Outcome::kSuccess);  // AddressSanitizer would tell
}

TEST(MethodTable, ThreadsThatRaceToAMethodGetTheSameBreaker) {
  constexpr int kThreads = 8;
  constexpr int kMethods = 500;
  MethodTable table(RegistryFor(kMethods), "n");
  std::vector<std::vector<CircuitBreaker*>> found(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&table, &mine = found[t]] {
      for (int i = 0; i < kMethods; ++i) {
        mine.push_back(table.Find(absl::StrCat("/s/", i)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 1; t < kThreads; ++t) EXPECT_EQ(found[t], found[0]);
}

}  // namespace
}  // namespace autobreaker
