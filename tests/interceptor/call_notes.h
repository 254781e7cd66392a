// What an application saw of one call.
#ifndef AUTOBREAKER_TESTS_INTERCEPTOR_CALL_NOTES_H_
#define AUTOBREAKER_TESTS_INTERCEPTOR_CALL_NOTES_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <array>
#include <cstddef>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace autobreaker {

// The things an application does in a call and is told the result of.
enum class Step { kStart, kMetadata, kWrite, kDone, kRead, kFinish };
inline constexpr std::array<const char*, 6> kStepNames = {
    "start", "metadata", "write", "done", "read", "finish"};

struct Observed {
  grpc::Status status;
  // Every step that was made with its results in order, for example
  // "write 11, done 1, read 10". Steps of different kinds go on at the same
  // time, so nothing is told of the order among those.
  std::string steps;
  std::multimap<std::string, std::string> trailing_metadata;
};

// Writes down the steps of one call.
//
// Thread-safety: every method may be called from any thread at once.
class CallNotes {
 public:
  bool Add(Step step, bool ok) {
    absl::MutexLock lock(&mu_);
    results_[static_cast<size_t>(step)].push_back(ok ? '1' : '0');
    return ok;
  }

  // REQUIRES: the call is over.
  Observed Finish(const grpc::Status& status,
                  const grpc::ClientContext& context) {
    Observed observed;
    observed.status = status;
    absl::MutexLock lock(&mu_);
    for (size_t i = 0; i < results_.size(); ++i) {
      if (results_[i].empty()) continue;
      absl::StrAppend(&observed.steps, observed.steps.empty() ? "" : ", ",
                      kStepNames[i], " ", results_[i]);
    }
    for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
      observed.trailing_metadata.emplace(
          std::string(key.data(), key.size()),
          std::string(value.data(), value.size()));
    }
    return observed;
  }

 private:
  absl::Mutex mu_;
  std::array<std::string, kStepNames.size()> results_ ABSL_GUARDED_BY(mu_);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_INTERCEPTOR_CALL_NOTES_H_
