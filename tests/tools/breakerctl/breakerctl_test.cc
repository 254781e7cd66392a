// Runs breakerctl as its user does, against a service that does what a test
// says.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "autobreaker/proto/admin.grpc.pb.h"
#include "autobreaker/tests/interceptor/test_certificate.h"
#include "autobreaker/tests/support/scratch_directory.h"
#include "autobreaker/version.h"

namespace autobreaker::breakerctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

v1::Breaker MakeBreaker(const std::string& name, const std::string& method) {
  v1::Breaker breaker;
  breaker.mutable_key()->set_name(name);
  breaker.mutable_key()->set_service("shop.Orders");
  breaker.mutable_key()->set_method(method);
  breaker.set_state(v1::CLOSED);
  breaker.set_mode(v1::AUTOMATIC);
  breaker.mutable_policy();
  return breaker;
}

// Answers with what a test gives it, and keeps what it was asked.
class FakeAdmin final : public v1::BreakerAdmin::Service {
 public:
  void Add(const v1::Breaker& breaker) {
    absl::MutexLock lock(&mu_);
    breakers_.push_back(breaker);
  }
  // What each call but List and Watch answers from now on.
  void Answer(const v1::Breaker& breaker) {
    absl::MutexLock lock(&mu_);
    answer_ = breaker;
  }
  void FailWith(const grpc::Status& status) {
    absl::MutexLock lock(&mu_);
    status_ = status;
  }
  void Hang() {
    absl::MutexLock lock(&mu_);
    hangs_ = true;
  }
  void Send(const v1::WatchResponse& response) {
    absl::MutexLock lock(&mu_);
    to_send_.push_back(response);
  }
  // Ends a watch, and what hangs.
  void End() {
    absl::MutexLock lock(&mu_);
    ended_ = true;
  }

  // What came with the last List().
  std::string authorization() const { return Copy(&authorization_); }
  v1::ListRequest list_request() const { return Copy(&list_request_); }
  v1::SetModeRequest set_mode_request() const {
    return Copy(&set_mode_request_);
  }
  v1::UpdateRequest update_request() const { return Copy(&update_request_); }
  std::vector<std::string> reset_methods() const {
    absl::MutexLock lock(&mu_);
    return reset_methods_;
  }

  // Two breakers a page.
  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListRequest* request,
                    v1::ListResponse* response) override {
    absl::MutexLock lock(&mu_);
    const auto sent = context->client_metadata().find("authorization");
    authorization_ =
        sent == context->client_metadata().end()
            ? ""
            : std::string(sent->second.data(), sent->second.size());
    const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return ended_ || !hangs_;
    };
    mu_.Await(absl::Condition(&ended));
    list_request_ = *request;
    size_t next = 0;
    if (!request->page_token().empty() &&
        !absl::SimpleAtoi(request->page_token(), &next)) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "page_token"};
    }
    for (const size_t end = std::min(next + 2, breakers_.size()); next < end;
         ++next) {
      *response->add_breakers() = breakers_[next];
    }
    if (next < breakers_.size()) {
      response->set_next_page_token(absl::StrCat(next));
    }
    return grpc::Status::OK;
  }

  grpc::Status Get(grpc::ServerContext*, const v1::GetRequest*,
                   v1::Breaker* response) override {
    absl::MutexLock lock(&mu_);
    *response = answer_;
    return status_;
  }
  grpc::Status SetMode(grpc::ServerContext*, const v1::SetModeRequest* request,
                       v1::Breaker* response) override {
    absl::MutexLock lock(&mu_);
    set_mode_request_ = *request;
    *response = answer_;
    return status_;
  }
  grpc::Status Update(grpc::ServerContext*, const v1::UpdateRequest* request,
                      v1::Breaker* response) override {
    absl::MutexLock lock(&mu_);
    update_request_ = *request;
    *response = answer_;
    return status_;
  }
  grpc::Status Reset(grpc::ServerContext*, const v1::ResetRequest* request,
                     v1::Breaker* response) override {
    absl::MutexLock lock(&mu_);
    reset_methods_.push_back(request->key().method());
    *response = answer_;
    *response->mutable_key() = request->key();
    return status_;
  }

  grpc::Status Watch(grpc::ServerContext*, const v1::WatchRequest*,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    for (;;) {
      std::vector<v1::WatchResponse> responses;
      {
        absl::MutexLock lock(&mu_);
        const auto due = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
          return ended_ || !to_send_.empty();
        };
        mu_.Await(absl::Condition(&due));
        if (ended_) return status_;
        std::swap(responses, to_send_);
      }
      for (const v1::WatchResponse& response : responses) {
        writer->Write(response);
      }
    }
  }

 private:
  template <typename Message>
  Message Copy(const Message* message) const {
    absl::MutexLock lock(&mu_);
    return *message;
  }

  mutable absl::Mutex mu_;
  std::vector<v1::Breaker> breakers_ ABSL_GUARDED_BY(mu_);
  v1::Breaker answer_ ABSL_GUARDED_BY(mu_);
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
  bool hangs_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<v1::WatchResponse> to_send_ ABSL_GUARDED_BY(mu_);
  std::string authorization_;
  v1::ListRequest list_request_;
  v1::SetModeRequest set_mode_request_;
  v1::UpdateRequest update_request_;
  std::vector<std::string> reset_methods_ ABSL_GUARDED_BY(mu_);
};

// The program, as it runs.
class Program {
 public:
  Program(std::vector<std::string> arguments,
          std::vector<std::string> environment,
          const char* path = std::getenv("BREAKERCTL")) {
    arguments.insert(arguments.begin(), path);
    int output[2];
    int errors[2];
    EXPECT_EQ(pipe2(output, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(errors, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
    EXPECT_EQ(
        posix_spawn(&pid_, arguments[0].c_str(), &actions, nullptr,
                    Pointers(&arguments).data(), Pointers(&environment).data()),
        0);
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    close(errors[1]);
    output_ = fdopen(output[0], "r");
    errors_ = fdopen(errors[0], "r");
  }

  ~Program() {
    if (!ended_) kill(pid_, SIGKILL);
    Wait();
    CloseOutput();
    fclose(errors_);
  }

  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string ReadLine() { return ReadLine(output_); }
  std::string ReadOutput() { return ReadAll(output_); }
  std::string ReadErrors() { return ReadAll(errors_); }
  void CloseOutput() {
    if (output_ != nullptr) fclose(output_);
    output_ = nullptr;
  }
  void Signal(int signal) { kill(pid_, signal); }

  // The code that it ends with; below 0 if by a signal.
  int Wait() {
    if (!ended_) waitpid(pid_, &status_, 0);
    ended_ = true;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>* texts) {
    std::vector<char*> pointers;
    for (std::string& text : *texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  static std::string ReadLine(FILE* file) {
    std::string line;
    for (int c; (c = getc(file)) != EOF;) {
      if (c == '\n') break;
      line += static_cast<char>(c);
    }
    return line;
  }

  static std::string ReadAll(FILE* file) {
    std::string all;
    for (int c; (c = getc(file)) != EOF;) all += static_cast<char>(c);
    return all;
  }

  pid_t pid_ = -1;
  FILE* output_ = nullptr;
  FILE* errors_ = nullptr;
  bool ended_ = false;
  int status_ = 0;
};

struct Ended {
  int code;
  std::string output;
  std::string errors;
};

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n');
}

Ended RunProgram(std::vector<std::string> arguments,
                 std::vector<std::string> environment = {}) {
  Program program(std::move(arguments), std::move(environment));
  const std::string output = program.ReadOutput();
  const std::string errors = program.ReadErrors();
  return {program.Wait(), output, errors};
}

// A socket on a port of its own, which the system keeps from others.
class Socket {
 public:
  explicit Socket(bool listens) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_, generic, size), 0);
    EXPECT_EQ(getsockname(fd_, generic, &size), 0);
    if (listens) listen(fd_, /*backlog=*/1);
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  ~Socket() { close(fd_); }

  const std::string& address() const { return address_; }

 private:
  const int fd_;
  std::string address_;
};

class BreakerctlTest : public testing::Test {
 protected:
  explicit BreakerctlTest(
      std::unique_ptr<v1::BreakerAdmin::Service> other = nullptr)
      : other_(std::move(other)) {
    int port = 0;
    server_ = grpc::ServerBuilder()
                  .AddListeningPort("127.0.0.1:0",
                                    grpc::InsecureServerCredentials(), &port)
                  .RegisterService(other_ != nullptr ? other_.get() : &admin_)
                  .BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
    instruments_ = {absl::StrCat("BREAKERCTL_ADDRESS=", address_), "TZ=UTC"};
    admin_.Add(MakeBreaker("payments", "Cancel"));
    admin_.Add(MakeBreaker("payments", "PlaceOrder"));
    admin_.Add(MakeBreaker("stock", "PlaceOrder"));
    admin_.Answer(MakeBreaker("payments", "Cancel"));
  }
  ~BreakerctlTest() override {
    admin_.End();
    server_->Shutdown(absl::ToChronoTime(absl::Now()));
  }

  Ended Run(std::vector<std::string> arguments) const {
    return RunProgram(std::move(arguments), instruments_);
  }

  std::unique_ptr<Program> Watch(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), "watch");
    v1::WatchResponse response;
    *response.mutable_snapshot()->add_breakers() =
        MakeBreaker("payments", "Cancel");
    *response.mutable_snapshot()->add_breakers() =
        MakeBreaker("stock", "PlaceOrder");
    response.mutable_snapshot()->set_complete(true);
    admin_.Send(response);
    return std::make_unique<Program>(std::move(arguments), instruments_);
  }

  void SendTransition(const v1::Breaker& breaker) {
    v1::WatchResponse response;
    v1::Transition* const transition = response.mutable_transition();
    *transition->mutable_key() = breaker.key();
    transition->set_from(v1::CLOSED);
    transition->set_to(v1::OPEN);
    transition->set_reason(v1::CONSECUTIVE_FAILURES);
    transition->set_consecutive_failures(5);
    transition->mutable_time()->set_seconds(3723);
    transition->mutable_open_for()->set_seconds(2);
    admin_.Send(response);
  }

  const std::unique_ptr<v1::BreakerAdmin::Service> other_;
  FakeAdmin admin_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::vector<std::string> instruments_;
};

TEST_F(BreakerctlTest, ListShowsTheBreakersOfAllPages) {
  const Ended ended = Run({"list"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(Lines(ended.output),
              ElementsAre(StartsWith("NAME      METHOD "),
                          StartsWith("payments  shop.Orders/Cancel "),
                          StartsWith("payments  shop.Orders/PlaceOrder "),
                          StartsWith("stock     shop.Orders/PlaceOrder "), ""));
  EXPECT_EQ(ended.errors, "");
}

TEST_F(BreakerctlTest, ListShowsOnlyTheBreakersOfItsKey) {
  const Ended ended = Run({"list", "PlaceOrder"});
  EXPECT_THAT(ended.output, Not(HasSubstr("Cancel")));
  EXPECT_THAT(ended.output, HasSubstr("stock "));
}

TEST_F(BreakerctlTest, ListLetsTheServiceChooseStatesAndModes) {
  Run({"list", "--state=open,half_open", "--mode", "shadow"});
  const v1::Filter filter = admin_.list_request().filter();
  EXPECT_THAT(filter.states(), ElementsAre(v1::OPEN, v1::HALF_OPEN));
  EXPECT_THAT(filter.modes(), ElementsAre(v1::SHADOW));
}

TEST_F(BreakerctlTest, ListAsJsonIsOneObject) {
  const Ended ended = Run({"list", "--output=json"});
  v1::ListResponse response;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(ended.output, &response)
          .ok());
  EXPECT_EQ(response.breakers_size(), 3);
  EXPECT_EQ(std::count(ended.output.begin(), ended.output.end(), '\n'), 1);
}

TEST_F(BreakerctlTest, AddressOfTheFlagComesFirst) {
  const std::vector<std::string> elsewhere = {"BREAKERCTL_ADDRESS=127.0.0.1:1"};
  EXPECT_EQ(RunProgram({"list", "--address", address_}, elsewhere).code, 0);
}

TEST_F(BreakerctlTest, GetShowsTheBreaker) {
  const Ended ended = Run({"get", "Cancel"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.output, StartsWith("payments/shop.Orders/Cancel\n"));
}

TEST_F(BreakerctlTest, GetAsJsonIsTheBreaker) {
  const Ended ended = Run({"get", "Cancel", "--output=json"});
  v1::Breaker breaker;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(ended.output, &breaker).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(
      breaker, MakeBreaker("payments", "Cancel")));
}

TEST_F(BreakerctlTest, NoSuchBreakerEndsWith3) {
  const Ended ended = Run({"get", "Refund"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.output, "");
  EXPECT_EQ(ended.errors,
            "breakerctl: no breaker is named \"Refund\"; \"breakerctl list\" "
            "shows those there are\n");
}

TEST_F(BreakerctlTest, BreakerThatIsGoneMeanwhileEndsWith3) {
  admin_.FailWith({grpc::StatusCode::NOT_FOUND, "no such breaker"});
  const Ended ended = Run({"get", "Cancel"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.errors,
            "breakerctl: payments/shop.Orders/Cancel: no such breaker\n");
}

TEST_F(BreakerctlTest, AmbiguousKeyEndsWith2AndDoesNothing) {
  const Ended ended = Run({"reset", "PlaceOrder"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.errors,
            "breakerctl: \"PlaceOrder\" could be 2 breakers: "
            "payments/shop.Orders/PlaceOrder, stock/shop.Orders/PlaceOrder\n");
  EXPECT_THAT(admin_.reset_methods(), IsEmpty());
}

TEST_F(BreakerctlTest, SetModeSendsModeAndTime) {
  v1::Breaker forced = MakeBreaker("payments", "Cancel");
  forced.set_state(v1::OPEN);
  forced.set_mode(v1::FORCED_OPEN);
  forced.mutable_mode_remaining()->set_seconds(600);
  forced.set_next_mode(v1::AUTOMATIC);
  admin_.Answer(forced);
  const Ended ended =
      Run({"set-mode", "Orders/Cancel", "forced-open", "--for=10m"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output,
            "payments/shop.Orders/Cancel: mode forced-open for 10m, then "
            "automatic; state open\n");
  const v1::SetModeRequest request = admin_.set_mode_request();
  EXPECT_EQ(request.key().name(), "payments");
  EXPECT_EQ(request.mode(), v1::FORCED_OPEN);
  EXPECT_EQ(request.duration().seconds(), 600);
}

TEST_F(BreakerctlTest, UpdateSendsOptionsAndMask) {
  v1::Breaker updated = MakeBreaker("payments", "Cancel");
  updated.mutable_options()->mutable_trip()->set_minimum_calls(50);
  updated.mutable_options()->mutable_trip()->mutable_window()->set_seconds(10);
  admin_.Answer(updated);
  const Ended ended =
      Run({"update", "Cancel", "trip.minimum_calls=50", "--reset=trip.window"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output,
            "payments/shop.Orders/Cancel: trip.minimum_calls=50 "
            "trip.window=10s\n");
  const v1::UpdateRequest request = admin_.update_request();
  EXPECT_EQ(request.key().method(), "Cancel");
  EXPECT_EQ(request.options().trip().minimum_calls(), 50);
  EXPECT_THAT(
      request.update_mask().paths(),
      testing::UnorderedElementsAre("trip.minimum_calls", "trip.window"));
}

TEST_F(BreakerctlTest, ResetWithAllTakesEveryBreakerOfTheKey) {
  const Ended ended = Run({"reset", "--all", "payments"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output,
            "payments/shop.Orders/Cancel: reset; state closed\n"
            "payments/shop.Orders/PlaceOrder: reset; state closed\n");
  EXPECT_THAT(admin_.reset_methods(), ElementsAre("Cancel", "PlaceOrder"));
}

TEST_F(BreakerctlTest, AllIsDoneEvenIfNobodyReads) {
  Program program({"reset", "--all", "payments"}, instruments_);
  program.CloseOutput();
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_EQ(program.ReadErrors(), "");
  EXPECT_THAT(admin_.reset_methods(), ElementsAre("Cancel", "PlaceOrder"));
}

TEST_F(BreakerctlTest, RefusedValueEndsWith2) {
  admin_.FailWith({grpc::StatusCode::INVALID_ARGUMENT,
                   "trip.minimum_calls must be from 1 to 1000000000, not 0"});
  const Ended ended = Run({"update", "Cancel", "trip.minimum_calls=0"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(
      ended.errors,
      "breakerctl: payments/shop.Orders/Cancel: trip.minimum_calls must be "
      "from 1 to 1000000000, not 0\n");
}

TEST_F(BreakerctlTest, WhatIsNotAllowedEndsWith4) {
  admin_.FailWith({grpc::StatusCode::PERMISSION_DENIED, "changes are off"});
  const Ended ended = Run({"set-mode", "Cancel", "shadow"});
  EXPECT_EQ(ended.code, 4);
  EXPECT_EQ(ended.errors,
            "breakerctl: payments/shop.Orders/Cancel: changes are off\n");
}

TEST_F(BreakerctlTest, WhatIsNotPossibleNowEndsWith4) {
  admin_.FailWith({grpc::StatusCode::FAILED_PRECONDITION, "forced open"});
  EXPECT_EQ(Run({"reset", "Cancel"}).code, 4);
}

TEST_F(BreakerctlTest, FailureOfTheServiceEndsWith1InOneLine) {
  admin_.FailWith({grpc::StatusCode::INTERNAL, "broken\nin two lines"});
  const Ended ended = Run({"get", "Cancel"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.errors,
            "breakerctl: payments/shop.Orders/Cancel: "
            "broken\\nin two lines\n");
}

TEST_F(BreakerctlTest, ServiceThatDoesNotAnswerEndsWith1InTime) {
  admin_.Hang();
  const Ended ended = Run({"list", "--timeout=200ms"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.errors, absl::StrCat("breakerctl: ", address_,
                                       " did not answer within 200ms "
                                       "(--timeout)\n"));
}

TEST_F(BreakerctlTest, WatchShowsTheTableAndThenEveryChangeAtOnce) {
  const auto program = Watch();
  EXPECT_THAT(program->ReadLine(), StartsWith("NAME "));
  EXPECT_THAT(program->ReadLine(), StartsWith("payments "));
  EXPECT_THAT(program->ReadLine(), StartsWith("stock "));
  SendTransition(MakeBreaker("stock", "PlaceOrder"));
  EXPECT_EQ(program->ReadLine(),
            "01:02:03.000  stock     shop.Orders/PlaceOrder  "
            "closed -> open 2s       consecutive_failures 5");
}

TEST_F(BreakerctlTest, WatchShowsOnlyTheBreakersOfItsKey) {
  const auto program = Watch({"stock"});
  EXPECT_THAT(program->ReadLine(), StartsWith("NAME "));
  EXPECT_THAT(program->ReadLine(), StartsWith("stock "));
  SendTransition(MakeBreaker("payments", "Cancel"));
  SendTransition(MakeBreaker("stock", "PlaceOrder"));
  EXPECT_THAT(program->ReadLine(), HasSubstr("  stock  "));
}

TEST_F(BreakerctlTest, WatchAsJsonHasAnObjectALine) {
  const auto program = Watch({"--output=json"});
  EXPECT_THAT(program->ReadLine(), MatchesRegex("\\{\"snapshot\":.*\\}"));
  SendTransition(MakeBreaker("stock", "PlaceOrder"));
  EXPECT_THAT(program->ReadLine(), MatchesRegex("\\{\"transition\":.*\\}"));
}

TEST_F(BreakerctlTest, WatchSaysHowManyChangesItMissed) {
  const auto program = Watch();
  for (int i = 0; i < 3; ++i) program->ReadLine();
  v1::WatchResponse response;
  response.mutable_missed()->set_transitions(7);
  admin_.Send(response);
  EXPECT_THAT(program->ReadLine(), HasSubstr("missed 7 changes"));
}

TEST_F(BreakerctlTest, WatchEndsWith1WhenTheProgramNoLongerAnswers) {
  const auto program = Watch({"--timeout=200ms"});
  program->ReadLine();
  admin_.Hang();  // what a cut network looks like from here
  EXPECT_EQ(program->Wait(), 1);
  EXPECT_EQ(program->ReadErrors(),
            absl::StrCat("breakerctl: ", address_,
                         " did not answer within 200ms (--timeout)\n"));
}

TEST_F(BreakerctlTest, ColorsWhenItIsAskedTo) {
  EXPECT_THAT(Run({"list", "--color=always"}).output, HasSubstr("\x1b[32m"));
  EXPECT_THAT(Run({"list", "--color=never"}).output, Not(HasSubstr("\x1b")));
  EXPECT_THAT(Run({"list"}).output, Not(HasSubstr("\x1b")));  // no terminal
}

// Another service, and breakerctl asks both.
class TwoServicesTest : public BreakerctlTest {
 protected:
  TwoServicesTest() {
    int port = 0;
    other_server_ =
        grpc::ServerBuilder()
            .AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                              &port)
            .RegisterService(&other_admin_)
            .BuildAndStart();
    other_address_ = absl::StrCat("127.0.0.1:", port);
    both_ = absl::StrCat("--address=", address_, ",", other_address_);
    other_admin_.Add(MakeBreaker("far", "Cancel"));
    other_admin_.Answer(MakeBreaker("far", "Cancel"));
  }
  ~TwoServicesTest() override {
    other_admin_.End();
    other_server_->Shutdown(absl::ToChronoTime(absl::Now()));
  }

  FakeAdmin other_admin_;
  std::unique_ptr<grpc::Server> other_server_;
  std::string other_address_;
  std::string both_;
};

TEST_F(TwoServicesTest, ListIsOneTable) {
  const Ended ended = Run({"list", "Cancel", both_});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(
      Lines(ended.output),
      ElementsAre(MatchesRegex("ADDRESS +NAME .*"),
                  StartsWith(absl::StrCat(address_, "  payments")),
                  StartsWith(absl::StrCat(other_address_, "  far ")), ""));
}

TEST_F(TwoServicesTest, ListAsJsonHasALineForEach) {
  EXPECT_THAT(
      Lines(Run({"list", both_, "--output=json"}).output),
      ElementsAre(StartsWith(absl::StrCat("{\"address\":\"", address_,
                                          "\",\"answer\":{\"breakers\"")),
                  StartsWith(absl::StrCat("{\"address\":\"", other_address_)),
                  ""));
}

TEST_F(TwoServicesTest, JsonHasAnyAddress) {
  FakeAdmin admin;
  const std::string address =
      absl::StrCat("unix-abstract:breakerctl_caf\xc3\xa9\"_", getpid());
  const auto server =
      grpc::ServerBuilder()
          .AddListeningPort(address, grpc::InsecureServerCredentials())
          .RegisterService(&admin)
          .BuildAndStart();
  const Ended ended =
      Run({"list", absl::StrCat("--address=", address, ",", other_address_),
           "--output=json"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr(absl::StrCat("caf\xc3\xa9\\\"_", getpid(),
                                                   "\",\"answer\":{")));
}

TEST_F(TwoServicesTest, OneThatIsAwayIsToldAndTheOtherShown) {
  const Socket nobody(/*listens=*/false);
  const Ended ended = Run({"list", absl::StrCat("--address=", nobody.address(),
                                                ",", other_address_)});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.output, HasSubstr(absl::StrCat(other_address_, "  far")));
  EXPECT_THAT(ended.errors,
              StartsWith(absl::StrCat("breakerctl: ", nobody.address(),
                                      ": cannot reach ")));
  EXPECT_THAT(ended.errors, HasSubstr("not done at 1 of 2 addresses\n"));
}

TEST_F(TwoServicesTest, AChangeIsMadeAtBoth) {
  const Ended ended = Run({"set-mode", "Cancel", "shadow", both_});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(admin_.set_mode_request().key().name(), "payments");
  EXPECT_EQ(other_admin_.set_mode_request().key().name(), "far");
  EXPECT_THAT(
      Lines(ended.output),
      ElementsAre(StartsWith(absl::StrCat(address_, "  payments/")),
                  StartsWith(absl::StrCat(other_address_, "  far/")), ""));
}

TEST_F(TwoServicesTest, WhereAKeyIsUnknownEndsWith3) {
  const Ended ended = Run({"reset", "far", both_});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(other_admin_.reset_methods(), ElementsAre("Cancel"));
  EXPECT_THAT(ended.output, StartsWith(other_address_));
}

TEST_F(TwoServicesTest, WatchShowsWhereAChangeWas) {
  v1::WatchResponse nothing;
  nothing.mutable_snapshot()->set_complete(true);
  other_admin_.Send(nothing);
  const auto program = Watch({both_});
  for (int i = 0; i < 4; ++i) program->ReadLine();  // both tables
  SendTransition(MakeBreaker("stock", "PlaceOrder"));
  EXPECT_THAT(program->ReadLine(),
              MatchesRegex(absl::StrCat(address_, "  01:02:03.*stock.*")));
  admin_.End();  // the other goes on
  v1::WatchResponse missed;
  missed.mutable_missed()->set_transitions(1);
  other_admin_.Send(missed);
  EXPECT_THAT(program->ReadLine(), StartsWith(other_address_));
  other_admin_.End();
  EXPECT_EQ(program->Wait(), 1);
  EXPECT_THAT(program->ReadErrors(),
              HasSubstr(absl::StrCat(address_, " ended the watch")));
}

TEST_F(BreakerctlTest, ConfigCheckAsksNobody) {
  const ScratchDirectory directory;
  const std::string good = directory.Path("good.json");
  ScratchDirectory::Write(
      good, R"({"breakers": [{"names": [{"name": "payments"}]}]})");
  const Ended ended = RunProgram({"config", "check", good});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output, absl::StrCat(good, " is good: 1 entry for 1 name\n"));
}

TEST_F(BreakerctlTest, ConfigCheckOfABadOneEndsWith2) {
  const ScratchDirectory directory;
  const std::string bad = directory.Path("bad.json");
  ScratchDirectory::Write(
      bad,
      R"({"breakers": [{"names": [{}], "options": {"trip": {"window": "0s"}}}]})");
  const Ended ended = RunProgram({"config", "check", bad});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.output, "");
  EXPECT_THAT(ended.errors, HasSubstr("breakers[0] {}"));
  EXPECT_THAT(ended.errors, HasSubstr("trip.window is 0"));
  EXPECT_EQ(RunProgram({"config", "check", "/no/such.json"}).code, 2);
}

TEST_F(BreakerctlTest, ConfigCheckAgainstAProgramShowsWhichBreakersItIsFor) {
  const ScratchDirectory directory;
  const std::string path = directory.Path("c.json");
  ScratchDirectory::Write(
      path,
      R"({"breakers": [{"names": [{"name": "payments"}, {"name": "typo"}]}]})");
  const Ended ended =
      RunProgram({"config", "check", path, "--against", address_});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.output, HasSubstr("breakers[0] {name \"payments\"}:\n"
                                      "    payments/shop.Orders/Cancel\n"));
  EXPECT_THAT(ended.output,
              HasSubstr("breakers[0] {name \"typo\"}:\n    none\n"));
}

TEST_F(BreakerctlTest, ConfigExplainShowsFromWhomAnOptionIs) {
  v1::Breaker breaker = MakeBreaker("payments", "Cancel");
  breaker.mutable_options()->mutable_open()->mutable_duration()->set_seconds(7);
  breaker.mutable_policy()
      ->mutable_options()
      ->mutable_open()
      ->mutable_duration()
      ->set_seconds(2);
  admin_.Answer(breaker);
  EXPECT_EQ(Run({"config", "explain", "Cancel"}).output,
            "payments/shop.Orders/Cancel\n"
            "  open.duration=7s  by hand; else 2s\n");
}

TEST_F(BreakerctlTest, ConfigExplainNeedsAProgramThatTells) {
  v1::Breaker breaker = MakeBreaker("payments", "Cancel");
  breaker.clear_policy();
  admin_.Answer(breaker);
  const Ended ended = Run({"config", "explain", "Cancel"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.output, "");
  EXPECT_THAT(
      ended.errors,
      HasSubstr("does not tell from whom the options of a breaker are"));
}

class BashTest : public BreakerctlTest {
 protected:
  // As bash calls it, for a line that was typed so far and its last word.
  std::string Complete(const std::string& line, const std::string& last) const {
    const std::string breakerctl = std::getenv("BREAKERCTL");
    const std::string script = absl::StrCat(
        "source <(", breakerctl, " completion bash); breakerctl() { ",
        breakerctl, " \"$@\"; }; COMP_LINE='", line,
        "'; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(x '", last,
        "'); COMP_CWORD=1; _breakerctl; echo \"${COMPREPLY[*]}\"");
    Program bash({"-c", script}, instruments_, "/bin/bash");
    return bash.ReadLine();
  }
};

TEST_F(BashTest, CompletesWhatTheProgramKnows) {
  EXPECT_EQ(Complete("breakerctl res", "res"), "reset");
  EXPECT_EQ(Complete("breakerctl config ", ""), "check explain");
  EXPECT_EQ(Complete("breakerctl get sto", "sto"),
            "stock/shop.Orders/PlaceOrder");
  EXPECT_EQ(Complete("breakerctl list --state=ha", "ha"), "half-open");
  EXPECT_EQ(Complete("breakerctl list --output=", "="), "table wide json");
  EXPECT_EQ(Complete("breakerctl set-mode x sh", "sh"), "shadow");
  EXPECT_EQ(Complete("breakerctl update x trip.min", "trip.min"),
            "trip.minimum_calls=");
}

// A partition may be named by who calls the program.
TEST_F(BashTest, QuotesWhatWouldBeACommandInTheNameOfABreaker) {
  admin_.Add(MakeBreaker("a;$(reboot) `b`", "Cancel"));
  EXPECT_EQ(Complete("breakerctl get a", "a"),
            "a\\;\\$\\(reboot\\)\\ \\`b\\`/shop.Orders/Cancel");
}

class SignalTest : public BreakerctlTest,
                   public testing::WithParamInterface<int> {};

TEST_P(SignalTest, EndsAWatchWell) {
  const auto program = Watch();
  program->ReadLine();
  program->Signal(GetParam());
  EXPECT_EQ(program->Wait(), 0);
  EXPECT_EQ(program->ReadErrors(), "");
}

INSTANTIATE_TEST_SUITE_P(CtrlCAndTerm, SignalTest,
                         testing::Values(SIGINT, SIGTERM));

TEST_F(BreakerctlTest, WatchEndsWellWhenNobodyReads) {
  const auto program = Watch();
  program->ReadLine();
  program->CloseOutput();
  EXPECT_EQ(program->Wait(), 0);
  EXPECT_EQ(program->ReadErrors(), "");
}

TEST_F(BreakerctlTest, WatchEndsWith1WhenTheServiceEndsIt) {
  const auto program = Watch();
  program->ReadLine();
  admin_.End();
  EXPECT_EQ(program->Wait(), 1);
  EXPECT_EQ(program->ReadErrors(),
            absl::StrCat("breakerctl: ", address_, " ended the watch\n"));
}

TEST_F(BreakerctlTest, WatchEndsWith1WhenTheServerGoesAway) {
  const auto program = Watch();
  program->ReadLine();
  admin_.FailWith({grpc::StatusCode::UNAVAILABLE, "Socket closed"});
  admin_.End();
  EXPECT_EQ(program->Wait(), 1);
  EXPECT_EQ(program->ReadErrors(),
            absl::StrCat("breakerctl: lost ", address_, ": Socket closed\n"));
}

class OtherServiceTest : public BreakerctlTest {
 protected:
  OtherServiceTest()
      : BreakerctlTest(std::make_unique<v1::BreakerAdmin::Service>()) {}
};

TEST_F(OtherServiceTest, ServerWithoutTheServiceIsNamed) {
  for (const char* command : {"list", "watch"}) {
    const Ended ended = Run({command});
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.errors,
              absl::StrCat("breakerctl: ", address_,
                           " does not serve autobreaker.v1.BreakerAdmin; is "
                           "--address right?\n"));
  }
}

// A server of its own, which wants TLS and a client's certificate.
class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    scratch_.Write(ca_, kTestCertificate);
    scratch_.Write(key_, kTestKey);
    scratch_.Write(token_, "secret\n");
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = kTestCertificate;
    options.pem_key_cert_pairs.push_back({kTestKey, kTestCertificate});
    int port = 0;
    server_ = grpc::ServerBuilder()
                  .AddListeningPort("127.0.0.1:0",
                                    grpc::SslServerCredentials(options), &port)
                  .RegisterService(&admin_)
                  .BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
    admin_.Add(MakeBreaker("payments", "Cancel"));
  }
  ~TlsTest() override { server_->Shutdown(absl::ToChronoTime(absl::Now())); }

  Ended List(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"list", "--address", address_});
    return RunProgram(std::move(flags));
  }

  FakeAdmin admin_;
  ScratchDirectory scratch_;
  const std::string ca_ = scratch_.Path("ca.pem");
  const std::string key_ = scratch_.Path("key.pem");
  const std::string token_ = scratch_.Path("token");
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(TlsTest, KnowsTheServerAndIsKnown) {
  const Ended ended = List({"--ca", ca_, "--cert", ca_, "--cert-key", key_,
                            absl::StrCat("--server-name=", kTestHostName)});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr("Cancel"));
  EXPECT_EQ(admin_.authorization(), "");
}

TEST_F(TlsTest, SendsTheTokenOfAFile) {
  const Ended ended = List({"--ca", ca_, "--cert", ca_, "--cert-key", key_,
                            absl::StrCat("--server-name=", kTestHostName),
                            "--token-file", token_});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(admin_.authorization(), "Bearer secret");
}

TEST_F(TlsTest, TrustsNobodyElse) {
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{
           {"--tls"},
           {"--ca", ca_, "--cert", ca_, "--cert-key", key_},  // another name
           {"--ca", ca_, absl::StrCat("--server-name=", kTestHostName)},
           {}}) {
    std::vector<std::string> with_timeout = flags;
    with_timeout.push_back("--timeout=5s");
    const Ended ended = List(with_timeout);
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.output, "");
  }
}

TEST_F(TlsTest, NamesAFileThatCannotBeRead) {
  const Ended ended = List({"--ca", scratch_.Path("none")});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.errors,
            absl::StrCat("breakerctl: --ca: ", scratch_.Path("none"),
                         ": No such file or directory\n"));
}

// An abstract one, since the path of a test's folder is too long for a socket.
TEST(UnixSocket, IsAnAddress) {
  const std::string address =
      absl::StrCat("unix-abstract:breakerctl_test_", getpid());
  FakeAdmin admin;
  admin.Add(MakeBreaker("payments", "Cancel"));
  const std::unique_ptr<grpc::Server> server =
      grpc::ServerBuilder()
          .AddListeningPort(address, grpc::InsecureServerCredentials())
          .RegisterService(&admin)
          .BuildAndStart();
  const Ended ended = RunProgram({"list", "--address", address});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr("Cancel"));
  server->Shutdown(absl::ToChronoTime(absl::Now()));
}

TEST(Unreachable, EndsWith1AtOnceWhereNothingListens) {
  const Socket socket(/*listens=*/false);
  for (const char* command : {"list", "watch"}) {
    const Ended ended =
        RunProgram({command, "--address", socket.address(), "--timeout=1h"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.output, "");
    EXPECT_EQ(ended.errors,
              absl::StrCat("breakerctl: cannot reach ", socket.address(),
                           "; is the program up, and its admin service at "
                           "this address? (--address=HOST:PORT) Does it want "
                           "TLS? (--tls)\n"));
  }
}

TEST(Unreachable, EndsWith1InTimeWhereNothingAnswers) {
  const Socket socket(/*listens=*/true);
  for (const char* command : {"list", "watch"}) {
    const Ended ended =
        RunProgram({command, "--address", socket.address(), "--timeout=200ms"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.errors, HasSubstr("cannot reach"));
  }
}

TEST(Usage, MistakeEndsWith2InOneLine) {
  const Ended ended = RunProgram({"list", "--nonsense"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.output, "");
  EXPECT_EQ(ended.errors, "breakerctl: no flag --nonsense\n");
}

TEST(Usage, VersionIsThatOfTheLibrary) {
  const Ended ended = RunProgram({"--version"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output,
            absl::StrCat("breakerctl (AutoBreaker) ", AUTOBREAKER_VERSION_MAJOR,
                         ".", AUTOBREAKER_VERSION_MINOR, ".",
                         AUTOBREAKER_VERSION_PATCH, "\n"));
  EXPECT_EQ(ended.output,
            absl::StrCat("breakerctl (AutoBreaker) ", kVersion, "\n"));
}

TEST(Usage, HelpNamesTheExitCodes) {
  const Ended ended = RunProgram({"help"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.output, HasSubstr("Exit codes: 0 done;"));
  EXPECT_EQ(ended.errors, "");
}

}  // namespace
}  // namespace autobreaker::breakerctl
