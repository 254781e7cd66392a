#include "autobreaker/testing/transition_recorder.h"

#include "autobreaker/breaker/registry.h"
#include "autobreaker/testing/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TransitionRecorderTest, RecordsWhatChangesFromThenOn) {
  const auto registry = BreakerRegistry::Create().value();
  const auto breaker = registry->GetOrCreate({"shop"});
  breaker->SetMode(Mode::kForcedOpen);
  registry->FlushTransitions();
  const TransitionRecorder recorder(registry);
  EXPECT_THAT(recorder.transitions(), IsEmpty());
  breaker->SetMode(Mode::kForcedClosed);
  registry->GetOrCreate({"bank"})->SetMode(Mode::kForcedOpen);
  EXPECT_THAT(recorder.transitions(),
              ElementsAre(IsTransition(State::kOpen, State::kClosed),
                          IsTransition(State::kClosed, State::kOpen)));
  EXPECT_EQ(recorder.transitions()[1].key.name, "bank");
}

TEST(TransitionRecorderTest, MayEndBeforeTheRegistry) {
  const auto registry = BreakerRegistry::Create().value();
  { const TransitionRecorder recorder(registry); }
  registry->GetOrCreate({"shop"})->SetMode(Mode::kForcedOpen);
  registry->FlushTransitions();
  EXPECT_TRUE(registry->HasToldAll());
}

}  // namespace
}  // namespace autobreaker
