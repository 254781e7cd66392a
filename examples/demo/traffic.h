// Calls in the background: what the rest of a program would do with a channel.
#ifndef AUTOBREAKER_EXAMPLES_DEMO_TRAFFIC_H_
#define AUTOBREAKER_EXAMPLES_DEMO_TRAFFIC_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace autobreaker::demo {

// Makes one call and waits until it has ended.
using CallFunction = std::function<void()>;

// One function for each method of the Shop. Calls end within `deadline`.
// `on_order` is called for each order that was placed, from any thread.
std::vector<CallFunction> ShopCalls(std::shared_ptr<grpc::Channel> channel,
                                    absl::Duration deadline,
                                    std::function<void()> on_order);

// Check and Watch of grpc.health.v1.Health.
std::vector<CallFunction> HealthCalls(std::shared_ptr<grpc::Channel> channel,
                                      absl::Duration deadline);

// Goes on calling each function, from a few threads each and at a bounded rate,
// until it is destroyed. Calls late against the rate are left out, not made up
// for.
class Traffic {
 public:
  explicit Traffic(const std::vector<CallFunction>& calls);

  // Waits for the calls under way.
  ~Traffic();

  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

 private:
  void KeepCalling(const CallFunction& call, absl::Time first);

  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace autobreaker::demo

#endif  // AUTOBREAKER_EXAMPLES_DEMO_TRAFFIC_H_
