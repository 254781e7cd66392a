#include "autobreaker/examples/shop/fault_schedule.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "absl/time/time.h"

namespace autobreaker::demo {
namespace {

constexpr ShopMethod kMethods[kShopMethodCount] = {
    ShopMethod::kGetPrice, ShopMethod::kPlaceOrder, ShopMethod::kWatchStock,
    ShopMethod::kUpload, ShopMethod::kChat};

const FaultSchedule kSchedule(kFaultCycle, /*seed=*/1);

Fault FaultAt(ShopMethod method, absl::Duration elapsed) {
  return kSchedule.FaultFor(method, elapsed, /*call=*/0);
}

TEST(FaultSchedule, BeginsHealthy) {
  for (const ShopMethod method : kMethods) {
    EXPECT_EQ(FaultAt(method, absl::ZeroDuration()), Fault::kNone)
        << ToString(method);
  }
}

TEST(FaultSchedule, BreaksSomethingWithinFiveSeconds) {
  const auto changes =
      kSchedule.Changes(absl::ZeroDuration(), absl::Seconds(5));
  ASSERT_FALSE(changes.empty());
  EXPECT_NE(changes[0].fault, Fault::kNone);
}

TEST(FaultSchedule, EveryMethodBreaksInItsOwnWayAndRecovers) {
  std::set<Fault> faults;
  std::set<ShopMethod> broken;
  for (const FaultChange& change :
       kSchedule.Changes(absl::ZeroDuration(), kFaultCycle)) {
    if (change.fault == Fault::kNone) {
      EXPECT_EQ(broken.erase(change.method), 1u);
    } else {
      EXPECT_TRUE(faults.insert(change.fault).second);
      EXPECT_TRUE(broken.insert(change.method).second);
    }
  }
  EXPECT_TRUE(broken.empty());
  EXPECT_EQ(faults.size(), 4u);
}

TEST(FaultSchedule, StartsOverAfterACycle) {
  for (const ShopMethod method : kMethods) {
    for (absl::Duration at; at < kFaultCycle; at += absl::Milliseconds(250)) {
      EXPECT_EQ(FaultAt(method, at), FaultAt(method, at + 3 * kFaultCycle));
    }
  }
}

TEST(FaultSchedule, ChangesAreWhereCallsBeginToBeTreatedOtherwise) {
  const auto changes = kSchedule.Changes(absl::ZeroDuration(), 2 * kFaultCycle);
  EXPECT_EQ(changes.size(), 16u);
  absl::Duration last;
  for (const FaultChange& change : changes) {
    EXPECT_GE(change.at, last);
    last = change.at;
    EXPECT_EQ(FaultAt(change.method, change.at), change.fault);
    EXPECT_NE(FaultAt(change.method, change.at - absl::Nanoseconds(1)),
              change.fault);
  }
}

TEST(FaultSchedule, EachChangeIsInOneStepOnly) {
  std::vector<absl::Duration> stepwise;
  constexpr absl::Duration kStep = absl::Milliseconds(500);
  for (absl::Duration at; at < 3 * kFaultCycle; at += kStep) {
    for (const FaultChange& change : kSchedule.Changes(at, at + kStep)) {
      stepwise.push_back(change.at);
    }
  }
  std::vector<absl::Duration> at_once;
  for (const FaultChange& change :
       kSchedule.Changes(absl::ZeroDuration(), 3 * kFaultCycle)) {
    at_once.push_back(change.at);
  }
  EXPECT_EQ(stepwise, at_once);
}

TEST(FaultSchedule, ALongerCycleIsTheSameInProportion) {
  const FaultSchedule slow(3 * kFaultCycle, /*seed=*/1);
  const auto changes = kSchedule.Changes(absl::ZeroDuration(), 2 * kFaultCycle);
  const auto slow_changes = slow.Changes(absl::ZeroDuration(), 6 * kFaultCycle);
  ASSERT_EQ(slow_changes.size(), changes.size());
  for (size_t i = 0; i < changes.size(); ++i) {
    const FaultChange& change = slow_changes[i];
    EXPECT_EQ(change.at, 3 * changes[i].at);
    EXPECT_EQ(change.method, changes[i].method);
    EXPECT_EQ(change.fault, changes[i].fault);
    EXPECT_EQ(slow.FaultFor(change.method, change.at, /*call=*/0),
              change.fault);
    EXPECT_NE(slow.FaultFor(change.method, change.at - absl::Nanoseconds(1),
                            /*call=*/0),
              change.fault);
  }
}

TEST(FaultSchedule, AboutOneInAHundredPricesFails) {
  const FaultSchedule other_seed(kFaultCycle, /*seed=*/2);
  int failed = 0;
  int different = 0;
  for (uint64_t call = 0; call < 10'000; ++call) {
    const auto price = [call](const FaultSchedule& schedule,
                              absl::Duration elapsed) {
      return schedule.FaultFor(ShopMethod::kGetPrice, elapsed, call);
    };
    const Fault fault = price(kSchedule, absl::ZeroDuration());
    EXPECT_EQ(fault, price(kSchedule, absl::Seconds(5)));
    if (fault != Fault::kNone) ++failed;
    if (fault != price(other_seed, absl::ZeroDuration())) ++different;
  }
  EXPECT_GT(failed, 50);
  EXPECT_LT(failed, 200);
  EXPECT_GT(different, 0) << "the seed makes no difference";
}

}  // namespace
}  // namespace autobreaker::demo
