// Every kind of call, in every API and manner gRPC has, over TCP and in
// process, in every state of its breaker: what the application sees, what the
// server sees, and what the breaker has in its books afterwards.

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

enum class Situation {
  kClosed,
  kClosedAndTheServerFails,
  kOpen,
  kForcedOpen,
  kHalfOpen,             // the call is a probe
  kHalfOpenAndAllTaken,  // all probes are under way
};

struct Cell {
  bool in_process;
  Situation situation;
  ShopCall call;

  std::string Name() const {
    constexpr const char* kSituations[] = {
        "Closed", "Failing", "Open", "ForcedOpen", "HalfOpen", "AllTaken"};
    return absl::StrCat(in_process ? "InProcess" : "Tcp", "_",
                        kSituations[static_cast<int>(situation)], "_",
                        call.name);
  }
  friend std::ostream& operator<<(std::ostream& os, const Cell& cell) {
    return os << cell.Name();
  }
};

bool IsRefused(Situation situation) {
  return situation == Situation::kOpen || situation == Situation::kForcedOpen ||
         situation == Situation::kHalfOpenAndAllTaken;
}

// gRPC's in-process transport (1.51) loses the response of a method with one
// response that is called as a callback stream, through any interceptor at all,
// or fails such a call with "Extra trailing metadata", without interceptors
// too; its server can then no longer be shut down. Refused, the calls are fine.
bool IsBrokenInGrpc(const Cell& cell) {
  return cell.in_process && !IsRefused(cell.situation) &&
         absl::StrContains(cell.call.name, "Generic") &&
         (absl::StrContains(cell.call.name, "UnaryAsStreamCallback") ||
          absl::StrContains(cell.call.name, "ClientStreamCallback"));
}

std::vector<Cell> AllCells() {
  std::vector<Cell> cells;
  for (const bool in_process : {false, true}) {
    for (const Situation situation :
         {Situation::kClosed, Situation::kClosedAndTheServerFails,
          Situation::kOpen, Situation::kForcedOpen, Situation::kHalfOpen,
          Situation::kHalfOpenAndAllTaken}) {
      for (const ShopCall& call : AllShopCalls()) {
        Cell cell{in_process, situation, call};
        if (!IsBrokenInGrpc(cell)) cells.push_back(std::move(cell));
      }
    }
  }
  return cells;
}

// One server and one channel for all cells of a transport; each cell has a
// breaker of its own.
struct Shared {
  explicit Shared(bool in_process) : shop(Options(in_process)) {
    shop.service.SetTrailingMetadata({{"shop-answer", "yes"}});
  }

  static ShopOptions Options(bool in_process) {
    ShopOptions options;
    options.in_process = in_process;
    options.breaker.trip.consecutive_failures = 1;
    options.breaker.open.duration_jitter = 0;
    options.breaker.half_open.max_calls = 1;
    options.breaker.half_open.successes_to_close = 1;
    return options;
  }

  GuardedShop shop;
  int admitted = 0;
};

class Matrix : public ::testing::TestWithParam<Cell> {
 protected:
  static void TearDownTestSuite() {
    for (std::unique_ptr<Shared>& shared : shared_) {
      if (shared == nullptr) continue;
      // Not even late did the server see a call that was refused.
      shared->shop.server->Shutdown();
      EXPECT_EQ(shared->shop.service.calls(), shared->admitted);
      shared.reset();
    }
  }

  void SetUp() override {
    std::unique_ptr<Shared>& shared = shared_[GetParam().in_process];
    if (shared == nullptr) {
      shared = std::make_unique<Shared>(GetParam().in_process);
    }
    shop().registry->Remove(shop().BreakerOf(GetParam().call.method)->key());
    breaker_ = shop().BreakerOf(GetParam().call.method);
    Arrange();
  }

  GuardedShop& shop() { return shared_[GetParam().in_process]->shop; }

  // Brings the breaker and the server into the cell's situation.
  void Arrange() {
    shop().service.AnswerWith(grpc::Status::OK);
    switch (GetParam().situation) {
      case Situation::kClosed:
        break;
      case Situation::kClosedAndTheServerFails:
        shop().service.AnswerWith(failure_);
        break;
      case Situation::kOpen:
        breaker_->TryAcquire().Record(Outcome::kFailure);
        refusal_ = Refusal{RefusalReason::kOpen, absl::Seconds(5)};
        break;
      case Situation::kForcedOpen:
        breaker_->SetMode(Mode::kForcedOpen);
        refusal_ = Refusal{RefusalReason::kForcedOpen, std::nullopt};
        break;
      case Situation::kHalfOpen:
      case Situation::kHalfOpenAndAllTaken:
        breaker_->TryAcquire().Record(Outcome::kFailure);
        shop().clock.Advance(absl::Seconds(5));
        if (GetParam().situation == Situation::kHalfOpen) break;
        probe_ = breaker_->TryAcquire();
        refusal_ = Refusal{RefusalReason::kHalfOpen, std::nullopt};
        break;
    }
    before_ = breaker_->Snapshot();
  }

  // Makes the call; when this returns, its context is gone.
  Observed Run() {
    grpc::ClientContext context;
    CallSite site{shop().channel, &context};
    if (!refusal_.has_value()) {
      const int calls = ++shared_[GetParam().in_process]->admitted;
      site.await_server = [this, calls] { shop().service.AwaitCalls(calls); };
    }
    return GetParam().call.run(site);
  }

  void ExpectRefused(const Observed& observed) {
    const grpc::Status expected = MakeRefusalStatus(breaker_->key(), *refusal_);
    EXPECT_EQ(observed.status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(observed.status.error_message(), expected.error_message());
    // The bytes may differ: protobuf writes the pairs of a map in any order.
    const std::optional<RefusalInfo> info = ParseRefusal(observed.status);
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->key, breaker_->key());
    EXPECT_EQ(info->reason, refusal_->reason);
    EXPECT_EQ(info->retry_after, refusal_->retry_after);
    const std::string reason(ToString(refusal_->reason));
    EXPECT_EQ(observed.trailing_metadata,
              (FakeShop::Metadata{{kRefusalMetadataKey, reason},
                                  {"grpc-status-details-bin",
                                   observed.status.error_details()}}));
    EXPECT_EQ(observed.steps, GetParam().call.steps_of_refusal);

    const RegisteredSnapshot after = breaker_->Snapshot();
    EXPECT_EQ(after.requests, before_.requests);
    EXPECT_EQ(after.refused[static_cast<int>(refusal_->reason)], 1u);
    EXPECT_EQ(after.state, before_.state);
  }

  void ExpectAnswered(const Observed& observed) {
    const bool fails =
        GetParam().situation == Situation::kClosedAndTheServerFails;
    const grpc::Status expected = fails ? failure_ : grpc::Status::OK;
    EXPECT_EQ(observed.status.error_code(), expected.error_code());
    EXPECT_EQ(observed.status.error_message(), expected.error_message());
    EXPECT_EQ(observed.status.error_details(), expected.error_details());
    FakeShop::Metadata trailing = {{"shop-answer", "yes"}};
    if (fails) {
      trailing.emplace("grpc-status-details-bin", expected.error_details());
    } else {
      // Those of a call that fails depend on what reached the client first.
      EXPECT_EQ(observed.steps, GetParam().call.steps_of_success);
    }
    EXPECT_EQ(observed.trailing_metadata, trailing);

    const RegisteredSnapshot after = breaker_->Snapshot();
    EXPECT_EQ(after.requests, before_.requests + 1);
    EXPECT_EQ(after.successes, before_.successes + (fails ? 0 : 1));
    EXPECT_EQ(after.failures, before_.failures + (fails ? 1 : 0));
    EXPECT_EQ(after.state, fails ? State::kOpen : State::kClosed);
  }

  static std::array<std::unique_ptr<Shared>, 2> shared_;

  const grpc::Status failure_{grpc::StatusCode::INTERNAL,
                              "the shop burned down", "to the ground"};
  std::shared_ptr<RegisteredBreaker> breaker_;
  Permit probe_;
  // What to expect; nothing if the call is to be admitted.
  std::optional<Refusal> refusal_;
  RegisteredSnapshot before_;
};

std::array<std::unique_ptr<Shared>, 2> Matrix::shared_;

TEST_P(Matrix, Cell) {
  const Watchdog watchdog(GetParam().Name());

  const Observed observed = Run();

  if (refusal_.has_value()) {
    ExpectRefused(observed);
  } else {
    ExpectAnswered(observed);
  }
  probe_.Record(Outcome::kAbandoned);
  ExpectSettled(breaker_->Snapshot());
}

INSTANTIATE_TEST_SUITE_P(, Matrix, ::testing::ValuesIn(AllCells()),
                         [](const ::testing::TestParamInfo<Cell>& info) {
                           return info.param.Name();
                         });

}  // namespace
}  // namespace autobreaker
