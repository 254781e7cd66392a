// Requests of every method of the admin service, with whatever in them, while
// calls are under way: each is answered with a status that the service
// documents, changes what it says or nothing, and loses no call.
//
// The requests come from a seed. ADMIN_FUZZ_REQUESTS asks for another number of
// them, up to 10^9, and ADMIN_FUZZ_SEED for others.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/proto/admin.grpc.pb.h"
#include "autobreaker/tests/admin/admin_server.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using grpc::StatusCode;

// The sanitizers, which build with asserts, take about ten times as long.
#ifdef NDEBUG
constexpr int64_t kRequests = 30'000;
#else
constexpr int64_t kRequests = 3'000;
#endif

constexpr int kBreakers = 20;

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* const text = std::getenv(name);
  int64_t value = otherwise;
  if (text != nullptr &&
      (!absl::SimpleAtoi(text, &value) || value < 0 || value > 1'000'000'000)) {
    ADD_FAILURE() << name << " is " << text << ", must be in [0, 10^9]";
  }
  return value;
}

// Fills messages with what is likely to be right, at an edge, or far off.
class Filler {
 public:
  explicit Filler(uint64_t seed) : random_(seed) {}

  bool OneIn(int n) { return Below(n) == 0; }
  int Below(int n) { return static_cast<int>(random_() % n); }

  void Fill(Message* message, int depth = 0) {
    const Descriptor* const type = message->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* const field = type->field(i);
      const bool of_key = field->name() == "key" || field->name() == "name";
      // Seldom all options at once, of which one is bad for sure.
      const bool skip = of_key ? OneIn(20) : depth > 1 ? !OneIn(4) : OneIn(2);
      if (skip || depth > 6) continue;
      if (!field->is_repeated()) {
        Set(message, field, depth);
        continue;
      }
      const int count = OneIn(20) ? Below(200) : Below(4);
      for (int k = 0; k < count; ++k) Add(message, field, depth);
    }
  }

 private:
  template <typename Choices>
  auto OneOf(const Choices& choices) {
    return choices[Below(static_cast<int>(choices.size()))];
  }

  int64_t Number() {
    using Limits = std::numeric_limits<int64_t>;
    return OneOf(std::array<int64_t, 10>{0, 1, 2, 5, 100, 1'000'000'000, -1,
                                         Limits::max(), Limits::min(),
                                         static_cast<int64_t>(random_())});
  }
  double Fraction() {
    using Limits = std::numeric_limits<double>;
    return OneOf(std::array<double, 9>{0, 0.2, 0.5, 1, -1, 1e300,
                                       Limits::quiet_NaN(), Limits::infinity(),
                                       Limits::denorm_min()});
  }
  std::string Text(const FieldDescriptor& field) {
    if (field.name() == "name" && !OneIn(5)) {
      return absl::StrCat("b", Below(kBreakers));
    }
    const bool of_key = field.name() == "service" || field.name() == "method" ||
                        field.name() == "partition";
    if (of_key && !OneIn(10)) return "";
    if (field.name() == "paths" && !OneIn(5)) {
      return OneOf(std::array<const char*, 12>{
          "*", "trip", "trip.minimum_calls", "trip.evidence",
          "trip.evidence.tolerated_burst", "open", "open.duration",
          "open.duration_max", "half_open", "half_open.max_calls",
          "half_open.ramp", "trip.failure_rate_threshold"});
    }
    switch (Below(8)) {
      case 0:
        return std::string(Below(100'000), 'x');
      case 1:
        return "\x01\x1b[31m\n\"\\";
      case 2:
        return "\xF0\x9F\x94\xA5 \xC3\xA9";
      case 3:
        return "b1\x1f" + std::to_string(random_());
      default:
        return "";
    }
  }

  void Set(Message* message, const FieldDescriptor* field, int depth) {
    const Reflection& to = *message->GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return to.SetInt32(message, field, static_cast<int32_t>(Number()));
      case FieldDescriptor::CPPTYPE_INT64:
        return to.SetInt64(message, field, Number());
      case FieldDescriptor::CPPTYPE_UINT32:
        return to.SetUInt32(message, field, static_cast<uint32_t>(Number()));
      case FieldDescriptor::CPPTYPE_UINT64:
        return to.SetUInt64(message, field, static_cast<uint64_t>(Number()));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return to.SetDouble(message, field, Fraction());
      case FieldDescriptor::CPPTYPE_FLOAT:
        return to.SetFloat(message, field, static_cast<float>(Fraction()));
      case FieldDescriptor::CPPTYPE_BOOL:
        return to.SetBool(message, field, OneIn(2));
      case FieldDescriptor::CPPTYPE_ENUM:
        return to.SetEnumValue(message, field, EnumNumber());
      case FieldDescriptor::CPPTYPE_STRING:
        return to.SetString(message, field, Text(*field));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(to.MutableMessage(message, field), depth + 1);
    }
  }

  void Add(Message* message, const FieldDescriptor* field, int depth) {
    const Reflection& to = *message->GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_ENUM:
        return to.AddEnumValue(message, field, EnumNumber());
      case FieldDescriptor::CPPTYPE_STRING:
        return to.AddString(message, field, Text(*field));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(to.AddMessage(message, field), depth + 1);
      default:
        ADD_FAILURE() << "no filler for " << field->full_name();
    }
  }

  int EnumNumber() { return OneIn(10) ? -1 + Below(1000) : Below(4); }

  std::mt19937_64 random_;
};

// Makes random requests, one after the other.
class Stranger {
 public:
  Stranger(AdminServer& admin, uint64_t seed)
      : admin_(admin), fill_(seed), statuses_{} {}

  void MakeRequest() {
    switch (fill_.Below(6)) {
      case 0:
        return Ask<v1::ListRequest, v1::ListResponse>(
            &v1::BreakerAdmin::Stub::List);
      case 1:
        return Ask<v1::GetRequest, v1::Breaker>(&v1::BreakerAdmin::Stub::Get);
      case 2:
        return AskToChange<v1::UpdateRequest>(&v1::BreakerAdmin::Stub::Update);
      case 3:
        return AskToChange<v1::SetModeRequest>(
            &v1::BreakerAdmin::Stub::SetMode);
      case 4:
        return AskToChange<v1::ResetRequest>(&v1::BreakerAdmin::Stub::Reset);
      default:
        return Watch();
    }
  }

  // Requests by how they ended.
  const std::array<int64_t, 17>& statuses() const { return statuses_; }
  int64_t changes() const { return changes_; }

 private:
  template <typename Request, typename Response, typename Method>
  grpc::Status Ask(Method method, Request* request, Response* response) {
    fill_.Fill(request);
    const auto context = AdminContext();
    const grpc::Status status =
        (admin_.stub.get()->*method)(context.get(), *request, response);
    Note(status, *request);
    return status;
  }
  template <typename Request, typename Response, typename Method>
  void Ask(Method method) {
    Request request;
    Response response;
    Ask(method, &request, &response);
  }
  template <typename Request, typename Method>
  void AskToChange(Method method) {
    Request request;
    v1::Breaker response;
    if (Ask(method, &request, &response).ok()) ++changes_;
  }

  void Watch() {
    v1::WatchRequest request;
    fill_.Fill(&request);
    auto watch = std::make_unique<AdminWatch>(*admin_.stub, request);
    if (fill_.OneIn(2)) watch->Next();
    if (fill_.OneIn(30)) {
      for (const auto& other : watches_) other->Cancel();
      watches_.clear();
    }
    if (watches_.size() < 20 && fill_.OneIn(2)) {
      watches_.push_back(std::move(watch));  // which nobody reads any more
      return;
    }
    const grpc::Status status = watch->Cancel();
    if (status.error_code() != StatusCode::CANCELLED) Note(status, request);
  }

  void Note(const grpc::Status& status, const Message& request) {
    ++statuses_[status.error_code()];
    switch (status.error_code()) {
      case StatusCode::OK:
      case StatusCode::INVALID_ARGUMENT:
      case StatusCode::NOT_FOUND:
      case StatusCode::FAILED_PRECONDITION:
        break;
      default:
        ADD_FAILURE() << status.error_code() << ": " << status.error_message()
                      << "\n"
                      << request.ShortDebugString().substr(0, 1000);
    }
    // It is sent in a header, which is cut or refused when it is too long.
    EXPECT_LE(status.error_message().size(), 1100u);
  }

  AdminServer& admin_;
  Filler fill_;
  std::array<int64_t, 17> statuses_;
  int64_t changes_ = 0;
  std::vector<std::unique_ptr<AdminWatch>> watches_;
};

int64_t CpuNanosecondsOfThisThread() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// Makes calls of all breakers, some of which fail, until it is stopped.
class Caller {
 public:
  explicit Caller(const std::vector<std::shared_ptr<CircuitBreaker>>& breakers)
      : thread_([this, &breakers] {
          while (!stop_) CallEach(breakers);
        }) {}

  // Answers the median CPU time of a call, in ns.
  double Stop() {
    stop_ = true;
    thread_.join();
    std::nth_element(costs_.begin(), costs_.begin() + costs_.size() / 2,
                     costs_.end());
    return costs_[costs_.size() / 2];
  }

 private:
  void CallEach(const std::vector<std::shared_ptr<CircuitBreaker>>& breakers) {
    constexpr int kRounds = 50;
    const int64_t before = CpuNanosecondsOfThisThread();
    for (int round = 0; round < kRounds; ++round) {
      for (const auto& breaker : breakers) {
        breaker->TryAcquire().Record(round == 0 ? Outcome::kFailure
                                                : Outcome::kSuccess);
      }
    }
    const int64_t took = CpuNanosecondsOfThisThread() - before;
    if (costs_.size() < 1'000'000) {
      costs_.push_back(static_cast<double>(took) /
                       (kRounds * static_cast<double>(breakers.size())));
    }
    std::this_thread::yield();
  }

  std::atomic<bool> stop_{false};
  std::vector<double> costs_;
  std::thread thread_;
};

TEST(BreakerAdminFuzz, NoRequestHarmsTheServiceOrACall) {
  std::atomic<int64_t> audited{0};
  BreakerAdminOptions options = ChangesAllowed();
  options.audit = [&](const AdminChange& change) {
    audited += !ToString(change).empty();
  };
  AdminServer admin(options);
  std::vector<std::shared_ptr<CircuitBreaker>> breakers;
  for (int i = 0; i < kBreakers; ++i) {
    breakers.push_back(admin.Make(absl::StrCat("b", i)));
  }
  Stranger stranger(admin, FromEnvironment("ADMIN_FUZZ_SEED", 1));
  Caller caller(breakers);

  const int64_t requests = FromEnvironment("ADMIN_FUZZ_REQUESTS", kRequests);
  for (int64_t i = 0; i < requests && !testing::Test::HasFailure(); ++i) {
    stranger.MakeRequest();
    admin.clock.Advance(absl::Milliseconds(10));
  }

  std::printf("CPU time of a call: %.1f ns; statuses:", caller.Stop());
  for (size_t code = 0; code < stranger.statuses().size(); ++code) {
    const int64_t count = stranger.statuses()[code];
    if (count > 0) std::printf(" %zu x %lld", code, (long long)count);
  }
  std::printf("\n");
  EXPECT_EQ(audited, stranger.changes());
  EXPECT_GT(stranger.changes(), requests / 50);
  for (const auto& breaker : breakers) {
    const BreakerSnapshot s = breaker->Snapshot();
    EXPECT_TRUE(Adds(s));
    EXPECT_EQ(s.in_flight, 0u);
    EXPECT_TRUE(s.options.Validate().ok());
  }
}

}  // namespace
}  // namespace autobreaker
