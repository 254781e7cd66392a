// Reactors that make one call in a given manner and write down what they saw.
#ifndef AUTOBREAKER_TESTS_INTERCEPTOR_SCRIPTED_REACTORS_H_
#define AUTOBREAKER_TESTS_INTERCEPTOR_SCRIPTED_REACTORS_H_

#include <grpcpp/support/client_callback.h>

#include <functional>

#include "absl/synchronization/notification.h"
#include "autobreaker/tests/interceptor/call_notes.h"
#include "autobreaker/tests/interceptor/shop_calls.h"

namespace autobreaker {

// What the reactors have in common: they may be destroyed when Await() has
// returned.
class ScriptedEnd {
 public:
  void Done(const grpc::Status& status) {
    status_ = status;
    done_.Notify();
  }
  Observed Await(CallNotes* notes, const grpc::ClientContext& context) {
    done_.WaitForNotification();
    return notes->Finish(status_, context);
  }

 private:
  grpc::Status status_;
  absl::Notification done_;
};

class ScriptedUnaryReactor final : public grpc::ClientUnaryReactor {
 public:
  // `prepare` hands this to a stub.
  Observed Run(const CallSite& site, const Manner& manner,
               const std::function<void(ScriptedUnaryReactor*)>& prepare) {
    site.context->set_initial_metadata_corked(manner.corked);
    prepare(this);
    StartCall();
    return end_.Await(&notes_, *site.context);
  }

 private:
  void OnReadInitialMetadataDone(bool ok) override {
    notes_.Add(Step::kMetadata, ok);
  }
  void OnDone(const grpc::Status& status) override { end_.Done(status); }

  CallNotes notes_;
  ScriptedEnd end_;
};

template <typename Response>
class ScriptedReadReactor final : public grpc::ClientReadReactor<Response> {
 public:
  // `prepare` hands this to a stub.
  Observed Run(const CallSite& site, const Manner& manner,
               const std::function<void(ScriptedReadReactor*)>& prepare) {
    site.context->set_initial_metadata_corked(manner.corked);
    manner_ = manner;
    prepare(this);
    if (manner.late) this->AddHold();
    if (manner.read_first) this->StartRead(&response_);
    this->StartCall();
    if (manner.late) {
      metadata_.WaitForNotification();
      this->StartRead(&response_);
      this->RemoveHold();
    }
    return end_.Await(&notes_, *site.context);
  }

 private:
  void OnReadInitialMetadataDone(bool ok) override {
    notes_.Add(Step::kMetadata, ok);
    if (!manner_.read_first && !manner_.late) this->StartRead(&response_);
    metadata_.Notify();
  }
  void OnReadDone(bool ok) override {
    if (notes_.Add(Step::kRead, ok)) this->StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override { end_.Done(status); }

  Manner manner_;
  CallNotes notes_;
  Response response_;
  absl::Notification metadata_;
  ScriptedEnd end_;
};

// Writes two messages.
template <typename Request>
class ScriptedWriteReactor final : public grpc::ClientWriteReactor<Request> {
 public:
  // `prepare` hands this to a stub.
  Observed Run(const CallSite& site, const Manner& manner,
               const std::function<void(ScriptedWriteReactor*)>& prepare) {
    site.context->set_initial_metadata_corked(manner.corked);
    manner_ = manner;
    prepare(this);
    if (manner.late) this->AddHold();
    if (!manner.late && !manner.wait) this->StartWrite(&request_);
    this->StartCall();
    if (manner.late) {
      if (!manner.corked) metadata_.WaitForNotification();
      this->StartWrite(&request_);
      this->RemoveHold();
    }
    return end_.Await(&notes_, *site.context);
  }

 private:
  void OnReadInitialMetadataDone(bool ok) override {
    notes_.Add(Step::kMetadata, ok);
    if (manner_.wait) this->StartWrite(&request_);
    metadata_.Notify();
  }
  void OnWriteDone(bool ok) override {
    notes_.Add(Step::kWrite, ok);
    ++writes_;
    if (writes_ == 1) {
      if (manner_.last) {
        this->StartWriteLast(&request_, grpc::WriteOptions());
      } else {
        this->StartWrite(&request_);
      }
    } else if (!manner_.last) {
      this->StartWritesDone();
    }
  }
  void OnWritesDoneDone(bool ok) override { notes_.Add(Step::kDone, ok); }
  void OnDone(const grpc::Status& status) override { end_.Done(status); }

  Manner manner_;
  CallNotes notes_;
  const Request request_{};
  int writes_ = 0;
  absl::Notification metadata_;
  ScriptedEnd end_;
};

// Writes one message and reads until there is no more.
template <typename Request, typename Response>
class ScriptedBidiReactor final
    : public grpc::ClientBidiReactor<Request, Response> {
 public:
  explicit ScriptedBidiReactor(Request request = {})
      : request_(std::move(request)) {}

  // `prepare` hands this to a stub.
  Observed Run(const CallSite& site, const Manner& manner,
               const std::function<void(ScriptedBidiReactor*)>& prepare) {
    site.context->set_initial_metadata_corked(manner.corked);
    manner_ = manner;
    prepare(this);
    if (manner.late) this->AddHold();
    if (manner.read_first) this->StartRead(&response_);
    if (!manner.late && !manner.wait) Write();
    this->StartCall();
    if (manner.late) {
      if (!manner.corked) metadata_.WaitForNotification();
      Write();
      this->RemoveHold();
    }
    return end_.Await(&notes_, *site.context);
  }

 private:
  void Write() {
    if (manner_.last) {
      this->StartWriteLast(&request_, grpc::WriteOptions());
    } else {
      this->StartWrite(&request_);
    }
  }

  void OnReadInitialMetadataDone(bool ok) override {
    notes_.Add(Step::kMetadata, ok);
    if (manner_.wait) Write();
    metadata_.Notify();
  }
  void OnWriteDone(bool ok) override {
    notes_.Add(Step::kWrite, ok);
    if (!manner_.last) this->StartWritesDone();
    if (!manner_.read_first) this->StartRead(&response_);
  }
  void OnReadDone(bool ok) override {
    if (notes_.Add(Step::kRead, ok)) this->StartRead(&response_);
  }
  void OnWritesDoneDone(bool ok) override { notes_.Add(Step::kDone, ok); }
  void OnDone(const grpc::Status& status) override { end_.Done(status); }

  Manner manner_;
  CallNotes notes_;
  const Request request_;
  Response response_;
  absl::Notification metadata_;
  ScriptedEnd end_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_INTERCEPTOR_SCRIPTED_REACTORS_H_
