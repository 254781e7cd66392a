#include "autobreaker/tools/breakerctl/client.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/proto/admin.grpc.pb.h"
#include "autobreaker/tools/breakerctl/config_command.h"
#include "autobreaker/tools/breakerctl/credentials.h"
#include "autobreaker/tools/breakerctl/key.h"
#include "autobreaker/tools/breakerctl/text.h"

namespace autobreaker::breakerctl {
namespace {

// The empty string if it is not set.
absl::string_view Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

// See https://no-color.org.
bool WantsColor() {
  return isatty(STDOUT_FILENO) != 0 && Environment("NO_COLOR").empty() &&
         Environment("TERM") != "dumb";
}

// Well, too, if nobody reads it: what is to be done is done all the same.
absl::Status Write(absl::string_view text) {
  if ((std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
       std::fflush(stdout) == 0) ||
      errno == EPIPE) {
    return absl::OkStatus();
  }
  return absl::InternalError(
      absl::StrCat("cannot write the answer: ", std::strerror(errno)));
}

absl::Status WriteJson(const google::protobuf::Message& message) {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json).ok()) {
    return absl::InternalError(
        "the service's answer cannot be written as JSON");
  }
  return Write(absl::StrCat(json, "\n"));
}

// One command, under way.
class Client {
 public:
  Client(const Command& command,
         const std::shared_ptr<grpc::ChannelCredentials>& credentials)
      : command_(command),
        deadline_(absl::Now() + command.timeout),
        channel_(grpc::CreateCustomChannel(command.address, credentials,
                                           Arguments(command))),
        stub_(v1::BreakerAdmin::NewStub(channel_)),
        color_(WantsColor()) {}

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
        break;
    }
    return absl::OkStatus();
  }

 private:
  static grpc::ChannelArguments Arguments(const Command& command) {
    grpc::ChannelArguments arguments;
    const std::string& name = command.security.server_name;
    if (!name.empty()) arguments.SetSslTargetNameOverride(name);
    return arguments;
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
        "cannot reach ", Printable(command_.address),
        "; is the program up, and its admin service at this address? "
        "(--address=HOST:PORT) ",
        command_.security.tls ? "Does it trust and have the right certificates?"
                              : "Does it want TLS? (--tls)"));
  }

  absl::Status FromGrpc(const grpc::Status& status) const {
    const std::string address = Printable(command_.address);
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

  View Look() const { return {color_, absl::Now(), absl::LocalTimeZone()}; }

  bool Concerns(const v1::BreakerKey& key) const {
    return IsPartOf(command_.key, key);
  }

  absl::Status List() const {
    const auto breakers = AllPages();
    if (!breakers.ok()) return breakers.status();
    v1::ListResponse chosen;
    for (const v1::Breaker& breaker : *breakers) {
      if (Concerns(breaker.key())) *chosen.add_breakers() = breaker;
    }
    return command_.json ? WriteJson(chosen)
                         : Write(Table(Look(), {chosen.breakers().begin(),
                                                chosen.breakers().end()}));
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
    WatchText text;
    v1::WatchResponse response;
    while (reader->Read(&response)) {
      if (!Choose(&response)) continue;
      const absl::Status status = command_.json
                                      ? WriteJson(response)
                                      : Write(text.Add(Look(), response));
      if (!status.ok()) {
        context.TryCancel();
        return status;
      }
    }
    const absl::Status status = FromGrpc(reader->Finish());
    if (!status.ok()) return status;
    return absl::UnavailableError(
        absl::StrCat(Printable(command_.address), " ended the watch"));
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
    return command_.json ? WriteJson(*breaker)
                         : Write(Details(Look(), *breaker));
  }

  absl::Status Explain(const v1::BreakerKey& key) const {
    const auto breaker = Ask(key);
    if (!breaker.ok()) return breaker.status();
    return command_.json ? WriteJson(*breaker) : Write(Explanation(*breaker));
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
    return command_.json ? WriteJson(breaker) : Write(ModeLine(breaker));
  }

  absl::Status Update(const v1::BreakerKey& key) const {
    v1::UpdateRequest request = command_.update;
    *request.mutable_key() = key;
    v1::Breaker breaker;
    const absl::Status status =
        Call(&v1::BreakerAdmin::Stub::Update, request, &breaker);
    if (!status.ok()) return status;
    return command_.json ? WriteJson(breaker)
                         : Write(UpdateLine(breaker, request.update_mask()));
  }

  absl::Status Reset(const v1::BreakerKey& key) const {
    v1::ResetRequest request;
    *request.mutable_key() = key;
    v1::Breaker breaker;
    const absl::Status status =
        Call(&v1::BreakerAdmin::Stub::Reset, request, &breaker);
    if (!status.ok()) return status;
    return command_.json ? WriteJson(breaker) : Write(ResetLine(breaker));
  }

  const Command& command_;
  const absl::Time deadline_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::BreakerAdmin::Stub> stub_;
  const bool color_;
};

}  // namespace

absl::Status RunCommand(const Command& command) {
  if (command.verb == Verb::kHelp) return Write(HelpText());
  if (command.verb == Verb::kConfigCheck && !command.against) {
    const auto config = CheckConfig(command.config_file);
    if (!config.ok()) return config.status();
    return Write(GoodLine(command.config_file, *config));
  }
  const auto credentials = MakeCredentials(command.security);
  if (!credentials.ok()) return credentials.status();
  return Client(command, *credentials).Run();
}

}  // namespace autobreaker::breakerctl
