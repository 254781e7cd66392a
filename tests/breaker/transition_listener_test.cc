// Those who are told of every change of state of a registry's breakers.
#include "autobreaker/breaker/transition_listener.h"

#include <memory>
#include <string>
#include <vector>

#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

class Notes final : public TransitionListener {
 public:
  void OnTransition(const Transition& transition) noexcept override {
    MutexLock lock(&mu_);
    seen_.push_back(transition);
  }
  std::vector<Transition> seen() const {
    MutexLock lock(&mu_);
    return seen_;
  }

 private:
  mutable Mutex mu_;
  std::vector<Transition> seen_ ABSL_GUARDED_BY(mu_);
};

void Flip(CircuitBreaker& breaker) {
  breaker.SetMode(Mode::kForcedOpen);
  breaker.SetMode(Mode::kForcedClosed);
}

TEST(TransitionListenerTest, HearOfEveryBreakerOfARegistry) {
  const auto registry = BreakerRegistry::Create().value();
  const auto old = registry->GetOrCreate({"old"});
  const auto notes = std::make_shared<Notes>();
  registry->AddListener(notes);
  Flip(*old);
  Flip(*registry->GetOrCreate({"new"}));
  registry->FlushTransitions();
  const auto seen = notes->seen();
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].key.name, "old");
  EXPECT_EQ(seen[3].key.name, "new");
}

TEST(TransitionListenerTest, SeveralHearTheSame) {
  const auto registry = BreakerRegistry::Create().value();
  const std::vector<std::shared_ptr<Notes>> all = {std::make_shared<Notes>(),
                                                   std::make_shared<Notes>()};
  for (const auto& notes : all) registry->AddListener(notes);
  Flip(*registry->GetOrCreate({"a"}));
  registry->FlushTransitions();
  for (const auto& notes : all) EXPECT_EQ(notes->seen().size(), 2u);
}

TEST(TransitionListenerTest, OneThatIsGoneHearsNothing) {
  const auto registry = BreakerRegistry::Create().value();
  auto gone = std::make_shared<Notes>();
  const auto stays = std::make_shared<Notes>();
  registry->AddListener(gone);
  registry->AddListener(stays);
  std::weak_ptr<Notes> weak = gone;
  gone.reset();
  EXPECT_TRUE(weak.expired());
  Flip(*registry->GetOrCreate({"a"}));
  registry->FlushTransitions();
  EXPECT_EQ(stays->seen().size(), 2u);
}

TEST(TransitionListenerTest, DoNotReplaceTheProgramsOwnCallback) {
  int calls = 0;
  RegistryOptions options;
  options.instruments.on_transition = [&calls](const Transition&) { ++calls; };
  const auto registry = BreakerRegistry::Create(options).value();
  const auto notes = std::make_shared<Notes>();
  registry->AddListener(notes);
  Flip(*registry->GetOrCreate({"a"}));
  registry->FlushTransitions();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(notes->seen().size(), 2u);
}

TEST(TransitionListenerTest, HearWhatTheProgramsCallbackThrowsOn) {
  RegistryOptions options;
  options.instruments.on_transition = [](const Transition&) { throw 1; };
  const auto registry = BreakerRegistry::Create(options).value();
  const auto notes = std::make_shared<Notes>();
  registry->AddListener(notes);
  const auto breaker = registry->GetOrCreate({"a"});
  Flip(*breaker);
  registry->FlushTransitions();
  EXPECT_EQ(notes->seen().size(), 2u);
  EXPECT_EQ(breaker->Snapshot().callback_exceptions, 2u);
}

TEST(TransitionListenerTest, NumbersOfABreakerGoUpByOne) {
  const auto registry = BreakerRegistry::Create().value();
  const auto notes = std::make_shared<Notes>();
  registry->AddListener(notes);
  const auto breaker = registry->GetOrCreate({"a"});
  RunThreads(4, [&](int) {
    for (int i = 0; i < 500; ++i) Flip(*breaker);
  });
  breaker->SetMode(Mode::kForcedClosed);
  registry->FlushTransitions();
  const auto seen = notes->seen();
  for (size_t i = 0; i < seen.size(); ++i) {
    ASSERT_EQ(seen[i].number, i + 1);
  }
  EXPECT_EQ(breaker->Snapshot().transition_count, seen.size());
}

TEST(TransitionListenerTest, MayBeAddedWhileOthersHear) {
  const auto registry = BreakerRegistry::Create().value();
  const auto stays = std::make_shared<Notes>();
  registry->AddListener(stays);
  RunThreads(4, [&](int t) {
    const auto breaker = registry->GetOrCreate({std::to_string(t)});
    for (int i = 0; i < 200; ++i) {
      const auto notes = std::make_shared<Notes>();
      registry->AddListener(notes);
      Flip(*breaker);
      registry->FlushTransitions();
      EXPECT_GE(notes->seen().size(), 2u);
    }
  });
  EXPECT_EQ(stays->seen().size(), 4u * 200 * 2);
}

}  // namespace
}  // namespace autobreaker
