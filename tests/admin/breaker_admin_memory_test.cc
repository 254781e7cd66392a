// A call that changes a state, and the thread that tells watches of it, survive
// any allocation that fails: what could not be told is missed. (Not so within
// gRPC, which ends the process.)
#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "autobreaker/admin/internal/breaker_watch.h"
#include "autobreaker/admin/internal/watch_hub.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/transition_listener.h"
#include "autobreaker/tests/admin/admin_server.h"
#include "autobreaker/tests/admin/watch_picture.h"
#include "autobreaker/tests/support/allocation_count.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

// More allocations than a change of state has, told or not.
constexpr int64_t kAllocations = 30;

// Too long for any string to keep in itself.
const char kName[] = "a name that needs memory of its own";

// In the thread that tells of changes, lets the next but `failing` allocation
// fail for those who are told next; or none from here on, if it is negative.
class Failing final : public TransitionListener {
 public:
  void OnTransition(const Transition&) noexcept override {
    const int64_t which = failing.exchange(-1);
    if (which >= 0) {
      FailAllocationOfThisThread(which);
    } else {
      FailNoAllocationOfThisThread();
    }
  }
  std::atomic<int64_t> failing{-1};
};

TEST(BreakerAdminMemory, AChangeThatCannotWaitIsMissed) {
  AdminServer admin;
  const auto breaker = admin.Make(kName);
  // Far more than is sent to a reader that does not read.
  for (int i = 0; i < 1000; ++i) {
    admin.Make(absl::StrCat(std::string(900, 'n'), i));
  }
  const auto fails = std::make_shared<Failing>();
  const auto fails_no_more = std::make_shared<Failing>();
  admin.registry->AddListener(fails);
  int64_t missed = 0;
  for (int64_t failing = 0; failing < kAllocations; ++failing) {
    SCOPED_TRACE(failing);
    Watchdog watchdog("a watch without memory");
    AdminWatch watch(*admin.stub);
    WatchPicture picture;
    picture.Add(watch.Next());
    // After the watches, which are told since there is one.
    if (failing == 0) admin.registry->AddListener(fails_no_more);
    fails->failing = failing;
    breaker->SetMode(Mode::kForcedOpen);
    breaker->SetMode(Mode::kAutomatic);
    while (!picture.IsUpToDate(*admin.registry)) picture.Add(watch.Next());
    picture.ExpectStatesOf(*admin.registry);
    missed += picture.missed();
  }
  EXPECT_GT(missed, 0);
}

// A5: it was 240 bytes for each breaker. On a stream that is bound to no call,
// so that gRPC allocates nothing.
TEST(BreakerAdminMemory, AnIdleWatchKeepsNothingOfWhatItShowed) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer's memory is not counted";
#endif
  const auto registry = BreakerRegistry::Create().value();
  for (int i = 0; i < 1000; ++i) {
    const auto breaker = registry->GetOrCreate({absl::StrCat("b", i)});
    breaker->SetMode(Mode::kForcedOpen);
    breaker->SetMode(Mode::kAutomatic);
  }
  registry->FlushTransitions();
  auto hub = std::make_shared<WatchHub>(registry, /*most=*/2);
  // The first takes memory that the hub and protobuf keep.
  size_t taken = 0;
  BreakerWatch* watches[2];
  for (BreakerWatch*& watch : watches) {
    const size_t before = mallinfo2().uordblks;
    watch =
        BreakerWatch::Start(registry, hub, /*context=*/nullptr, BreakerKey())
            .value();
    for (size_t i = 0; i < 1000 / BreakerWatch::kBreakersPerMessage; ++i) {
      watch->OnWriteDone(true);
    }
    taken = mallinfo2().uordblks - before;
  }
  // It takes 17 kB, and would take 51.
  EXPECT_LT(taken, 30'000u);
  for (BreakerWatch* const watch : watches) watch->OnDone();
  hub->Stop();
}

// On a stream that is bound to no call, so that gRPC allocates nothing.
TEST(BreakerAdminMemory, AChangeThatCannotBeWrittenEndsNothing) {
  for (int64_t failing = 0; failing < kAllocations; ++failing) {
    SCOPED_TRACE(failing);
    const auto registry = BreakerRegistry::Create().value();
    auto hub = std::make_shared<WatchHub>(registry, /*most=*/1);
    BreakerWatch* const watch =
        BreakerWatch::Start(registry, hub, /*context=*/nullptr, BreakerKey())
            .value();
    watch->OnWriteDone(true);  // of the snapshot: now it is idle
    Transition transition;
    transition.key.name = kName;
    FailAllocationOfThisThread(failing);
    watch->OnTransition(transition);
    FailNoAllocationOfThisThread();
    watch->OnWriteDone(true);
    watch->OnDone();
    hub->Stop();
    hub.reset();
    EXPECT_EQ(registry.use_count(), 1);
  }
}

}  // namespace
}  // namespace autobreaker
