// A guarded channel to several servers, one of which is bad (V1).
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/interceptor/guarded_channel.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

// Three servers, and a channel that takes them in turns.
class SeveralServers : public ::testing::Test {
 protected:
  static constexpr int kServers = 3;

  SeveralServers() {
    std::vector<std::string> addresses;
    for (Server& server : servers_) {
      int port = 0;
      grpc::ServerBuilder builder;
      builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                               &port);
      builder.RegisterService(&server.service);
      server.server = builder.BuildAndStart();
      addresses.push_back(absl::StrCat("127.0.0.1:", port));
    }
    target_ = absl::StrCat("ipv4:", absl::StrJoin(addresses, ","));
    Balance(R"({"round_robin": {}})");
    RegistryOptions options;
    options.instruments.clock = &clock_;
    registry_ = BreakerRegistry::Create(options).value();
  }

  ~SeveralServers() override {
    const auto now = std::chrono::system_clock::now();
    for (Server& server : servers_) server.server->Shutdown(now);
  }

  void Balance(const std::string& policy) {
    arguments_ = grpc::ChannelArguments();  // of two, the first would hold
    arguments_.SetServiceConfigJSON(
        absl::StrCat(R"({"loadBalancingConfig": [)", policy, "]}"));
  }

  std::shared_ptr<grpc::Channel> Guarded() {
    return CreateGuardedChannel(target_, grpc::InsecureChannelCredentials(),
                                registry_, InterceptorOptions::WithName("shop"),
                                arguments_);
  }
  std::shared_ptr<grpc::Channel> Unguarded() {
    return grpc::CreateCustomChannel(
        target_, grpc::InsecureChannelCredentials(), arguments_);
  }

  // Until each server that is up is connected and takes its turn. While only
  // one that fails is connected, every call fails, and the breaker rightly
  // opens; so let them fail afterwards.
  std::shared_ptr<grpc::Channel> Connected(
      std::shared_ptr<grpc::Channel> channel) {
    const auto stub = shop::Shop::NewStub(channel);
    for (Server& server : servers_) {
      for (const int before = server.service.calls();
           !server.down && server.service.calls() == before;) {
        EXPECT_TRUE(GetPrice(*stub).ok());
      }
    }
    return channel;
  }

  // Of so many calls, 400 a second, the share that is answered.
  double Answered(const std::shared_ptr<grpc::Channel>& channel,
                  int calls = 4'000) {
    const auto stub = shop::Shop::NewStub(channel);
    int answered = 0;
    for (int i = 0; i < calls; ++i) {
      clock_.Advance(absl::Microseconds(2'500));
      answered += GetPrice(*stub).ok() ? 1 : 0;
    }
    return static_cast<double>(answered) / calls;
  }

  // Calls, 400 a second, until so many in a row are answered.
  int CallsUntilAnswered(const std::shared_ptr<grpc::Channel>& channel,
                         int in_a_row) {
    const auto stub = shop::Shop::NewStub(channel);
    int calls = 0;
    for (int row = 0; row < in_a_row; ++calls) {
      clock_.Advance(absl::Microseconds(2'500));
      row = GetPrice(*stub).ok() ? row + 1 : 0;
    }
    return calls;
  }

  void FailAll(int server) {
    servers_[server].service.AnswerWith(
        {grpc::StatusCode::UNAVAILABLE, "out of order"});
  }
  void ShutDown(int server) {
    servers_[server].down = true;
    servers_[server].server->Shutdown(std::chrono::system_clock::now());
  }

  RegisteredSnapshot Snapshot() {
    return registry_->GetOrCreate({"shop", "autobreaker.shop.Shop", "GetPrice"})
        ->Snapshot();
  }

 private:
  struct Server {
    FakeShop service;
    std::unique_ptr<grpc::Server> server;
    bool down = false;
  };

  static grpc::Status GetPrice(shop::Shop::Stub& stub) {
    shop::PriceReply reply;
    return stub.GetPrice(GuardedShop::Context().get(), shop::PriceRequest(),
                         &reply);
  }

  FakeClock clock_;
  std::shared_ptr<BreakerRegistry> registry_;
  Server servers_[kServers];
  std::string target_;
  grpc::ChannelArguments arguments_;
  const Watchdog watchdog_{
      ::testing::UnitTest::GetInstance()->current_test_info()->name()};
};

TEST_F(SeveralServers, OneThatFailsDoesNotTakeTheOthersAway) {
  const auto unguarded = Connected(Unguarded());
  const auto guarded = Connected(Guarded());
  FailAll(0);
  EXPECT_NEAR(Answered(unguarded), 2.0 / 3, 0.01);
  EXPECT_GE(Answered(guarded), 0.64);
  EXPECT_EQ(Snapshot().state, State::kClosed);
}

TEST_F(SeveralServers, TellsWhichOneFails) {
  const auto channel = Connected(Guarded());
  FailAll(0);
  Answered(channel, 100);
  const RegisteredSnapshot s = Snapshot();
  ASSERT_EQ(s.failing_peers.peers.size(), 1);
  EXPECT_EQ(s.failing_peers.peers[0].failures, s.failures);
}

TEST_F(SeveralServers, OneThatIsGoneDoesNotTakeTheOthersAway) {
  ShutDown(0);
  EXPECT_GE(Answered(Connected(Unguarded())), 0.99);
  EXPECT_GE(Answered(Connected(Guarded())), 0.99);
}

// Beside gRPC's own outlier detection, which looks at each server every 200 ms.
TEST_F(SeveralServers, OutlierDetectionTakesOneOutAndTheBreakerRefusesNothing) {
  Balance(R"({"outlier_detection_experimental": {
      "interval": "0.200s",
      "baseEjectionTime": "300s",
      "maxEjectionPercent": 50,
      "failurePercentageEjection": {
          "threshold": 50, "minimumHosts": 3, "requestVolume": 10,
          "enforcementPercentage": 100},
      "childPolicy": [{"round_robin": {}}]}})");
  const auto channel = Connected(Guarded());
  FailAll(0);
  // Without outlier detection, each third call fails for ever.
  CallsUntilAnswered(channel, /*in_a_row=*/100);
  EXPECT_EQ(Answered(channel, 1'000), 1);
  const RegisteredSnapshot s = Snapshot();
  EXPECT_EQ(s.state, State::kClosed);
  EXPECT_EQ(s.refused[static_cast<int>(RefusalReason::kOpen)], 0);
}

TEST_F(SeveralServers, AllThatFailAreRefused) {
  const auto channel = Connected(Guarded());
  for (int server = 0; server < kServers; ++server) FailAll(server);
  EXPECT_EQ(Answered(channel), 0);
  const RegisteredSnapshot s = Snapshot();
  EXPECT_LT(s.failures, 300);
  EXPECT_GT(s.refused[static_cast<int>(RefusalReason::kOpen)], 3'000);
}

}  // namespace
}  // namespace autobreaker
