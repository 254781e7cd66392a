#include "autobreaker/interceptor/guarded_channel.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/interceptor/refusal_status.h"
#include "autobreaker/tests/interceptor/guarded_shop.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;
using testing::ElementsAre;

// A shop whose own channel is left alone, and another, guarded one to it.
class GuardedChannel : public ::testing::Test {
 protected:
  std::shared_ptr<grpc::Channel> Create(
      InterceptorOptions options = InterceptorOptions::WithName("shop"),
      const grpc::ChannelArguments& arguments = {},
      InterceptorFactories interceptors = {}) {
    return CreateGuardedChannel(
        shop_.address, grpc::InsecureChannelCredentials(), shop_.registry,
        std::move(options), arguments, std::move(interceptors));
  }

  static grpc::Status GetPrice(const std::shared_ptr<grpc::Channel>& channel) {
    const auto context = GuardedShop::Context();
    shop::PriceReply reply;
    return shop::Shop::NewStub(channel)->GetPrice(context.get(), {}, &reply);
  }

  GuardedShop shop_;
};

TEST_F(GuardedChannel, LetsCallsThroughAndCountsThem) {
  EXPECT_TRUE(GetPrice(Create()).ok());
  EXPECT_EQ(shop_.service.calls(), 1);
  EXPECT_EQ(shop_.SnapshotOf("GetPrice").successes, 1u);
}

TEST_F(GuardedChannel, RefusesAfterFailures) {
  const auto channel = Create();
  shop_.service.AnswerWith(Unavailable());
  // As many as RateOptions() judges.
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(ParseRefusal(GetPrice(channel)).has_value());
  }
  const int calls = shop_.service.calls();

  EXPECT_TRUE(ParseRefusal(GetPrice(channel)).has_value());
  EXPECT_EQ(shop_.service.calls(), calls);
}

TEST_F(GuardedChannel, OfTheSameNameSharesItsBreakers) {
  const auto one = Create();
  const auto other = Create();
  shop_.ForceOpen("GetPrice");
  EXPECT_TRUE(ParseRefusal(GetPrice(one)).has_value());
  EXPECT_TRUE(ParseRefusal(GetPrice(other)).has_value());
}

TEST_F(GuardedChannel, IsNamedByItsTargetWhereNobodyNamesIt) {
  const auto channel = CreateGuardedChannel(
      shop_.address, grpc::InsecureChannelCredentials(), shop_.registry);
  EXPECT_TRUE(GetPrice(channel).ok());
  EXPECT_EQ(shop_.registry->Breakers().front()->key().name, shop_.address);
}

TEST_F(GuardedChannel, KeepsTheRegistryThatItsMakerForgets) {
  auto registry = BreakerRegistry::Create().value();
  const std::weak_ptr<BreakerRegistry> kept = registry;
  const auto channel = CreateGuardedChannel(
      shop_.address, grpc::InsecureChannelCredentials(), std::move(registry));
  EXPECT_TRUE(GetPrice(channel).ok());
  EXPECT_FALSE(kept.expired());
}

TEST_F(GuardedChannel, PassesArgumentsOn) {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix("teapot/1.0");
  EXPECT_TRUE(
      GetPrice(Create(InterceptorOptions::WithName("shop"), arguments)).ok());
  const auto metadata = shop_.service.last_metadata();
  const auto agent = metadata.find("user-agent");
  ASSERT_NE(agent, metadata.end());
  EXPECT_TRUE(absl::StartsWith(agent->second, "teapot/1.0")) << agent->second;
}

TEST_F(GuardedChannel, PassesCredentialsOn) {
  // gRPC's way to say that there can be no channel without any.
  const auto channel =
      CreateGuardedChannel(shop_.address, nullptr, shop_.registry);
  EXPECT_EQ(GetPrice(channel).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// ------------------------------------------------------ Interceptors beside it

// Writes into `log` what it sees of each call, and adds metadata to it.
class Logger final : public ClientInterceptorFactoryInterface {
 public:
  Logger(std::string name, std::vector<std::string>* log,
         std::string metadata_key = "")
      : name_(std::move(name)),
        log_(log),
        metadata_key_(std::move(metadata_key)) {}

  Interceptor* CreateClientInterceptor(ClientRpcInfo*) override {
    return new OfOneCall(this);
  }

 private:
  class OfOneCall final : public Interceptor {
   public:
    explicit OfOneCall(const Logger* logger) : logger_(logger) {}

    void Intercept(InterceptorBatchMethods* methods) override {
      if (methods->QueryInterceptionHookPoint(
              InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
        Log("sends");
        if (!logger_->metadata_key_.empty()) {
          methods->GetSendInitialMetadata()->emplace(logger_->metadata_key_,
                                                     "1");
        }
      }
      if (methods->QueryInterceptionHookPoint(
              InterceptionHookPoints::POST_RECV_STATUS)) {
        const grpc::Status& status = *methods->GetRecvStatus();
        Log(ParseRefusal(status).has_value() ? "is refused"
            : status.ok()                    ? "is answered"
                                             : "fails");
      }
      methods->Proceed();
    }

   private:
    void Log(const char* what) {
      logger_->log_->push_back(absl::StrCat(logger_->name_, " ", what));
    }
    const Logger* const logger_;
  };

  const std::string name_;
  std::vector<std::string>* const log_;
  const std::string metadata_key_;
};

class GuardedChannelAmongInterceptors : public GuardedChannel {
 protected:
  // Calls through two interceptors, the second of which adds that metadata.
  grpc::Status Call(const std::string& metadata_key = "") {
    InterceptorFactories interceptors;
    interceptors.push_back(std::make_unique<Logger>("first", &log_));
    interceptors.push_back(
        std::make_unique<Logger>("second", &log_, metadata_key));
    return GetPrice(Create(InterceptorOptions::WithName("shop"), {},
                           std::move(interceptors)));
  }

  std::vector<std::string> log_;
};

TEST_F(GuardedChannelAmongInterceptors, RunsThemInTheirOrder) {
  EXPECT_TRUE(Call().ok());
  EXPECT_THAT(log_, ElementsAre("first sends", "second sends",
                                "second is answered", "first is answered"));
}

TEST_F(GuardedChannelAmongInterceptors, ShowsThemItsRefusals) {
  shop_.ForceOpen("GetPrice");
  EXPECT_TRUE(ParseRefusal(Call()).has_value());
  EXPECT_THAT(log_, ElementsAre("first sends", "second sends",
                                "second is refused", "first is refused"));
}

TEST_F(GuardedChannelAmongInterceptors, SeesTheBypassKeyThatOneAdds) {
  shop_.ForceOpen("GetPrice");
  EXPECT_TRUE(Call(kBypassMetadataKey).ok());
  EXPECT_EQ(shop_.service.last_metadata().count(kBypassMetadataKey), 0u);
}

}  // namespace
}  // namespace autobreaker
