// A completion queue that tells what came out of it as the steps of a call.
#ifndef AUTOBREAKER_TESTS_INTERCEPTOR_QUEUE_STEPS_H_
#define AUTOBREAKER_TESTS_INTERCEPTOR_QUEUE_STEPS_H_

#include <grpcpp/completion_queue.h>

#include <array>
#include <cstdint>
#include <optional>

#include "autobreaker/tests/interceptor/call_notes.h"

namespace autobreaker {

// Thread-compatible.
class QueueSteps {
 public:
  explicit QueueSteps(CallNotes* notes) : notes_(notes) {}

  ~QueueSteps() {
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  grpc::CompletionQueue* queue() { return &queue_; }

  static void* Tag(Step step) {
    return reinterpret_cast<void*>(static_cast<intptr_t>(step) + 1);
  }

  // Polls until the step is done.
  bool Await(Step step) {
    while (!done_[Index(Tag(step))].has_value()) {
      void* tag;
      bool ok;
      if (!queue_.Next(&tag, &ok)) return false;
      done_[Index(tag)] = ok;
      notes_->Add(static_cast<Step>(Index(tag)), ok);
    }
    const bool ok = *done_[Index(Tag(step))];
    done_[Index(Tag(step))].reset();
    return ok;
  }

 private:
  static size_t Index(void* tag) {
    return static_cast<size_t>(reinterpret_cast<intptr_t>(tag) - 1);
  }

  CallNotes* const notes_;
  grpc::CompletionQueue queue_;
  // What has come out and was not yet awaited.
  std::array<std::optional<bool>, kStepNames.size()> done_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_INTERCEPTOR_QUEUE_STEPS_H_
