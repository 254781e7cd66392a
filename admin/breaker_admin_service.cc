#include "autobreaker/admin/breaker_admin_service.h"

#include <grpcpp/security/auth_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/string_ref.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/admin/internal/breaker_messages.h"
#include "autobreaker/admin/internal/breaker_watch.h"
#include "autobreaker/admin/internal/options_mask.h"
#include "autobreaker/admin/internal/watch_hub.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/internal/exceptions.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/snapshot.h"
#include "autobreaker/config/convert.h"

namespace autobreaker {
namespace {

using Breaker = std::shared_ptr<RegisteredBreaker>;

// A message that shows what was asked may be long. gRPC sends it in a header,
// where each byte may become three. Headers above 8 KiB make other calls of the
// connection fail.
grpc::Status ToGrpc(const absl::Status& status) {
  constexpr size_t kMost = 1000;
  std::string message(status.message());
  if (message.size() > kMost) {
    size_t end = kMost;  // of a whole character, where the next one begins
    while (end > 0 && (message[end] & 0xC0) == 0x80) --end;
    message = absl::StrCat(message.substr(0, end), "... (", message.size(),
                           " bytes)");
  }
  return {static_cast<grpc::StatusCode>(status.code()), message};
}

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                 const absl::Status& status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// A stream that ends as it begins.
class RefusedWatch final : public grpc::ServerWriteReactor<v1::WatchResponse> {
 public:
  explicit RefusedWatch(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

absl::StatusOr<Breaker> Find(const BreakerRegistry& registry,
                             const v1::BreakerKey& key) {
  if (Breaker breaker = registry.Find(KeyShownAs(key)); breaker != nullptr) {
    return breaker;
  }
  return absl::NotFoundError(
      absl::StrCat("no breaker ", ToString(MakeKey(key))));
}

// A page token is the last key of the page before: what follows it is found
// even if its breaker is gone. The dots are in none of the parts' texts.
std::string MakePageToken(const BreakerKey& last) {
  return absl::StrCat(absl::WebSafeBase64Escape(last.name), ".",
                      absl::WebSafeBase64Escape(last.service), ".",
                      absl::WebSafeBase64Escape(last.method), ".",
                      absl::WebSafeBase64Escape(last.partition));
}

absl::StatusOr<BreakerKey> ReadPageToken(absl::string_view token) {
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  BreakerKey key;
  if (parts.size() == 4 && absl::WebSafeBase64Unescape(parts[0], &key.name) &&
      absl::WebSafeBase64Unescape(parts[1], &key.service) &&
      absl::WebSafeBase64Unescape(parts[2], &key.method) &&
      absl::WebSafeBase64Unescape(parts[3], &key.partition)) {
    return key;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("page_token is \"", Escape(token),
                   "\", must be the next_page_token of an answer"));
}

absl::Status CheckFilter(const v1::Filter& filter) {
  // There are three states and four modes. Each breaker is held against them.
  constexpr int kMost = 16;
  for (const auto& [field, size] :
       {std::pair("filter.states", filter.states_size()),
        std::pair("filter.modes", filter.modes_size())}) {
    if (size <= kMost) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        field, " has ", size, " elements, must have at most ", kMost));
  }
  for (int i = 0; i < filter.states_size(); ++i) {
    const int state = filter.states(i);
    if (v1::State_IsValid(state)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("filter.states[", i, "] is ", state,
                     ", must be CLOSED, OPEN or HALF_OPEN"));
  }
  for (int i = 0; i < filter.modes_size(); ++i) {
    const int mode = filter.modes(i);
    if (v1::Mode_IsValid(mode)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "filter.modes[", i, "] is ", mode,
        ", must be AUTOMATIC, FORCED_OPEN, FORCED_CLOSED or SHADOW"));
  }
  return absl::OkStatus();
}

// Whether `wanted` is empty or has `value`.
template <typename List>
bool IsWanted(const List& wanted, int value) {
  return wanted.empty() ||
         std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

absl::Status FillPage(const grpc::CallbackServerContext& context,
                      const BreakerRegistry& registry,
                      const v1::ListRequest& request,
                      v1::ListResponse* response) {
  constexpr int kMost = 1000;
  constexpr int kDefault = 100;
  // gRPC's clients take no message above 4 MiB unless they are told to.
  constexpr size_t kMostBytes = size_t{2} << 20;
  if (request.page_size() < 0 || request.page_size() > kMost) {
    return absl::InvalidArgumentError(absl::StrCat(
        "page_size is ", request.page_size(), ", must be in [0, ", kMost, "]"));
  }
  const v1::Filter& filter = request.filter();
  if (absl::Status status = CheckFilter(filter); !status.ok()) return status;
  const std::vector<Breaker> breakers = registry.Breakers();
  auto next = breakers.begin();
  if (!request.page_token().empty()) {
    const absl::StatusOr<BreakerKey> last = ReadPageToken(request.page_token());
    if (!last.ok()) return last.status();
    next = std::upper_bound(breakers.begin(), breakers.end(), *last,
                            [](const BreakerKey& key, const Breaker& breaker) {
                              return key < breaker->key();
                            });
  }

  const BreakerKey wanted = KeyShownAs(filter.key());
  const int size = request.page_size() == 0 ? kDefault : request.page_size();
  BreakerKey last;
  size_t bytes = 0;
  for (; next != breakers.end(); ++next) {
    if (context.IsCancelled()) {
      return absl::CancelledError("the client gave up");
    }
    if (!Agrees(wanted, (*next)->key())) continue;
    const RegisteredSnapshot snapshot = (*next)->Snapshot();
    if (!IsWanted(filter.states(), ToProto(snapshot.state)) ||
        !IsWanted(filter.modes(), ToProto(snapshot.mode))) {
      continue;
    }
    v1::Breaker breaker = ToProto(snapshot);
    bytes += breaker.ByteSizeLong();
    // There is another page.
    if (response->breakers_size() == size ||
        (bytes > kMostBytes && !response->breakers().empty())) {
      response->set_next_page_token(MakePageToken(last));
      break;
    }
    *response->add_breakers() = std::move(breaker);
    last = snapshot.key;
  }
  return absl::OkStatus();
}

// For how long a mode is asked for.
absl::StatusOr<absl::Duration> ReadDuration(const v1::SetModeRequest& request) {
  absl::Duration duration = absl::InfiniteDuration();
  if (!request.has_duration()) return duration;
  if (absl::Status status = MakeDuration(request.duration(), &duration);
      !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("duration is ", status.message()));
  }
  if (duration <= absl::ZeroDuration() || duration > absl::Hours(24 * 365)) {
    return absl::InvalidArgumentError(
        absl::StrCat("duration is ", absl::FormatDuration(duration),
                     ", must be above 0 and at most 365 days"));
  }
  return duration;
}

absl::Status ChangeMode(const v1::SetModeRequest& request,
                        CircuitBreaker& breaker) {
  if (!request.has_mode()) {
    return absl::InvalidArgumentError(
        "mode is not given, must be AUTOMATIC, FORCED_OPEN, FORCED_CLOSED or "
        "SHADOW");
  }
  Mode mode;
  if (absl::Status status = MakeMode(request.mode(), &mode); !status.ok()) {
    return status;
  }
  const absl::StatusOr<absl::Duration> duration = ReadDuration(request);
  if (!duration.ok()) return duration.status();
  breaker.SetMode(mode, *duration);
  return absl::OkStatus();
}

// Who the caller is by its credentials, as gRPC authenticated it.
std::string IdentityOf(const grpc::CallbackServerContext& context) {
  const auto auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return "";
  std::vector<std::string> names;
  for (const grpc::string_ref& name : auth->GetPeerIdentity()) {
    names.emplace_back(name.data(), name.size());
  }
  return absl::StrJoin(names, ", ");
}

}  // namespace

BreakerAdminService::BreakerAdminService(
    std::shared_ptr<BreakerRegistry> registry, BreakerAdminOptions options)
    : registry_(std::move(registry)),
      options_(options),
      hub_(std::make_shared<WatchHub>(
          registry_, std::clamp<int64_t>(options.max_watches, 1, 10'000))) {}

BreakerAdminService::~BreakerAdminService() { Stop(); }

void BreakerAdminService::Stop() { hub_->Stop(); }

absl::Status BreakerAdminService::Authorize(const Context& context,
                                            AdminAccess access) const {
  if (!options_.authorize) return absl::OkStatus();
  absl::Status allowed;
  if (!EndsWell([&] { allowed = options_.authorize(context, access); })) {
    return absl::InternalError("whether this is allowed cannot be told");
  }
  return allowed;
}

absl::Status BreakerAdminService::Change(
    const Context& context, const char* method, const v1::BreakerKey& key,
    absl::FunctionRef<absl::Status(CircuitBreaker&)> change,
    v1::Breaker* response) const {
  if (!options_.allow_changes) {
    return absl::PermissionDeniedError(
        "this program lets nobody change its breakers");
  }
  if (absl::Status status = Authorize(context, AdminAccess::kChange);
      !status.ok()) {
    return status;
  }
  const absl::StatusOr<Breaker> breaker = Find(*registry_, key);
  if (!breaker.ok()) return breaker.status();
  AdminChange made;
  made.before = (*breaker)->Snapshot();
  if (absl::Status status = change(**breaker); !status.ok()) return status;
  made.after = (*breaker)->Snapshot();
  *response = ToProto(made.after);
  if (options_.audit) {
    made.method = method;
    made.peer = context.peer();
    made.identity = IdentityOf(context);
    // The change is made, and its caller is to know, also if this throws.
    EndsWell([&] { options_.audit(made); });
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* BreakerAdminService::List(
    Context* context, const v1::ListRequest* request,
    v1::ListResponse* response) {
  absl::Status status = Authorize(*context, AdminAccess::kRead);
  if (status.ok()) status = FillPage(*context, *registry_, *request, response);
  return Answer(context, status);
}

grpc::ServerUnaryReactor* BreakerAdminService::Get(
    Context* context, const v1::GetRequest* request, v1::Breaker* response) {
  absl::Status status = Authorize(*context, AdminAccess::kRead);
  if (status.ok()) {
    const absl::StatusOr<Breaker> breaker = Find(*registry_, request->key());
    status = breaker.status();
    if (status.ok()) {
      *response = ToProto((*breaker)->Snapshot());
      *response->mutable_policy() =
          ToProto(registry_->OriginFor((*breaker)->key()));
    }
  }
  return Answer(context, status);
}

grpc::ServerWriteReactor<v1::WatchResponse>* BreakerAdminService::Watch(
    Context* context, const v1::WatchRequest* request) {
  if (absl::Status status = Authorize(*context, AdminAccess::kRead);
      !status.ok()) {
    return new RefusedWatch(status);
  }
  const v1::Filter& filter = request->filter();
  for (const auto& [field, size] :
       {std::pair("filter.states", filter.states_size()),
        std::pair("filter.modes", filter.modes_size())}) {
    if (size == 0) continue;
    return new RefusedWatch(absl::InvalidArgumentError(absl::StrCat(
        field, " has ", size, " elements, must be empty in a watch")));
  }
  const absl::StatusOr<BreakerWatch*> watch =
      BreakerWatch::Start(registry_, hub_, context, KeyShownAs(filter.key()));
  if (!watch.ok()) return new RefusedWatch(watch.status());
  return *watch;
}

grpc::ServerUnaryReactor* BreakerAdminService::Update(
    Context* context, const v1::UpdateRequest* request, v1::Breaker* response) {
  const auto update = [&](CircuitBreaker& breaker) {
    // Again if a configuration was applied meanwhile: a field that is to be
    // taken back goes to what is configured now.
    BreakerPolicy configured;
    absl::Status status;
    do {
      configured = registry_->PolicyFor(breaker.key());
      status = breaker.UpdateOptions([&](BreakerOptions* options) {
        return MergeMaskedOptions(request->options(), request->update_mask(),
                                  configured.options, options);
      });
    } while (status.ok() &&
             registry_->PolicyFor(breaker.key()).options != configured.options);
    return status;
  };
  return Answer(context,
                Change(*context, "Update", request->key(), update, response));
}

grpc::ServerUnaryReactor* BreakerAdminService::SetMode(
    Context* context, const v1::SetModeRequest* request,
    v1::Breaker* response) {
  const auto set_mode = [&](CircuitBreaker& breaker) {
    return ChangeMode(*request, breaker);
  };
  return Answer(
      context, Change(*context, "SetMode", request->key(), set_mode, response));
}

grpc::ServerUnaryReactor* BreakerAdminService::Reset(
    Context* context, const v1::ResetRequest* request, v1::Breaker* response) {
  const auto reset = [](CircuitBreaker& breaker) {
    return breaker.Reset()
               ? absl::OkStatus()
               : absl::FailedPreconditionError(
                     "mode is FORCED_OPEN, must be another for a reset");
  };
  return Answer(context,
                Change(*context, "Reset", request->key(), reset, response));
}

}  // namespace autobreaker
