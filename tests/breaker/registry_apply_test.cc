// BreakerRegistry::Apply(): an operator's configuration over a program's own.
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;
using Config = std::map<BreakerKey, BreakerPolicy>;

const BreakerKey kPlace = {"payments", "shop.Orders", "Place"};

// Told apart by its number.
BreakerPolicy Numbered(int64_t minimum_calls) {
  BreakerPolicy policy;
  policy.options = ExactOptions();
  policy.options.trip.minimum_calls = minimum_calls;
  return policy;
}

BreakerPolicy InMode(Mode mode) {
  BreakerPolicy policy;
  policy.options = ExactOptions();
  policy.mode = mode;
  return policy;
}

class RegistryApplyTest : public ::testing::Test {
 protected:
  RegistryApplyTest() {
    RegistryOptions options;
    options.defaults = ExactOptions();
    options.instruments.clock = &clock_;
    registry_ = BreakerRegistry::Create(options).value();
  }

  void Apply(const Config& config) {
    const absl::Status status = registry_->Apply(config);
    ASSERT_TRUE(status.ok()) << status;
  }
  int64_t NumberOf(const BreakerKey& key) {
    return registry_->GetOrCreate(key)->options().trip.minimum_calls;
  }

  FakeClock clock_;
  std::shared_ptr<BreakerRegistry> registry_;
};

TEST_F(RegistryApplyTest, AppliesToBreakersThatAreThere) {
  const auto breaker = registry_->GetOrCreate(kPlace);
  Apply({{{}, Numbered(7)}});
  EXPECT_EQ(breaker->options().trip.minimum_calls, 7);
}

TEST_F(RegistryApplyTest, AppliesToBreakersMadeLater) {
  Apply({{{"", "shop.Orders", ""}, Numbered(7)}});
  EXPECT_EQ(NumberOf(kPlace), 7);
  EXPECT_EQ(NumberOf({"payments", "shop.Stock", "Get"}), 20);
}

TEST_F(RegistryApplyTest, MostSpecificOfProgramAndConfigurationApplies) {
  ASSERT_TRUE(registry_->SetOptions(kPlace, Numbered(7).options).ok());
  Apply({{{"", "shop.Orders", ""}, Numbered(8)}});
  EXPECT_EQ(NumberOf(kPlace), 7);
  EXPECT_EQ(NumberOf({"payments", "shop.Orders", "Get"}), 8);
}

TEST_F(RegistryApplyTest, ConfigurationComesBeforeTheProgramInTheSameScope) {
  ASSERT_TRUE(registry_->SetOptions(kPlace, Numbered(7).options).ok());
  Apply({{kPlace, Numbered(8)}});
  EXPECT_EQ(NumberOf(kPlace), 8);
  ASSERT_TRUE(registry_->SetOptions(kPlace, Numbered(9).options).ok());
  EXPECT_EQ(NumberOf(kPlace), 8);
}

TEST_F(RegistryApplyTest, ProgramsOptionsComeBackWhenAnEntryIsGone) {
  ASSERT_TRUE(registry_->SetOptions(kPlace, Numbered(7).options).ok());
  Apply({{kPlace, Numbered(8)}});
  Apply({});
  EXPECT_EQ(NumberOf(kPlace), 7);
}

TEST_F(RegistryApplyTest, KeepsStateAndCounts) {
  const auto breaker = registry_->GetOrCreate(kPlace);
  for (int i = 0; i < 100; ++i) breaker->TryAcquire().Record(Outcome::kFailure);
  const BreakerSnapshot before = breaker->Snapshot();
  ASSERT_EQ(before.state, State::kOpen);
  Apply({{{}, Numbered(7)}});
  const BreakerSnapshot after = breaker->Snapshot();
  EXPECT_EQ(after.state, State::kOpen);
  EXPECT_EQ(Totals(after), Totals(before));
  EXPECT_EQ(after.window, before.window);
}

TEST_F(RegistryApplyTest, InvalidPolicyNamesScopeAndFieldAndChangesNothing) {
  const auto breaker = registry_->GetOrCreate(kPlace);
  const absl::Status status = registry_->Apply(
      {{{}, Numbered(7)}, {{"", "shop.Stock", ""}, Numbered(0)}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()),
            "scope {service \"shop.Stock\"}: "
            "trip.minimum_calls is 0, must be in [1, 1000000000]");
  EXPECT_EQ(breaker->options().trip.minimum_calls, 20);
  EXPECT_EQ(NumberOf({"new", "", ""}), 20);
}

TEST_F(RegistryApplyTest, MethodWithoutServiceIsRefused) {
  const absl::Status status =
      registry_->Apply({{{"payments", "", "Place"}, Numbered(7)}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("scope.method"));
}

// ------------------------------------------------------- By other means

TEST_F(RegistryApplyTest, LeavesAloneWhatItSaysNothingNewAbout) {
  Apply({{kPlace, Numbered(7)}});
  const auto breaker = registry_->GetOrCreate(kPlace);
  ASSERT_TRUE(breaker->UpdateOptions(Numbered(9).options).ok());
  breaker->SetMode(Mode::kForcedClosed);
  Apply({{kPlace, Numbered(7)}, {{"", "shop.Stock", ""}, Numbered(8)}});
  EXPECT_EQ(breaker->options().trip.minimum_calls, 9);
  EXPECT_EQ(breaker->Snapshot().mode, Mode::kForcedClosed);
}

TEST_F(RegistryApplyTest, NewModeKeepsOptionsThatWereSetByOtherMeans) {
  Apply({{kPlace, Numbered(7)}});
  const auto breaker = registry_->GetOrCreate(kPlace);
  ASSERT_TRUE(breaker->UpdateOptions(Numbered(9).options).ok());
  BreakerPolicy policy = Numbered(7);
  policy.mode = Mode::kShadow;
  Apply({{kPlace, policy}});
  EXPECT_EQ(breaker->options().trip.minimum_calls, 9);
  EXPECT_EQ(breaker->Snapshot().mode, Mode::kShadow);
}

TEST_F(RegistryApplyTest, NewOptionsKeepAModeThatWasSetByOtherMeans) {
  const auto breaker = registry_->GetOrCreate(kPlace);
  breaker->SetMode(Mode::kForcedOpen, absl::Hours(1));
  Apply({{kPlace, Numbered(7)}});
  EXPECT_EQ(breaker->Snapshot().mode, Mode::kForcedOpen);
  EXPECT_EQ(breaker->Snapshot().mode_remaining, absl::Hours(1));
}

// ----------------------------------------------------------------- Modes

TEST_F(RegistryApplyTest, SetsTheModeOfBreakersThatAreThere) {
  const auto breaker = registry_->GetOrCreate(kPlace);
  Apply({{kPlace, InMode(Mode::kForcedOpen)}});
  EXPECT_EQ(breaker->Snapshot().mode, Mode::kForcedOpen);
  EXPECT_FALSE(breaker->TryAcquire());
  Apply({});
  EXPECT_EQ(breaker->Snapshot().mode, Mode::kAutomatic);
  EXPECT_TRUE(breaker->TryAcquire());
}

TEST_F(RegistryApplyTest, BreakersAreMadeInTheirMode) {
  for (const Mode mode :
       {Mode::kForcedOpen, Mode::kForcedClosed, Mode::kShadow}) {
    const BreakerKey key = {std::string(ToString(mode)), "", ""};
    Apply({{{}, InMode(mode)}});
    const BreakerSnapshot s = registry_->GetOrCreate(key)->Snapshot();
    EXPECT_EQ(s.mode, mode);
    EXPECT_EQ(s.state,
              mode == Mode::kForcedOpen ? State::kOpen : State::kClosed);
  }
}

TEST_F(RegistryApplyTest, AModeForATimeReturnsToTheConfiguredOne) {
  Apply({{kPlace, InMode(Mode::kShadow)}});
  const auto breaker = registry_->GetOrCreate(kPlace);
  breaker->SetMode(Mode::kForcedOpen, absl::Minutes(1));
  EXPECT_EQ(breaker->Snapshot().next_mode, Mode::kShadow);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(breaker->Snapshot().mode, Mode::kShadow);
}

TEST_F(RegistryApplyTest, AutomaticForATimeReturnsToForcedOpenAtTheNextCall) {
  Apply({{kPlace, InMode(Mode::kForcedOpen)}});
  const auto breaker = registry_->GetOrCreate(kPlace);
  breaker->SetMode(Mode::kForcedClosed, absl::Minutes(1));
  EXPECT_TRUE(breaker->TryAcquire());
  clock_.Advance(absl::Minutes(1));
  Refusal refusal;
  EXPECT_FALSE(breaker->TryAcquire(&refusal));
  EXPECT_EQ(refusal.reason, RefusalReason::kForcedOpen);
  EXPECT_EQ(refusal.retry_after, std::nullopt);
}

// Closed by force for a minute and failing in its first second, in a window of
// ten; configured to be forced open.
class EndOfForcedClosedTest : public RegistryApplyTest {
 protected:
  EndOfForcedClosedTest() {
    Apply({{kPlace, InMode(Mode::kForcedOpen)}});
    breaker_ = registry_->GetOrCreate(kPlace);
    breaker_->SetMode(Mode::kForcedClosed, absl::Minutes(1));
    for (int i = 0; i < 7; ++i) {
      breaker_->TryAcquire().Record(Outcome::kFailure);
    }
    EXPECT_EQ(breaker_->Snapshot().window, Counts(0, 7));
    clock_.Advance(absl::Minutes(1));
  }

  std::shared_ptr<CircuitBreaker> breaker_;
};

TEST_F(EndOfForcedClosedTest, ByACallShowsNoCallsThatLeftTheWindow) {
  EXPECT_FALSE(breaker_->TryAcquire());
  EXPECT_EQ(breaker_->Snapshot().last_trip->number, 3);
  EXPECT_EQ(breaker_->Snapshot().last_trip->window, Counts(0, 0));
}

TEST_F(EndOfForcedClosedTest, ByAResetShowsNoCallsThatLeftTheWindow) {
  EXPECT_FALSE(breaker_->Reset());
  EXPECT_EQ(breaker_->Snapshot().last_trip->number, 3);
  EXPECT_EQ(breaker_->Snapshot().last_trip->window, Counts(0, 0));
}

TEST_F(RegistryApplyTest, TransitionsAreTold) {
  std::vector<std::string> seen;
  RegistryOptions options;
  std::shared_ptr<BreakerRegistry> registry;
  options.instruments.on_transition = [&](const Transition& t) {
    registry->GetOrCreate({"another", "", ""});
    seen.push_back(std::string(ToString(t.to)));
  };
  registry = BreakerRegistry::Create(options).value();
  registry->GetOrCreate(kPlace);
  ASSERT_TRUE(registry->Apply({{kPlace, InMode(Mode::kForcedOpen)}}).ok());
  registry->FlushTransitions();
  EXPECT_THAT(seen, ::testing::ElementsAre("open"));
  ASSERT_TRUE(
      registry->Apply({{{"late", "", ""}, InMode(Mode::kForcedOpen)}}).ok());
  registry->GetOrCreate({"late", "", ""});
  registry->FlushTransitions();
  EXPECT_THAT(seen, ::testing::ElementsAre("open", "half_open", "open"));
}

// ----------------------------------------------- For who asks on behalf

TEST_F(RegistryApplyTest, TellsWhoToPassBy) {
  const auto breaker = registry_->GetOrCreate(kPlace);
  EXPECT_FALSE(breaker->handling().unguarded());
  BreakerPolicy policy = Numbered(20);
  policy.unguarded = true;
  Apply({{{"payments", "", ""}, policy}});
  EXPECT_TRUE(breaker->handling().unguarded());
  EXPECT_TRUE(
      registry_->GetOrCreate({"payments", "a", "b"})->handling().unguarded());
  EXPECT_TRUE(breaker->Snapshot().unguarded);
  Apply({});
  EXPECT_FALSE(breaker->handling().unguarded());
}

TEST_F(RegistryApplyTest, TellsWhatAStatusMeans) {
  const auto breaker = registry_->GetOrCreate(kPlace);
  EXPECT_EQ(breaker->handling().Classify(absl::StatusCode::kAborted),
            std::nullopt);
  BreakerPolicy policy = Numbered(20);
  policy.status_classes = {{absl::StatusCode::kAborted},
                           {absl::StatusCode::kUnauthenticated}};
  Apply({{kPlace, policy}});
  EXPECT_EQ(breaker->handling().Classify(absl::StatusCode::kAborted),
            Outcome::kFailure);
  EXPECT_EQ(breaker->handling().Classify(absl::StatusCode::kUnauthenticated),
            Outcome::kIgnored);
  EXPECT_EQ(breaker->handling().Classify(absl::StatusCode::kUnavailable),
            Outcome::kSuccess);
  EXPECT_TRUE(breaker->Snapshot().status_classes == policy.status_classes);
}

// ----------------------------------------------------------- Look-ups

TEST_F(RegistryApplyTest, FindAnswersWhatIsThere) {
  EXPECT_EQ(registry_->Find(kPlace), nullptr);
  const auto breaker = registry_->GetOrCreate(kPlace);
  EXPECT_EQ(registry_->Find(kPlace), breaker);
}

TEST_F(RegistryApplyTest, OriginForTellsWhoseScopeApplies) {
  ASSERT_TRUE(registry_->SetOptions({kPlace.name}, Numbered(5).options).ok());
  PolicyOrigin origin = registry_->OriginFor(kPlace);
  EXPECT_FALSE(origin.configured_scope.has_value());
  EXPECT_TRUE(origin.program_scope == BreakerKey{kPlace.name});
  EXPECT_TRUE(origin.policy.options == Numbered(5).options);
  const BreakerKey scope = {"", kPlace.service};
  Apply({{scope, Numbered(7)}});
  origin = registry_->OriginFor(kPlace);
  EXPECT_TRUE(origin.configured_scope == scope);
  EXPECT_TRUE(origin.policy == Numbered(7));
  EXPECT_TRUE(origin.program_scope == BreakerKey{kPlace.name});
  EXPECT_TRUE(origin.program_options == Numbered(5).options);
}

TEST_F(RegistryApplyTest, PolicyForIsWhatANewBreakerGets) {
  BreakerPolicy policy = Numbered(7);
  policy.mode = Mode::kShadow;
  policy.unguarded = true;
  policy.status_classes = StatusClasses();
  Apply({{kPlace, policy}});
  EXPECT_TRUE(registry_->PolicyFor(kPlace) == policy);
  EXPECT_TRUE(registry_->PolicyFor({"other", "", ""}) != policy);
}

// An update that read options, and wrote them back with one changed, would take
// back what was applied in between.
TEST_F(RegistryApplyTest, ChangeOfOneOptionTakesBackNoneThatIsApplied) {
  const auto breaker = registry_->GetOrCreate(kPlace);
  std::atomic<bool> stop{false};
  std::thread changes([&] {
    for (int i = 0; !stop; ++i) {
      breaker
          ->UpdateOptions([i](BreakerOptions* options) {
            options->half_open.max_calls = 1 + i % 100;
            return absl::OkStatus();
          })
          .IgnoreError();
    }
  });
  for (int64_t i = 1; i <= 2000; ++i) {
    Apply({{kPlace, Numbered(i)}});
    EXPECT_EQ(breaker->options().trip.minimum_calls, i);
  }
  stop = true;
  changes.join();
}

TEST_F(RegistryApplyTest, UnmatchedAreTheScopesThatStandForNoBreaker) {
  registry_->GetOrCreate(kPlace);
  const BreakerKey another_name = {"orders", "shop.Orders", ""};
  const BreakerKey mistyped = {"", "shop.Ordres", ""};
  Apply({{{}, Numbered(1)},
         {{"payments", "", ""}, Numbered(2)},
         {{"", "shop.Orders", ""}, Numbered(3)},
         {{"", "shop.Orders", "Place"}, Numbered(4)},
         {another_name, Numbered(5)},
         {mistyped, Numbered(6)}});
  EXPECT_EQ(registry_->UnmatchedScopes(),
            std::vector<BreakerKey>({mistyped, another_name}));
  registry_->GetOrCreate({"orders", "shop.Orders", "Get"});
  EXPECT_EQ(registry_->UnmatchedScopes(), std::vector<BreakerKey>({mistyped}));
}

TEST_F(RegistryApplyTest, ProgramOptionsDoNotSeeTheConfiguration) {
  ASSERT_TRUE(
      registry_->SetOptions({"", "shop.Orders", ""}, Numbered(8).options).ok());
  Apply({{kPlace, Numbered(7)}});
  EXPECT_EQ(registry_->ProgramOptions(kPlace).trip.minimum_calls, 8);
  EXPECT_EQ(registry_->ProgramOptions({"", "shop.Orders", "Place"})
                .trip.minimum_calls,
            8);
  EXPECT_EQ(registry_->ProgramOptions({}).trip.minimum_calls, 20);
}

TEST_F(RegistryApplyTest, ApplyingIsNotRecordedAsAReload) {
  Apply({});
  EXPECT_EQ(registry_->config_reloads().counts(), std::nullopt);
}

}  // namespace
}  // namespace autobreaker
