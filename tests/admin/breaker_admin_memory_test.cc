// A call that changes a state, and the thread that tells watches of it, survive
// any allocation that fails: what could not be told is missed. (Not so within
// gRPC, which ends the process.)
#include <atomic>
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
