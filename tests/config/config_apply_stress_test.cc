// Configurations that are applied one after the other while calls are made:
// nobody sees parts of two, and no call is lost.
//
// CONFIG_APPLY_SECONDS, up to 600, runs for that long at 1,000 configurations a
// second, in place of 10,000 as fast as they go.
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/config/config.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

constexpr int kCallers = 8;
constexpr int kBreakers = 4;

// How many, and whether at 1,000 a second.
struct Pace {
  int applies = 10'000;
  bool paced = false;
};

Pace PaceFromEnvironment() {
  const char* const text = std::getenv("CONFIG_APPLY_SECONDS");
  if (text == nullptr) return {};
  int seconds = 0;
  if (!absl::SimpleAtoi(text, &seconds) || seconds < 1 || seconds > 600) {
    ADD_FAILURE() << "CONFIG_APPLY_SECONDS is " << text
                  << ", must be in [1, 600]";
    return {};
  }
  return {seconds * 1'000, true};
}

// What a thread made of its calls on one breaker.
struct Books {
  uint64_t refused = 0;
  std::array<uint64_t, 4> ended = {};  // by Outcome
};

struct Result {
  std::string fault;  // of a snapshot
  int64_t calls = 0;
  double nanoseconds_per_call = 0;
  double applies_per_second = 0;
};

// Several breakers, and configurations that each say something else of them in
// every regard. Those that are `calm` keep the breakers closed.
class Stress {
 public:
  explicit Stress(bool calm) : calm_(calm) {
    for (int i = 0; i < 7; ++i) {
      const char* const modes[] = {"AUTOMATIC", "FORCED_CLOSED", "SHADOW",
                                   "FORCED_OPEN"};
      const char* const codes[] = {"UNAVAILABLE", "INTERNAL", "DATA_LOSS"};
      const std::string entry = absl::StrCat(
          R"("options": {"trip": {"minimumCalls": )", 100 + i,
          R"(, "windowBuckets": )", 1 + i, R"(}, "open": {"duration": "0.0)",
          1 + i, R"(s"}}, "mode": ")", modes[calm ? 0 : i % 4],
          R"(", "unguarded": )", i % 2 == 0 ? "true" : "false",
          R"(, "classification": {"failures": [")", codes[i % 3], R"("]})");
      configs_.push_back(
          ParseConfig(
              absl::StrCat(R"({"breakers": [{"names": [{}], )", entry,
                           R"(}, {"names": [{"name": "1"}], )", entry, "}]}"),
              ConfigFormat::kJson, "")
              .value());
      policies_.push_back(
          MakePolicies(configs_[i], *registry_).value().at(BreakerKey()));
    }
    EXPECT_TRUE(ApplyConfig(configs_[0], registry_.get()).ok());
    for (int b = 0; b < kBreakers; ++b) {
      breakers_.push_back(
          registry_->GetOrCreate({absl::StrCat(b), "shop.Orders", "Place"}));
    }
  }

  // Callers go on until everything was applied, and make as many calls at
  // least.
  Result Run(Pace pace, int64_t calls_at_least, int watchers) {
    Result result;
    std::atomic<int> ready{0};
    std::atomic<bool> applied{false};
    std::atomic<int64_t> calls{0};
    std::atomic<int64_t> nanoseconds{0};
    std::vector<std::string> faults(watchers);
    const int threads = 1 + watchers + kCallers;
    RunThreads(threads, [&](int t) {
      ++ready;
      while (ready < threads) std::this_thread::yield();
      if (t == 0) {
        result.applies_per_second = ApplyAll(pace);
        applied = true;
      } else if (t <= watchers) {
        do {
          faults[t - 1] = Fault();
        } while (!applied && faults[t - 1].empty());
      } else {
        const int caller = t - 1 - watchers;
        int64_t made = 0;
        const int64_t begin = CpuNanoseconds();
        while (made < calls_at_least || !applied) {
          made += Call(books_[caller], caller, made);
        }
        nanoseconds += CpuNanoseconds() - begin;
        calls += made;
      }
    });
    for (const std::string& fault : faults) {
      if (!fault.empty()) result.fault = fault;
    }
    result.calls = calls;
    result.nanoseconds_per_call =
        static_cast<double>(nanoseconds) / static_cast<double>(calls);
    return result;
  }

  // What the callers know must be what the breakers have counted.
  void ExpectBalancedBooks() {
    for (int b = 0; b < kBreakers; ++b) {
      Books sum;
      for (const auto& of_caller : books_) {
        sum.refused += of_caller[b].refused;
        for (size_t i = 0; i < sum.ended.size(); ++i) {
          sum.ended[i] += of_caller[b].ended[i];
        }
      }
      const RegisteredSnapshot s = breakers_[b]->Snapshot();
      EXPECT_EQ(AllRefusals(s), sum.refused);
      EXPECT_EQ(s.successes, sum.ended[Index(Outcome::kSuccess)]);
      EXPECT_EQ(s.failures, sum.ended[Index(Outcome::kFailure)]);
      EXPECT_EQ(s.ignored, sum.ended[Index(Outcome::kIgnored)]);
      EXPECT_EQ(s.abandoned, sum.ended[Index(Outcome::kAbandoned)]);
      EXPECT_EQ(s.in_flight, 0);
      EXPECT_EQ(s.requests, s.successes + s.failures + s.ignored + s.abandoned);
      EXPECT_GT(s.requests, 0);
    }
  }

 private:
  static size_t Index(Outcome outcome) { return static_cast<size_t>(outcome); }

  static int64_t CpuNanoseconds() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
  }

  // Answers how many it was a second.
  double ApplyAll(Pace pace) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < pace.applies; ++i) {
      if (pace.paced) {
        std::this_thread::sleep_until(begin + std::chrono::milliseconds(i));
      }
      EXPECT_TRUE(
          ApplyConfig(configs_[i % configs_.size()], registry_.get()).ok());
    }
    return pace.applies /
           std::chrono::duration<double>(Clock::now() - begin).count();
  }

  // What is wrong with a snapshot of any breaker; empty if nothing is.
  std::string Fault() {
    for (const auto& breaker : breakers_) {
      const RegisteredSnapshot s = breaker->Snapshot();
      const bool of_one = std::any_of(
          policies_.begin(), policies_.end(), [&s](const BreakerPolicy& p) {
            return p.options == s.options && p.mode == s.mode &&
                   p.unguarded == s.unguarded &&
                   p.status_classes == s.status_classes;
          });
      if (!of_one) return "a configuration that was never applied";
      if (!Adds(s)) return "a call has no fate, or two";
    }
    return "";
  }

  // Makes a few calls and answers how many.
  int Call(std::array<Books, kBreakers>& books, int caller, int64_t made) {
    constexpr int kCalls = 64;
    for (int i = 0; i < kCalls; ++i) {
      const auto n = static_cast<size_t>(made + i + caller);
      const size_t b = n % kBreakers;
      Permit permit = breakers_[b]->TryAcquire();
      if (!permit) {
        ++books[b].refused;
        continue;
      }
      // Bursts of failures, if it is not calm.
      Outcome outcome = Outcome::kSuccess;
      if (!calm_ && n % 4096 < 1024) {
        outcome = Outcome::kFailure;
      } else if (!calm_ && n % 16 < 2) {
        outcome = n % 16 == 0 ? Outcome::kIgnored : Outcome::kAbandoned;
      }
      permit.Record(outcome);
      ++books[b].ended[Index(outcome)];
    }
    return kCalls;
  }

  const bool calm_;
  std::shared_ptr<BreakerRegistry> registry_ = *BreakerRegistry::Create();
  std::vector<v1::Config> configs_;
  std::vector<BreakerPolicy> policies_;  // for every breaker
  std::vector<std::shared_ptr<RegisteredBreaker>> breakers_;
  std::array<std::array<Books, kBreakers>, kCallers> books_ = {};
};

TEST(ConfigApplyStressTest, NoConfigurationIsSeenInPartAndNoCallLost) {
  Stress stress(/*calm=*/false);
  const Result result = stress.Run(PaceFromEnvironment(), 10'000, 2);
  EXPECT_EQ(result.fault, "");
  stress.ExpectBalancedBooks();
  std::printf("%.0f configurations a second, %.1f ns of CPU time a call\n",
              result.applies_per_second, result.nanoseconds_per_call);
}

// How much, depends on the machine: that is for a human to read.
TEST(ConfigApplyStressTest, HealthyCallsAreNotLostEither) {
  Stress stress(/*calm=*/true);
  const Result with = stress.Run(PaceFromEnvironment(), 10'000, 0);
  const Result without = stress.Run({/*applies=*/0}, with.calls / kCallers, 0);
  stress.ExpectBalancedBooks();
  std::printf(
      "%.1f ns of CPU time a healthy call, %.1f ns at %.0f configurations a "
      "second\n",
      without.nanoseconds_per_call, with.nanoseconds_per_call,
      with.applies_per_second);
}

}  // namespace
}  // namespace autobreaker
