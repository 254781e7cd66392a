#include "autobreaker/tools/breakerctl/client.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/proto/admin.grpc.pb.h"
#include "autobreaker/tools/breakerctl/completion.h"
#include "autobreaker/tools/breakerctl/config_command.h"
#include "autobreaker/tools/breakerctl/credentials.h"
#include "autobreaker/tools/breakerctl/key.h"
#include "autobreaker/tools/breakerctl/targets.h"
#include "autobreaker/tools/breakerctl/text.h"
#include "autobreaker/version.h"

namespace autobreaker::breakerctl {
namespace {

// The empty string if it is not set.
absl::string_view Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

// See https://no-color.org.
bool WantsColor(Color color) {
  if (color != Color::kAuto) return color == Color::kAlways;
  return isatty(STDOUT_FILENO) != 0 && Environment("NO_COLOR").empty() &&
         Environment("TERM") != "dumb";
}

// As JSON writes it, in quotes.
std::string JsonString(const std::string& text) {
  google::protobuf::StringValue value;
  value.set_value(text);
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(value, &json);
  return status.ok() ? json : "null";
}

// Where answers go.
using Sink = std::function<absl::Status(absl::string_view text)>;

// Well, too, if nobody reads it: what is to be done is done all the same.
absl::Status Print(absl::string_view text) {
  if ((std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
       std::fflush(stdout) == 0) ||
      errno == EPIPE) {
    return absl::OkStatus();
  }
  return absl::InternalError(
      absl::StrCat("cannot write the answer: ", std::strerror(errno)));
}

View LookOf(const Command& command) {
  View view;
  view.color = WantsColor(command.color);
  view.wide = command.output == Output::kWide;
  view.now = absl::Now();
  view.zone = absl::LocalTimeZone();
  return view;
}

// One command at one address, under way.
class Client {
 public:
  Client(const Command& command, Target target,
         const std::shared_ptr<grpc::ChannelCredentials>& credentials,
         Sink sink)
      : command_(command),
        target_(std::move(target)),
        sink_(std::move(sink)),
        deadline_(absl::Now() + command.timeout),
        channel_(grpc::CreateCustomChannel(target_.address, credentials,
                                           Arguments(target_))),
        stub_(v1::BreakerAdmin::NewStub(channel_)) {}

  // For a table of several addresses.
  absl::StatusOr<std::vector<v1::Breaker>> ListBreakers() {
    if (const absl::Status status = Connect(); !status.ok()) return status;
    return Chosen();
  }

  absl::Status Run() {
    if (const absl::Status status = Connect(); !status.ok()) return status;
    switch (command_.verb) {
      case Verb::kList:
        return List();
      case Verb::kWatch:
        return Watch();
      case Verb::kGet:
        return ForKeys(&Client::Get);
      case Verb::kSetMode:
        return ForKeys(&Client::SetMode);
      case Verb::kUpdate:
        return ForKeys(&Client::Update);
      case Verb::kReset:
        return ForKeys(&Client::Reset);
      case Verb::kConfigCheck:
        return CheckAgainst();
      case Verb::kConfigExplain:
        return ForKeys(&Client::Explain);
      case Verb::kHelp:
      case Verb::kVersion:
      case Verb::kCompletion:
        break;
    }
    return absl::OkStatus();
  }

 private:
  static grpc::ChannelArguments Arguments(const Target& target) {
    grpc::ChannelArguments arguments;
    if (!target.server_name.empty()) {
      arguments.SetSslTargetNameOverride(target.server_name);
    }
    return arguments;
  }

  std::string Address() const { return Printable(target_.address); }
  absl::Status Write(absl::string_view text) const { return sink_(text); }

  absl::Status WriteJson(const google::protobuf::Message& message) const {
    std::string json;
    if (!google::protobuf::util::MessageToJsonString(message, &json).ok()) {
      return absl::InternalError(
          "the service's answer cannot be written as JSON");
    }
    return Write(absl::StrCat(json, "\n"));
  }

  // Fails at once where nothing listens, and in time where nothing answers: by
  // itself a call would wait for up to 20 s.
  absl::Status Connect() {
    grpc_connectivity_state state = channel_->GetState(true);
    while (state == GRPC_CHANNEL_IDLE || state == GRPC_CHANNEL_CONNECTING) {
      if (!channel_->WaitForStateChange(state, absl::ToChronoTime(deadline_))) {
        break;
      }
      state = channel_->GetState(true);
    }
    if (state == GRPC_CHANNEL_READY) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(
        "cannot reach ", Address(),
        "; is the program up, and its admin service at this address? "
        "(--address=HOST:PORT) ",
        command_.security.tls ? "Does it trust and have the right certificates?"
                              : "Does it want TLS? (--tls)"));
  }

  absl::Status FromGrpc(const grpc::Status& status) const {
    const std::string address = Address();
    switch (status.error_code()) {
      case grpc::StatusCode::OK:
        return absl::OkStatus();
      case grpc::StatusCode::UNIMPLEMENTED:
        return absl::UnimplementedError(absl::StrCat(
            address, " does not serve ", v1::BreakerAdmin::service_full_name(),
            "; is --address right?"));
      case grpc::StatusCode::DEADLINE_EXCEEDED:
        return absl::DeadlineExceededError(absl::StrCat(
            address, " did not answer within ",
            absl::FormatDuration(command_.timeout), " (--timeout)"));
      case grpc::StatusCode::UNAVAILABLE:
      case grpc::StatusCode::CANCELLED:
        return absl::UnavailableError(absl::StrCat(
            "lost ", address, ": ", Printable(status.error_message())));
      default:
        return absl::Status(
            static_cast<absl::StatusCode>(status.error_code()),
            status.error_message().empty()
                ? absl::StrCat("the service failed with code ",
                               static_cast<int>(status.error_code()))
                : Printable(status.error_message()));
    }
  }

  template <typename Method, typename Request, typename Response>
  absl::Status Call(Method method, const Request& request,
                    Response* response) const {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline_));
    return FromGrpc(((*stub_).*method)(&context, request, response));
  }

  absl::StatusOr<std::vector<v1::Breaker>> AllPages() const {
    std::vector<v1::Breaker> breakers;
    v1::ListRequest request = command_.list;
    do {
      v1::ListResponse response;
      const absl::Status status =
          Call(&v1::BreakerAdmin::Stub::List, request, &response);
      if (!status.ok()) return status;
      breakers.insert(breakers.end(), response.breakers().begin(),
                      response.breakers().end());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return breakers;
  }

  absl::StatusOr<std::vector<v1::Breaker>> Chosen() const {
    auto breakers = AllPages();
    if (!breakers.ok()) return breakers.status();
    breakers->erase(std::remove_if(breakers->begin(), breakers->end(),
                                   [this](const v1::Breaker& breaker) {
                                     return !Concerns(breaker.key());
                                   }),
                    breakers->end());
    return breakers;
  }

  View Look() const { return LookOf(command_); }

  bool IsJson() const { return command_.output == Output::kJson; }

  bool Concerns(const v1::BreakerKey& key) const {
    return IsPartOf(command_.key, key);
  }

  absl::Status List() const {
    const auto breakers = Chosen();
    if (!breakers.ok()) return breakers.status();
    if (!IsJson()) {
      return Write(Table(Look(), {breakers->begin(), breakers->end()}));
    }
    v1::ListResponse response;
    for (const v1::Breaker& breaker : *breakers) {
      *response.add_breakers() = breaker;
    }
    return WriteJson(response);
  }

  // What of it concerns the breakers that are watched; false if nothing does.
  bool Choose(v1::WatchResponse* response) const {
    if (response->has_transition()) {
      return Concerns(response->transition().key());
    }
    if (response->has_snapshot()) {
      v1::WatchResponse::Snapshot chosen;
      for (const v1::Breaker& breaker : response->snapshot().breakers()) {
        if (Concerns(breaker.key())) *chosen.add_breakers() = breaker;
      }
      chosen.set_complete(response->snapshot().complete());
      *response->mutable_snapshot() = std::move(chosen);
    }
    return true;
  }

  absl::Status Watch() const {
    grpc::ClientContext context;
    const auto reader = stub_->Watch(&context, v1::WatchRequest());
    absl::Status lost;
    absl::Notification over;
    std::thread asks([&] { lost = AskUntil(&over, &context); });
    absl::Status status = PrintChanges(reader.get(), &context);
    if (status.ok()) status = FromGrpc(reader->Finish());
    over.Notify();
    asks.join();
    if (!lost.ok()) return lost;
    if (!status.ok()) return status;
    return absl::UnavailableError(absl::StrCat(Address(), " ended the watch"));
  }

  absl::Status PrintChanges(grpc::ClientReader<v1::WatchResponse>* reader,
                            grpc::ClientContext* context) const {
    WatchText text;
    v1::WatchResponse response;
    while (reader->Read(&response)) {
      if (!Choose(&response)) continue;
      const absl::Status status =
          IsJson() ? WriteJson(response) : Write(text.Add(Look(), response));
      if (!status.ok()) {
        context->TryCancel();
        return status;
      }
    }
    return absl::OkStatus();
  }

  // Asks now and then whether the program is still there, and cancels the watch
  // if it is not: where a network was cut, nothing else would tell. Pings of
  // HTTP/2 may come every five minutes only, or a server of gRPC hangs up.
  absl::Status AskUntil(absl::Notification* over,
                        grpc::ClientContext* watch) const {
    while (!over->WaitForNotificationWithTimeout(6 * command_.timeout)) {
      v1::ListRequest request;
      request.set_page_size(1);
      v1::ListResponse response;
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(absl::Now() + command_.timeout));
      const absl::Status status =
          FromGrpc(stub_->List(&context, request, &response));
      if (status.ok()) continue;
      watch->TryCancel();
      return status;
    }
    return absl::OkStatus();
  }

  // Ends with the first that fails: its message tells which; what was printed
  // before is done.
  absl::Status ForKeys(absl::Status (Client::*one)(const v1::BreakerKey&)
                           const) const {
    const auto breakers = AllPages();
    if (!breakers.ok()) return breakers.status();
    std::vector<v1::BreakerKey> keys;
    for (const v1::Breaker& breaker : *breakers) keys.push_back(breaker.key());
    const auto found = FindKeys(command_.key, command_.all, keys);
    if (!found.ok()) return found.status();
    for (const v1::BreakerKey& key : *found) {
      const absl::Status status = (this->*one)(key);
      if (!status.ok()) {
        return absl::Status(status.code(),
                            absl::StrCat(KeyText(key), ": ", status.message()));
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<v1::Breaker> Ask(const v1::BreakerKey& key) const {
    v1::GetRequest request;
    *request.mutable_key() = key;
    v1::Breaker breaker;
    const absl::Status status =
        Call(&v1::BreakerAdmin::Stub::Get, request, &breaker);
    if (!status.ok()) return status;
    return breaker;
  }

  absl::Status Get(const v1::BreakerKey& key) const {
    const auto breaker = Ask(key);
    if (!breaker.ok()) return breaker.status();
    return IsJson() ? WriteJson(*breaker) : Write(Details(Look(), *breaker));
  }

  absl::Status Explain(const v1::BreakerKey& key) const {
    const auto breaker = Ask(key);
    if (!breaker.ok()) return breaker.status();
    if (!breaker->has_policy()) return NoPolicy();
    return IsJson() ? WriteJson(*breaker) : Write(Explanation(*breaker));
  }

  absl::Status NoPolicy() const {
    return absl::UnimplementedError(absl::StrCat(
        Address(),
        " does not tell from whom the options of a breaker are; is "
        "its program older than this one?"));
  }

  // The file is good by itself, or nobody is asked.
  absl::Status CheckAgainst() const {
    const auto config = CheckConfig(command_.config_file);
    if (!config.ok()) return config.status();
    const auto listed = AllPages();
    if (!listed.ok()) return listed.status();
    std::vector<v1::Breaker> breakers;
    for (const v1::Breaker& breaker : *listed) {
      auto whole = Ask(breaker.key());
      if (absl::IsNotFound(whole.status())) continue;  // gone since
      if (!whole.ok()) return whole.status();
      if (!whole->has_policy()) return NoPolicy();
      breakers.push_back(*std::move(whole));
    }
    const auto matches = Matches(*config, breakers);
    if (!matches.ok()) return matches.status();
    return Write(*matches);
  }

  absl::Status SetMode(const v1::BreakerKey& key) const {
    v1::SetModeRequest request = command_.set_mode;
    *request.mutable_key() = key;
    v1::Breaker breaker;
    const absl::Status status =
        Call(&v1::BreakerAdmin::Stub::SetMode, request, &breaker);
    if (!status.ok()) return status;
    return IsJson() ? WriteJson(breaker) : Write(ModeLine(breaker));
  }

  absl::Status Update(const v1::BreakerKey& key) const {
    v1::UpdateRequest request = command_.update;
    *request.mutable_key() = key;
    v1::Breaker breaker;
    const absl::Status status =
        Call(&v1::BreakerAdmin::Stub::Update, request, &breaker);
    if (!status.ok()) return status;
    return IsJson() ? WriteJson(breaker)
                    : Write(UpdateLine(breaker, request.update_mask()));
  }

  absl::Status Reset(const v1::BreakerKey& key) const {
    v1::ResetRequest request;
    *request.mutable_key() = key;
    v1::Breaker breaker;
    const absl::Status status =
        Call(&v1::BreakerAdmin::Stub::Reset, request, &breaker);
    if (!status.ok()) return status;
    return IsJson() ? WriteJson(breaker) : Write(ResetLine(breaker));
  }

  const Command& command_;
  const Target target_;
  const Sink sink_;
  const absl::Time deadline_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::BreakerAdmin::Stub> stub_;
};

// A command at several addresses, at all of them at once.
class Clients {
 public:
  Clients(const Command& command, const std::vector<Target>& targets,
          const std::shared_ptr<grpc::ChannelCredentials>& credentials)
      : command_(command), parts_(targets.size()) {
    for (size_t i = 0; i < targets.size(); ++i) {
      Part& part = parts_[i];
      part.address = Printable(targets[i].address);
      part.client = std::make_unique<Client>(
          command, targets[i], credentials,
          command.verb == Verb::kWatch
              ? Sink([this, &part](absl::string_view text) {
                  return PrintLines(part, text);
                })
              : Sink([&part](absl::string_view text) {
                  absl::StrAppend(&part.text, text);
                  return absl::OkStatus();
                }));
    }
  }

  // Tells each error, and answers the code of the first in the order of the
  // addresses.
  absl::Status Run() {
    const bool as_table =
        command_.verb == Verb::kList && command_.output != Output::kJson;
    InParallel([this, as_table](Part& part) {
      if (as_table) {
        auto breakers = part.client->ListBreakers();
        part.status = breakers.status();
        if (breakers.ok()) part.breakers = *std::move(breakers);
      } else {
        part.status = part.client->Run();
      }
      if (!part.status.ok()) TellError(part);
    });
    std::vector<Listed> listed;
    int failed = 0;
    absl::Status first;
    for (Part& part : parts_) {
      for (v1::Breaker& breaker : part.breakers) {
        listed.emplace_back(std::move(breaker), part.address);
      }
      // Also if it failed: what is printed was done before.
      first.Update(PrintLines(part, part.text));
      failed += !part.status.ok();
      if (!part.status.ok() && first.ok()) {
        first = absl::Status(part.status.code(), "");
      }
    }
    if (as_table) first.Update(Print(Table(LookOf(command_), listed)));
    if (failed == 0 || !first.message().empty()) return first;
    return absl::Status(first.code(),
                        absl::StrCat("not done at ", failed, " of ",
                                     parts_.size(), " addresses"));
  }

 private:
  struct Part {
    std::string address;
    std::unique_ptr<Client> client;
    std::string text;
    std::vector<v1::Breaker> breakers;
    absl::Status status;
  };

  template <typename Work>
  void InParallel(Work work) {
    std::vector<std::thread> threads;
    for (Part& part : parts_) {
      threads.emplace_back([&part, work] { work(part); });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // At once, since others may take long: a watch does.
  void TellError(const Part& part) {
    absl::MutexLock lock(&print_);
    absl::FPrintF(stderr, "breakerctl: %s: %s\n", part.address,
                  part.status.message());
  }

  // Each line with the address that it is from.
  absl::Status PrintLines(const Part& part, absl::string_view text) {
    std::string lines;
    for (const absl::string_view line :
         absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      if (command_.output == Output::kJson) {
        absl::StrAppend(&lines, "{\"address\":", JsonString(part.address),
                        ",\"answer\":", line, "}\n");
      } else {
        absl::StrAppend(&lines, part.address, "  ", line, "\n");
      }
    }
    absl::MutexLock lock(&print_);
    return Print(lines);
  }

  const Command& command_;
  std::vector<Part> parts_;
  absl::Mutex print_;
};

}  // namespace

std::vector<std::string> KeysAt(const Command& command) {
  const auto credentials = MakeCredentials(command.security);
  if (!credentials.ok()) return {};
  const auto breakers =
      Client(command, FindTargets(command)[0], *credentials, Print)
          .ListBreakers();
  if (!breakers.ok()) return {};
  std::vector<std::string> keys;
  for (const v1::Breaker& breaker : *breakers) {
    keys.push_back(KeyText(breaker.key()));
  }
  return keys;
}

absl::Status RunCommand(const Command& command) {
  if (command.verb == Verb::kHelp) return Print(HelpText());
  if (command.verb == Verb::kVersion) {
    return Print(absl::StrCat("breakerctl (AutoBreaker) ", kVersion, "\n"));
  }
  if (command.verb == Verb::kCompletion) return Print(BashScript());
  if (command.verb == Verb::kConfigCheck && !command.against) {
    const auto config = CheckConfig(command.config_file);
    if (!config.ok()) return config.status();
    return Print(GoodLine(command.config_file, *config));
  }
  const auto credentials = MakeCredentials(command.security);
  if (!credentials.ok()) return credentials.status();
  const std::vector<Target> targets = FindTargets(command);
  if (targets.size() > 1) return Clients(command, targets, *credentials).Run();
  return Client(command, targets[0], *credentials, Print).Run();
}

}  // namespace autobreaker::breakerctl
