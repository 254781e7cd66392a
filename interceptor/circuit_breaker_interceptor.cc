#include "autobreaker/interceptor/circuit_breaker_interceptor.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/interceptor.h>
#include <grpcpp/support/string_ref.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/clock.h"
#include "autobreaker/breaker/internal/exceptions.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/breaker/registered_breaker.h"
#include "autobreaker/interceptor/health_prober.h"
#include "autobreaker/interceptor/internal/method_table.h"
#include "autobreaker/interceptor/internal/process_token.h"
#include "autobreaker/interceptor/internal/pushback.h"
#include "autobreaker/interceptor/refusal_status.h"

namespace autobreaker {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;

// What the caller of a refused call gets. The trailing metadata refer to the
// details, so they live as long as the call.
struct Answer {
  grpc::Status status;
  std::string details;
  RefusalReason reason;
};

// Whether the status of these trailing metadata is a refusal that was made for
// this call in this process, by another breaker of the channel: no metadata
// from a server lie where the names of the reasons do.
bool IsMadeHere(
    const std::multimap<grpc::string_ref, grpc::string_ref>& trailing) {
  const auto [first, last] = trailing.equal_range(kRefusalMetadataKey);
  return std::any_of(first, last, [](const auto& entry) {
    for (int i = 0; i < kRefusalReasonCount; ++i) {
      const absl::string_view name = ToString(static_cast<RefusalReason>(i));
      if (entry.second.data() == name.data()) return true;
    }
    return false;
  });
}

// Else a server that sends back a refusal of this process could make its
// caller believe that nothing was sent.
ABSL_ATTRIBUTE_NOINLINE void Disown(InterceptorBatchMethods* methods) {
  if (!IsMadeHere(*methods->GetRecvTrailingMetadata())) {
    EraseProcessToken(methods->GetRecvStatus());
  }
}

// Whether the bypass key was there. It is not to be sent.
ABSL_ATTRIBUTE_NOINLINE bool TakeBypassKey(
    std::multimap<std::string, std::string>* metadata) {
  // Once, since a string of it is too long to be made without allocating.
  static const std::string* const bypass = new std::string(kBypassMetadataKey);
  // Half the comparisons of erasing what is hardly ever there.
  if (metadata->find(*bypass) == metadata->end()) return false;
  metadata->erase(*bypass);
  return true;
}

// Of a call without a breaker: only what a guarded channel promises for every
// call.
class UnguardedInterceptor final : public Interceptor {
 public:
  void Intercept(InterceptorBatchMethods* methods) noexcept override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      auto* const metadata = methods->GetSendInitialMetadata();
      if (!metadata->empty()) TakeBypassKey(metadata);
    } else if (methods->QueryInterceptionHookPoint(
                   InterceptionHookPoints::POST_RECV_STATUS)) {
      if (!methods->GetRecvStatus()->ok()) Disown(methods);
    }
    methods->Proceed();
  }
};

// The target of the channel, which gRPC names as the peer of a call whose
// server has not been heard of. Channels that share the global factory share
// the first one's, which tells less.
class Target {
 public:
  Target() = default;
  ~Target() { delete name_.load(); }

  // From a call that is not under way yet.
  void Learn(const grpc::ClientContext& context) {
    if (name_.load(std::memory_order_acquire) == nullptr) Set(context.peer());
  }
  // Whether that is all that `peer` names. No for a target that is an address,
  // since the peer of an answer is called that, too.
  // REQUIRES: that somebody learned it before.
  bool IsAllThatIsKnown(const std::string& peer) const {
    const std::string& target = *name_.load(std::memory_order_acquire);
    return peer == target && !IsAddress(target);
  }

 private:
  static bool IsAddress(absl::string_view target) {
    for (const absl::string_view scheme :
         {"ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:", "inproc"}) {
      if (absl::StartsWith(target, scheme)) return true;
    }
    return false;
  }

  ABSL_ATTRIBUTE_NOINLINE void Set(std::string name) {
    const std::string* expected = nullptr;
    auto set = std::make_unique<const std::string>(std::move(name));
    if (name_.compare_exchange_strong(expected, set.get())) set.release();
  }

  std::atomic<const std::string*> name_{nullptr};
};

// The breakers of a channel's partitions.
class Partitions {
 public:
  Partitions(std::shared_ptr<BreakerRegistry> registry,
             const InterceptorOptions& options)
      : function_(options.partition),
        table_(std::move(registry), options.name, /*unguarded=*/{},
               &KeyForPartition, options.max_partitions) {}

  // That of the call's partition, or `shared` if it has none of its own.
  RegisteredBreaker* Choose(RegisteredBreaker* shared, const CallStart& call) {
    std::string partition;
    if (!EndsWell([&] { partition = function_(call); })) {
      shared->handling().CountException();
      shared->handling().CountUnpartitioned();
      return shared;
    }
    if (partition.empty()) return shared;
    RegisteredBreaker* const own =
        partition.size() > kMaxPartitionLength ||
                ReplaceInvalidUtf8(partition) != partition
            ? nullptr
            : table_.Find(PartitionText(call.method, partition));
    if (own != nullptr) return own;
    shared->handling().CountUnpartitioned();
    return shared;
  }

 private:
  const PartitionFunction function_;
  MethodTable table_;
};

// Guards one call. gRPC runs up to three Intercept() at once on a stream, and
// with the callback API a call may end (on one thread) before or while it is
// first sent (on another), so `phase_` says who may touch the rest. What few
// calls need is out of line, or every call would save registers for it.
class CircuitBreakerInterceptor final : public Interceptor {
 public:
  // All must remain live while the call does. `prober` and `partitions` may be
  // null.
  CircuitBreakerInterceptor(ClientRpcInfo* info, RegisteredBreaker* breaker,
                            const Classification* classification,
                            HealthProber* prober, Partitions* partitions,
                            Target* target)
      : info_(info),
        breaker_(breaker),
        classification_(classification),
        prober_(prober),
        partitions_(partitions),
        target_(target) {}

  // noexcept: an exception out of here would end the process anyhow, but
  // further from its cause.
  void Intercept(InterceptorBatchMethods* methods) noexcept override {
    const auto at = [methods](InterceptionHookPoints hook) {
      return methods->QueryInterceptionHookPoint(hook);
    };
    // No two of these come at once: gRPC clears the hook points before those of
    // what was hijacked or received. The two of a healthy call are asked first.
    bool hijack = false;
    if (at(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      hijack = Decide(methods);
    } else if (at(InterceptionHookPoints::POST_RECV_STATUS)) {
      End(methods);
    } else if (at(InterceptionHookPoints::PRE_RECV_MESSAGE)) {
      // Comes to a hijacked call only. Else a refused server stream could be
      // read for ever.
      methods->FailHijackedRecvMessage();
    } else if (at(InterceptionHookPoints::PRE_SEND_CANCEL)) {
      // Under the context's lock, where nothing else may be asked of the
      // context or of `methods`.
      cancelled_.store(true, std::memory_order_relaxed);
    } else if (info_->type() != ClientRpcInfo::Type::UNARY) {
      if (NoteReceived(methods)) ReportProgress();
    }
    // Neither returns before the rest of the batch has run, which may have
    // destroyed this.
    if (hijack) {
      methods->Hijack();
    } else {
      methods->Proceed();
    }
  }

 private:
  enum class Phase {
    kNew,        // nothing sent yet
    kDeciding,   // asking the breaker
    kAdmitted,   // permit_ is held
    kReporting,  // so it is, and its progress is being reported
    kRefused,    // answer_ is what the caller gets
    kEnded,      // the call is over
  };

  enum class Received : uint8_t { kNothing, kMetadata, kMessage };

  // Asks the breaker, the first time that something is about to be sent.
  // Answers whether to refuse by hijacking; a refusal by cancelling is under
  // way then.
  bool Decide(InterceptorBatchMethods* methods) {
    auto* const metadata = methods->GetSendInitialMetadata();
    if (!metadata->empty() && TakeBypassKey(metadata)) {
      phase_.store(Phase::kEnded);
    }
    Phase expected = Phase::kNew;
    if (!phase_.compare_exchange_strong(expected, Phase::kDeciding)) {
      return false;
    }
    if (partitions_ != nullptr) {
      breaker_ = partitions_->Choose(breaker_, {info_->method(), *metadata});
    }
    target_->Learn(*info_->client_context());
    time_allowed_ = TimeLeft();
    if (classification_->function) start_ = MonotonicTime::clock::now();
    // Such a call never reaches the server, which therefore is not to blame.
    never_sent_ = cancelled_.load(std::memory_order_relaxed) ||
                  time_allowed_ <= absl::ZeroDuration();
    Refusal refusal;
    permit_ = breaker_->TryAcquire(&refusal);
    if (permit_.finds_out() && prober_ != nullptr &&
        prober_->TakeOver(breaker_->shared_from_this(), &permit_)) {
      refusal = breaker_->RefuseForProbe();
    }
    const bool admitted = static_cast<bool>(permit_);
    if (!admitted) MakeAnswer(refusal);
    expected = Phase::kDeciding;
    if (!phase_.compare_exchange_strong(
            expected, admitted ? Phase::kAdmitted : Phase::kRefused)) {
      // The call ended before it was sent.
      permit_.Record(Outcome::kIgnored);
      return false;
    }
    // From here on permit_ belongs to End(), which may run at this moment.
    if (admitted) return false;
    // Hijacking is the cheaper way, but a hijacked stream of requests goes on
    // accepting writes, and hangs if corked in the callback API.
    if (info_->type() == ClientRpcInfo::Type::UNARY ||
        info_->type() == ClientRpcInfo::Type::SERVER_STREAMING) {
      return true;
    }
    info_->client_context()->TryCancel();
    return false;
  }

  // Until the deadline; infinite if there is none.
  absl::Duration TimeLeft() const {
    const gpr_timespec deadline = info_->client_context()->raw_deadline();
    // As gRPC says that there is none; nobody need look at the clock then.
    if (deadline.tv_sec == std::numeric_limits<int64_t>::max()) {
      return absl::InfiniteDuration();
    }
    // Not in the nanoseconds of system_clock, in which the year 9999 has
    // passed.
    const absl::Time time =
        deadline.clock_type == GPR_CLOCK_REALTIME
            ? absl::FromUnixSeconds(deadline.tv_sec) +
                  absl::Nanoseconds(deadline.tv_nsec)
            : absl::FromChrono(info_->client_context()->deadline());
    return time - absl::Now();
  }

  ABSL_ATTRIBUTE_NOINLINE void MakeAnswer(const Refusal& refusal) {
    const grpc::Status status = MakeRefusalStatus(breaker_->key(), refusal);
    answer_.reset(new Answer{status, status.error_details(), refusal.reason});
  }

  ABSL_ATTRIBUTE_NOINLINE void WriteAnswer(InterceptorBatchMethods* methods) {
    *methods->GetRecvStatus() = answer_->status;
    auto* const trailing = methods->GetRecvTrailingMetadata();
    if (trailing == nullptr) return;
    const absl::string_view reason = ToString(answer_->reason);
    trailing->emplace(kRefusalMetadataKey,
                      grpc::string_ref(reason.data(), reason.size()));
    trailing->emplace("grpc-status-details-bin",
                      grpc::string_ref(answer_->details));
  }

  // Notes what came from the server with this batch. Answers whether it is the
  // first of the call. Initial metadata without an entry count for nothing: a
  // server that fails a call at once looks the same.
  bool NoteReceived(InterceptorBatchMethods* methods) {
    const Received before = received_.load(std::memory_order_relaxed);
    if (before == Received::kMessage) return false;
    Received now = Received::kNothing;
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_MESSAGE) &&
        methods->GetRecvMessage() != nullptr) {
      now = Received::kMessage;
    } else if (methods->QueryInterceptionHookPoint(
                   InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      const auto* const metadata = methods->GetRecvInitialMetadata();
      if (metadata != nullptr && !metadata->empty()) now = Received::kMetadata;
    }
    if (now <= before) return false;
    received_.store(now, std::memory_order_relaxed);
    return before == Received::kNothing;
  }

  void ReportProgress() {
    Phase expected = Phase::kAdmitted;
    if (!phase_.compare_exchange_strong(expected, Phase::kReporting)) return;
    permit_.Progressed();
    expected = Phase::kReporting;
    if (!phase_.compare_exchange_strong(expected, Phase::kAdmitted)) {
      RecordResult();  // It ended meanwhile, and End() left that to this.
    }
  }

  void End(InterceptorBatchMethods* methods) {
    Phase was = phase_.load();
    bool judged = false;
    if (was != Phase::kRefused && !methods->GetRecvStatus()->ok()) {
      Disown(methods);
    }
    do {
      if (was == Phase::kRefused) return WriteAnswer(methods);
      if (!judged && (was == Phase::kAdmitted || was == Phase::kReporting)) {
        Judge(methods);
        judged = true;
      }
    } while (!phase_.compare_exchange_weak(was, Phase::kEnded));
    if (was == Phase::kAdmitted) RecordResult();
  }

  void Judge(InterceptorBatchMethods* methods) {
    const grpc::Status& status = *methods->GetRecvStatus();
    breaker_->handling().CountStatusCode(
        static_cast<absl::StatusCode>(status.error_code()));
    NoteReceived(methods);
    outcome_ = OutcomeOf(status, methods);
    if (!status.ok()) {
      retry_after_ = PushbackIn(*methods->GetRecvTrailingMetadata());
    }
    if (outcome_ == Outcome::kFailure) {
      peer_ = info_->client_context()->peer();
    }
  }

  void RecordResult() { permit_.Record(outcome_, retry_after_, peer_); }

  Outcome OutcomeOf(const grpc::Status& status,
                    InterceptorBatchMethods* methods) {
    if (never_sent_) return Outcome::kIgnored;
    // A response that cannot be parsed comes with OK, and without a message.
    if (status.ok() && HasOneResponse() &&
        methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_MESSAGE) &&
        methods->GetRecvMessage() == nullptr) {
      return Outcome::kFailure;
    }
    std::optional<Outcome> outcome =
        breaker_->handling().Classify(status.error_code());
    if (!outcome.has_value() && classification_->function) {
      outcome = AskFunction(status, methods);
      if (outcome.has_value()) return *outcome;
    }
    if (!outcome.has_value()) {
      outcome = classification_->ByCode(status.error_code());
    }
    return *outcome == Outcome::kFailure ? Reconsider(status, methods)
                                         : *outcome;
  }

  // Nothing if it throws: out of an interceptor that would end the process.
  ABSL_ATTRIBUTE_NOINLINE std::optional<Outcome> AskFunction(
      const grpc::Status& status, InterceptorBatchMethods* methods) const {
    CallEnd end{status};
    end.duration = absl::FromChrono(MonotonicTime::clock::now() - start_);
    end.time_allowed = time_allowed_;
    end.answered = status.ok() || IsAnswered(methods);
    end.relayed_refusal = ParseRelayedRefusal(status).has_value();
    end.delivered =
        received_.load(std::memory_order_relaxed) == Received::kMessage;
    const absl::Duration pushback =
        PushbackIn(*methods->GetRecvTrailingMetadata());
    if (pushback > absl::ZeroDuration()) end.pushback = pushback;
    std::optional<Outcome> outcome;
    if (!EndsWell([&] { outcome = classification_->function(end); })) {
      breaker_->handling().CountException();
      return std::nullopt;
    }
    return outcome;
  }

  // Whether the server was heard of, if only by the status.
  bool IsAnswered(InterceptorBatchMethods* methods) const {
    return received_.load(std::memory_order_relaxed) != Received::kNothing ||
           !methods->GetRecvTrailingMetadata()->empty() ||
           !target_->IsAllThatIsKnown(info_->client_context()->peer());
  }

  // What a status that is a failure by its code says after all.
  ABSL_ATTRIBUTE_NOINLINE Outcome Reconsider(
      const grpc::Status& status, InterceptorBatchMethods* methods) const {
    const Received received = HasOneResponse()
                                  ? Received::kNothing
                                  : received_.load(std::memory_order_relaxed);
    switch (status.error_code()) {
      case grpc::StatusCode::DEADLINE_EXCEEDED:
        // A stream that was to end so.
        if (received == Received::kMessage &&
            TimeLeft() <= absl::ZeroDuration()) {
          return Outcome::kSuccess;
        }
        return time_allowed_ < classification_->shortest_judged_deadline
                   ? Outcome::kIgnored
                   : Outcome::kFailure;
      case grpc::StatusCode::UNAVAILABLE:
        // A stream whose connection was taken away: at its greatest age, or
        // because the server goes. How the next call fares says how the server
        // is. Nothing but the server itself sends trailing metadata.
        return received != Received::kNothing &&
                       methods->GetRecvTrailingMetadata()->empty()
                   ? Outcome::kIgnored
                   : Outcome::kFailure;
      case grpc::StatusCode::RESOURCE_EXHAUSTED:
        // A message that was larger than the channel's own limits.
        return IsAnswered(methods) ? Outcome::kFailure : Outcome::kIgnored;
      default:
        return Outcome::kFailure;
    }
  }

  bool HasOneResponse() const {
    return info_->type() == ClientRpcInfo::Type::UNARY ||
           info_->type() == ClientRpcInfo::Type::CLIENT_STREAMING;
  }

  ClientRpcInfo* const info_;
  // Written while deciding, read after it.
  RegisteredBreaker* breaker_;
  const Classification* const classification_;
  HealthProber* const prober_;
  Partitions* const partitions_;
  Target* const target_;
  std::atomic<bool> cancelled_{false};
  std::atomic<Phase> phase_{Phase::kNew};
  std::atomic<Received> received_{Received::kNothing};
  // Written while deciding, read after it.
  Permit permit_;
  bool never_sent_ = false;
  absl::Duration time_allowed_;
  MonotonicTime start_;  // only for the function of the classification
  // Written by Judge(), read when it is recorded.
  Outcome outcome_ = Outcome::kAbandoned;
  absl::Duration retry_after_;
  std::string peer_;  // only of a failure
  std::unique_ptr<const Answer> answer_;
};

class Factory final : public ClientInterceptorFactoryInterface {
 public:
  Factory(std::shared_ptr<BreakerRegistry> registry, InterceptorOptions options)
      : options_(Named(std::move(options))),
        table_(registry, options_.name, UnguardedBy(options_), &KeyForMethod,
               options_.max_methods) {
    if (options_.partition) {
      partitions_ = std::make_unique<Partitions>(std::move(registry), options_);
    }
  }

  Interceptor* CreateClientInterceptor(ClientRpcInfo* info) override {
    RegisteredBreaker* const breaker = table_.Find(info->method());
    if (breaker == nullptr) return new UnguardedInterceptor();
    return new CircuitBreakerInterceptor(
        info, breaker, ClassificationFor(info->method()),
        options_.health_prober.get(), partitions_.get(), &target_);
  }

 private:
  static InterceptorOptions Named(InterceptorOptions options) {
    static std::atomic<int> last{0};
    if (options.name.empty()) options.name = absl::StrCat("channel-", ++last);
    return options;
  }

  static std::vector<std::string> UnguardedBy(
      const InterceptorOptions& options) {
    std::vector<std::string> unguarded = options.unguarded;
    if (options.health_prober != nullptr) {
      unguarded.push_back("grpc.health.v1.Health/Check");
    }
    return unguarded;
  }

  const Classification* ClassificationFor(const char* method) const {
    return options_.classification_for.empty() ? &options_.classification
                                               : FindClassification(method);
  }

  ABSL_ATTRIBUTE_NOINLINE const Classification* FindClassification(
      const char* method) const {
    // Not that of the breaker, which methods may share.
    const BreakerKey key = KeyForMethod(options_.name, method);
    for (const std::string& scope :
         {absl::StrCat(key.service, "/", key.method), key.service}) {
      const auto found = options_.classification_for.find(scope);
      if (found != options_.classification_for.end()) return &found->second;
    }
    return &options_.classification;
  }

  const InterceptorOptions options_;
  MethodTable table_;
  std::unique_ptr<Partitions> partitions_;  // null: off
  Target target_;
};

}  // namespace

std::unique_ptr<ClientInterceptorFactoryInterface>
MakeCircuitBreakerInterceptorFactory(std::shared_ptr<BreakerRegistry> registry,
                                     InterceptorOptions options) {
  return std::make_unique<Factory>(std::move(registry), std::move(options));
}

}  // namespace autobreaker
