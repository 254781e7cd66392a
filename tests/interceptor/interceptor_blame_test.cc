// Guarded calls that fail, and who is to blame: the server, the caller, or the
// client's own limits; and which server.

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/failing_peers.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/rate_options.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/interceptor/shop_calls.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using grpc::StatusCode;
using ::testing::AnyOf;
using ::testing::ElementsAre;

class Blame : public ::testing::Test {
 protected:
  // A GetPrice() of an item with so long a name.
  static grpc::Status GetPrice(GuardedShop& shop,
                               std::chrono::milliseconds deadline,
                               size_t size = 0) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    shop::PriceRequest request;
    request.set_item(std::string(size, 'x'));
    shop::PriceReply reply;
    return shop.stub->GetPrice(&context, request, &reply);
  }

 private:
  const Watchdog watchdog_{
      ::testing::UnitTest::GetInstance()->current_test_info()->name()};
};

constexpr std::chrono::seconds kPatient(30);
// Time enough to bring a call to a server that hangs, on a busy machine too.
constexpr std::chrono::seconds kLongEnough(2);

// ----------------------------------------------------- Impatient callers (V9)

ShopOptions JudgingDeadlinesFrom(absl::Duration shortest) {
  ShopOptions options;
  options.breaker.trip.consecutive_failures = 1;
  options.interceptor.classification.shortest_judged_deadline = shortest;
  return options;
}

TEST_F(Blame, OfADeadlineThatIsTooShortToJudgeIsItsCallers) {
  GuardedShop shop(JudgingDeadlinesFrom(absl::Seconds(1)));
  shop.service.SetHanging(true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(GetPrice(shop, std::chrono::milliseconds(20)).error_code(),
              StatusCode::DEADLINE_EXCEEDED);
  }
  shop.service.SetHanging(false);
  const RegisteredSnapshot s = shop.SnapshotOf("GetPrice");
  EXPECT_EQ(s.state, State::kClosed);
  EXPECT_EQ(s.ignored, 3u);
  EXPECT_TRUE(GetPrice(shop, kPatient).ok());
}

TEST_F(Blame, OfALongerDeadlineIsTheServers) {
  GuardedShop shop(JudgingDeadlinesFrom(absl::Milliseconds(10)));
  shop.service.SetHanging(true);
  EXPECT_EQ(GetPrice(shop, kLongEnough).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").state, State::kOpen);
}

TEST_F(Blame, OfEveryDeadlineIsTheServersIfNothingIsSaid) {
  GuardedShop shop(JudgingDeadlinesFrom(absl::ZeroDuration()));
  shop.service.SetHanging(true);
  EXPECT_EQ(GetPrice(shop, kLongEnough).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").state, State::kOpen);
}

TEST_F(Blame, OfAnotherFailureOfAnImpatientCallIsTheServers) {
  GuardedShop shop(JudgingDeadlinesFrom(absl::Hours(1)));
  shop.service.AnswerWith(Unavailable());
  GetPrice(shop, kPatient);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").state, State::kOpen);
}

TEST_F(Blame, IsTheServersInTheYear9999Too) {
  GuardedShop shop;
  shop.service.AnswerWith(Unavailable());
  grpc::ClientContext context;
  context.set_deadline(gpr_timespec{253'402'300'799, 0, GPR_CLOCK_REALTIME});
  shop::PriceReply reply;
  shop.stub->GetPrice(&context, {}, &reply);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

// -------------------------------------------------- The client's limits (V10)

ShopOptions Limited(int send, int receive) {
  ShopOptions options;
  options.breaker.trip.consecutive_failures = 1;
  options.arguments.SetMaxSendMessageSize(send);
  options.arguments.SetMaxReceiveMessageSize(receive);
  return options;
}

TEST_F(Blame, OfARequestBeyondTheClientsOwnLimitIsTheClients) {
  GuardedShop shop(Limited(1000, -1));
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(GetPrice(shop, kPatient, 2000).error_code(),
              StatusCode::RESOURCE_EXHAUSTED);
  }
  EXPECT_TRUE(GetPrice(shop, kPatient).ok());
  EXPECT_EQ(GetPrice(shop, kPatient, 2000).error_code(),
            StatusCode::RESOURCE_EXHAUSTED);
  const RegisteredSnapshot s = shop.SnapshotOf("GetPrice");
  EXPECT_EQ(s.ignored, 7u);
  EXPECT_EQ(s.failures, 0u);
}

// Answers with more than a client takes.
class Verbose final : public shop::Shop::Service {
  grpc::Status PlaceOrder(grpc::ServerContext*, const shop::OrderRequest*,
                          shop::OrderReply* reply) override {
    reply->set_order_id(std::string(2000, 'x'));
    return grpc::Status::OK;
  }
};

TEST_F(Blame, OfAnAnswerBeyondTheClientsOwnLimitIsTheClients) {
  Verbose verbose;
  ShopOptions options = Limited(-1, 1000);
  options.service = &verbose;
  GuardedShop shop(std::move(options));
  const auto context = GuardedShop::Context();
  shop::OrderReply reply;
  EXPECT_EQ(shop.stub->PlaceOrder(context.get(), {}, &reply).error_code(),
            StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(shop.SnapshotOf("PlaceOrder").ignored, 1u);
}

class OfAServerThatIsExhausted : public ::testing::TestWithParam<ShopCall> {};

TEST_P(OfAServerThatIsExhausted, IsTheServers) {
  const Watchdog watchdog(GetParam().name);
  GuardedShop shop;
  shop.service.AnswerWith(
      grpc::Status(StatusCode::RESOURCE_EXHAUSTED, "sold out"));
  const auto context = GuardedShop::Context();
  GetParam().run({shop.channel, context.get()});
  EXPECT_EQ(shop.SnapshotOf(GetParam().method).failures, 1u);
}

INSTANTIATE_TEST_SUITE_P(Blame, OfAServerThatIsExhausted,
                         ::testing::ValuesIn(PlainShopCalls()),
                         [](const ::testing::TestParamInfo<ShopCall>& info) {
                           return info.param.name;
                         });

// There, gRPC does not show who failed the call.
TEST_F(Blame, OfAnExhaustedServerInTheSameProcessIsTheServers) {
  ShopOptions options;
  options.in_process = true;
  GuardedShop shop(std::move(options));
  shop.service.AnswerWith(
      grpc::Status(StatusCode::RESOURCE_EXHAUSTED, "sold out"));
  GetPrice(shop, kPatient);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

// Nor where the target is the address of the server.
TEST_F(Blame, OfAnExhaustedServerAtAnAddressIsTheServers) {
  GuardedShop shop;
  shop.service.AnswerWith(
      grpc::Status(StatusCode::RESOURCE_EXHAUSTED, "sold out"));
  InterceptorFactories factories;
  factories.push_back(MakeCircuitBreakerInterceptorFactory(
      shop.registry, InterceptorOptions::WithName("shop")));
  const auto stub = shop::Shop::NewStub(
      grpc::experimental::CreateCustomChannelWithInterceptors(
          absl::StrCat("ipv4:", shop.address),
          grpc::InsecureChannelCredentials(), {}, std::move(factories)));
  const auto context = GuardedShop::Context();
  shop::PriceReply reply;
  stub->GetPrice(context.get(), {}, &reply);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failures, 1u);
}

// ------------------------------------------------- The function that decides

// What the function of the classification saw last.
struct Seen {
  StatusCode code;
  absl::Duration duration;
  absl::Duration time_allowed;
  bool answered;
  bool delivered;
  std::optional<absl::Duration> pushback;
};

ShopOptions Watching(Seen* seen) {
  ShopOptions options;
  options.interceptor.classification.function = [seen](const CallEnd& end) {
    *seen = {end.status.error_code(), end.duration,
             end.time_allowed,        end.answered,
             end.delivered,           end.pushback};
    return Outcome::kIgnored;
  };
  return options;
}

TEST_F(Blame, IsForTheFunctionToSayWhichSeesAnAnswer) {
  Seen seen;
  GuardedShop shop(Watching(&seen));
  EXPECT_TRUE(GetPrice(shop, kPatient).ok());
  EXPECT_EQ(seen.code, StatusCode::OK);
  EXPECT_GT(seen.duration, absl::ZeroDuration());
  EXPECT_LT(seen.duration, absl::Seconds(30));
  EXPECT_GT(seen.time_allowed, absl::Seconds(20));
  EXPECT_LE(seen.time_allowed, absl::Seconds(30));
  EXPECT_TRUE(seen.answered);
  EXPECT_TRUE(seen.delivered);
  EXPECT_EQ(seen.pushback, std::nullopt);
}

TEST_F(Blame, IsForTheFunctionToSayWhichSeesAFailureOfTheServer) {
  Seen seen;
  GuardedShop shop(Watching(&seen));
  shop.service.AnswerWith(Unavailable());
  shop.service.SetTrailingMetadata({{"grpc-retry-pushback-ms", "1500"}});
  GetPrice(shop, kPatient);
  EXPECT_EQ(seen.code, StatusCode::UNAVAILABLE);
  EXPECT_TRUE(seen.answered);
  EXPECT_FALSE(seen.delivered);
  EXPECT_EQ(seen.pushback, absl::Milliseconds(1500));
}

TEST_F(Blame, IsForTheFunctionToSayWhichSeesThatTheServerHangs) {
  Seen seen;
  GuardedShop shop(Watching(&seen));
  shop.service.SetHanging(true);
  GetPrice(shop, kLongEnough);
  EXPECT_EQ(seen.code, StatusCode::DEADLINE_EXCEEDED);
  EXPECT_GT(seen.time_allowed, absl::ZeroDuration());
  EXPECT_LE(seen.time_allowed, absl::FromChrono(kLongEnough));
  // The deadline is one of another clock.
  EXPECT_GE(seen.duration, seen.time_allowed - absl::Milliseconds(10));
  EXPECT_FALSE(seen.answered);
}

TEST_F(Blame, IsForTheFunctionToSayWhichSeesThatThereIsNoDeadline) {
  Seen seen;
  GuardedShop shop(Watching(&seen));
  grpc::ClientContext context;
  shop::PriceReply reply;
  shop.stub->GetPrice(&context, {}, &reply);
  EXPECT_EQ(seen.time_allowed, absl::InfiniteDuration());
}

// --------------------------------------------------------------- Which server

TEST_F(Blame, NamesTheServerThatFailed) {
  GuardedShop shop;
  shop.service.AnswerWith(Unavailable());
  for (int i = 0; i < 3; ++i) GetPrice(shop, kPatient);
  const FailingPeers failing = shop.SnapshotOf("GetPrice").failing_peers;
  EXPECT_EQ(failing.failures, 3);
  EXPECT_THAT(failing.peers, ElementsAre(FailingPeers::Peer{
                                 absl::StrCat("ipv4:", shop.address), 3}));
}

TEST_F(Blame, NamesTheTargetWhereNoServerWasHeardOf) {
  GuardedShop shop;
  shop.server->Shutdown();
  GetPrice(shop, kPatient);
  // gRPC 1.51, and 1.83.
  EXPECT_THAT(shop.SnapshotOf("GetPrice").failing_peers.peers,
              AnyOf(ElementsAre(FailingPeers::Peer{shop.address, 1}),
                    ElementsAre(FailingPeers::Peer{
                        absl::StrCat("dns:///", shop.address), 1})));
}

TEST_F(Blame, NamesNobodyWhenCallsSucceed) {
  GuardedShop shop;
  GetPrice(shop, kPatient);
  EXPECT_EQ(shop.SnapshotOf("GetPrice").failing_peers, FailingPeers());
}

// Two of three servers are well.
TEST_F(Blame, OfOneOfThreeServersIsSeenInWhatOpensTheBreaker) {
  std::vector<std::unique_ptr<FakeShop>> shops;
  std::vector<std::unique_ptr<grpc::Server>> servers;
  std::vector<std::string> addresses;
  for (int i = 0; i < 3; ++i) {
    shops.push_back(std::make_unique<FakeShop>());
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(shops.back().get());
    servers.push_back(builder.BuildAndStart());
    addresses.push_back(absl::StrCat("127.0.0.1:", port));
  }
  shops[1]->AnswerWith(Unavailable());
  FakeClock clock;
  RegistryOptions registry_options;
  registry_options.defaults = RateOptions();
  registry_options.instruments.clock = &clock;
  const auto registry = BreakerRegistry::Create(registry_options).value();
  InterceptorFactories factories;
  factories.push_back(MakeCircuitBreakerInterceptorFactory(
      registry, InterceptorOptions::WithName("shops")));
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(
      R"({"loadBalancingConfig": [{"round_robin": {}}]})");
  const auto stub = shop::Shop::NewStub(
      grpc::experimental::CreateCustomChannelWithInterceptors(
          absl::StrCat("ipv4:", addresses[0], ",", addresses[1], ",",
                       addresses[2]),
          grpc::InsecureChannelCredentials(), arguments, std::move(factories)));
  const auto breaker =
      registry->GetOrCreate({"shops", "autobreaker.shop.Shop", "GetPrice"});
  for (int i = 0; i < 1000 && breaker->Snapshot().state != State::kOpen; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatient);
    shop::PriceReply reply;
    stub->GetPrice(&context, {}, &reply);
  }
  const BreakerSnapshot s = breaker->Snapshot();
  ASSERT_EQ(s.state, State::kOpen);
  const FailingPeers& failing = s.last_trip->failing_peers;
  EXPECT_THAT(failing.peers,
              ElementsAre(FailingPeers::Peer{
                  absl::StrCat("ipv4:", addresses[1]), failing.failures}));
  EXPECT_EQ(failing.failures, static_cast<int64_t>(s.failures));
}

}  // namespace
}  // namespace autobreaker
