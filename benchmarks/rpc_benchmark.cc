// What a guarded channel costs a unary call, beside the same call with an
// interceptor that does nothing and with none:
//
//   ./bazelw run //benchmarks:rpc_benchmark -- --json=/tmp/rpc.json
//
// A program of its own, since what it is about is a difference that is far
// smaller than what a machine's mood does to a call. Each round makes a short
// row of calls in every variant, in an order of its own, and compares within
// the round. Google Benchmark runs one variant after the other, and compares
// nothing.
//
// Client and server share the process, so the allocations are those of both.
// For instructions, of the client alone, see rpc_instructions.sh.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "autobreaker/benchmarks/all_allocations.h"
#include "autobreaker/benchmarks/rpc_variants.h"

ABSL_FLAG(int, rounds, 400, "rounds to measure");
ABSL_FLAG(int, calls, 30, "calls in a row, in each variant and round");
ABSL_FLAG(absl::Duration, max_duration, absl::Seconds(50),
          "begins no round after that long");
ABSL_FLAG(std::string, json, "", "a file to write the figures to");

namespace autobreaker {
namespace {

// Of the figures of all rounds, in microseconds.
struct Summary {
  double lower_quartile = 0, median = 0, upper_quartile = 0;
  // Where the median would be, 95 times of 100, if the rounds were without end.
  double low = 0, high = 0;
};

// REQUIRES: !values.empty()
Summary Summarize(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double last = values.size() - 1;
  const auto at = [&](double place) {
    place = std::clamp(place, 0.0, last);
    const size_t below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - below) * (values[above] - values[below]);
  };
  // How many of the values are below the true median is binomial.
  const double margin = 0.98 * std::sqrt(values.size());
  return {at(last / 4), at(last / 2), at(last * 3 / 4), at(last / 2 - margin),
          at(last / 2 + margin)};
}

// One way to make calls, in every variant.
class Case {
 public:
  using MakeCall = void (*)(shop::Shop::Stub*, Variant);
  using Connect = std::unique_ptr<shop::Shop::Stub> (*)(EmptyShop*, Variant);

  Case(std::string transport, std::string api, Connect connect, MakeCall call,
       EmptyShop* shop)
      : transport_(std::move(transport)), api_(std::move(api)), call_(call) {
    for (const Variant variant : kVariants) {
      stubs_.push_back(connect(shop, variant));
    }
  }

  void TimeOneRound(int calls) {
    std::shuffle(order_.begin(), order_.end(), random_);
    for (const int variant : order_) {
      SettleDown(variant);
      const auto begin = std::chrono::steady_clock::now();
      Call(variant, calls);
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - begin;
      times_[variant].push_back(took.count() / calls);
    }
  }

  void CountAllocationsOfOneRound(int calls) {
    for (int variant = 0; variant < kVariantCount; ++variant) {
      SettleDown(variant);
      StartCountingAllocations();
      Call(variant, calls);
      allocations_[variant].push_back(1.0 * StopCountingAllocations() / calls);
    }
  }

  // After refusals the server's threads are asleep, or still clean up.
  void SettleDown(int variant) const { Call(variant, 10); }

  void Call(int variant, int calls) const {
    for (int i = 0; i < calls; ++i) {
      call_(stubs_[variant].get(), kVariants[variant]);
    }
  }

  Summary Time(int variant) const { return Summarize(times_[variant]); }

  // Over the variant before, round by round.
  Summary Added(int variant) const {
    std::vector<double> added = times_[variant];
    for (size_t round = 0; round < added.size(); ++round) {
      added[round] -= times_[variant - 1][round];
    }
    return Summarize(std::move(added));
  }

  // Now and then gRPC or a thread makes some of its own; hence the median.
  double Allocations(int variant) const {
    return Summarize(allocations_[variant]).median;
  }

  std::string Table() const {
    std::string table = absl::StrFormat(
        "%-24s %8s %18s %9s %18s %18s %12s\n",
        absl::StrCat(transport_, ", ", api_), "us/call", "quartiles",
        "added us", "95 % sure", "quartiles", "allocations");
    for (int variant = 0; variant < kVariantCount; ++variant) {
      const Summary time = Time(variant);
      absl::StrAppendFormat(&table, "  %-22s %8.2f %18s",
                            NameOf(kVariants[variant]), time.median,
                            absl::StrFormat("%.2f..%.2f", time.lower_quartile,
                                            time.upper_quartile));
      if (variant > 0) {
        const Summary added = Added(variant);
        absl::StrAppendFormat(
            &table, " %+9.2f %18s %18s", added.median,
            absl::StrFormat("%+.2f..%+.2f", added.low, added.high),
            absl::StrFormat("%+.2f..%+.2f", added.lower_quartile,
                            added.upper_quartile));
      } else {
        absl::StrAppendFormat(&table, " %9s %18s %18s", "", "", "");
      }
      absl::StrAppendFormat(&table, " %12.2f\n", Allocations(variant));
    }
    return table;
  }

  std::string Json() const {
    const auto json = [](const Summary& s) {
      return absl::StrFormat(
          R"({"median":%.3f,"low":%.3f,"high":%.3f,"quartiles":[%.3f,%.3f]})",
          s.median, s.low, s.high, s.lower_quartile, s.upper_quartile);
    };
    std::vector<std::string> variants;
    for (int variant = 0; variant < kVariantCount; ++variant) {
      std::string added;
      if (variant > 0) {
        added =
            absl::StrCat(R"("added_us_per_call":)", json(Added(variant)), ",");
      }
      variants.push_back(absl::StrFormat(
          R"({"variant":"%s","us_per_call":%s,%s"allocations_per_call":%.2f})",
          NameOf(kVariants[variant]), json(Time(variant)), added,
          Allocations(variant)));
    }
    return absl::StrFormat(R"({"transport":"%s","api":"%s","variants":[%s]})",
                           transport_, api_, absl::StrJoin(variants, ",\n  "));
  }

 private:
  const std::string transport_;
  const std::string api_;
  const MakeCall call_;
  std::vector<std::unique_ptr<shop::Shop::Stub>> stubs_;
  std::array<std::vector<double>, kVariantCount> times_;
  std::array<std::vector<double>, kVariantCount> allocations_;
  std::array<int, kVariantCount> order_{0, 1, 2, 3};
  std::minstd_rand random_;
};

bool WriteFile(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  const bool written = std::fputs(text.c_str(), file) >= 0;
  return std::fclose(file) == 0 && written;
}

int Run() {
  const int calls = absl::GetFlag(FLAGS_calls);
  const int rounds = absl::GetFlag(FLAGS_rounds);
  if (calls < 1 || rounds < 1) {
    std::fprintf(stderr, "--calls and --rounds must be at least 1\n");
    return EXIT_FAILURE;
  }
  const absl::Time end = absl::Now() + absl::GetFlag(FLAGS_max_duration);

  EmptyShop shop;
  const Case::Connect over_tcp = [](EmptyShop* s, Variant variant) {
    return ConnectOverTcp(s->address(), variant);
  };
  const Case::Connect in_process = [](EmptyShop* s, Variant variant) {
    return ConnectInProcess(s->server(), variant);
  };
  std::vector<std::unique_ptr<Case>> cases;
  for (const auto& [transport, connect] :
       {std::pair("in process", in_process), std::pair("TCP", over_tcp)}) {
    for (const auto& [api, call] :
         {std::pair("synchronous", &CallSynchronously),
          std::pair("callback", &CallWithCallback)}) {
      cases.push_back(
          std::make_unique<Case>(transport, api, connect, call, &shop));
    }
  }

  // Connects, and fills gRPC's pools, before anything counts.
  for (const auto& c : cases) {
    for (int variant = 0; variant < kVariantCount; ++variant) {
      c->Call(variant, calls);
    }
  }
  for (int i = 0; i < 20; ++i) {
    for (const auto& c : cases) c->CountAllocationsOfOneRound(calls);
  }
  int round = 0;
  do {
    for (const auto& c : cases) c->TimeOneRound(calls);
  } while (++round < rounds && absl::Now() < end);

  std::printf("%d rounds of %d calls; what is added is over the line above\n",
              round, calls);
  std::vector<std::string> json;
  for (const auto& c : cases) {
    std::printf("\n%s", c->Table().c_str());
    json.push_back(c->Json());
  }
  const std::string path = absl::GetFlag(FLAGS_json);
  if (!path.empty() &&
      !WriteFile(
          path, absl::StrFormat(
                    "{\"rounds\":%d,\"calls_per_round\":%d,\"cases\":[\n%s]}\n",
                    round, calls, absl::StrJoin(json, ",\n")))) {
    std::fprintf(stderr, "cannot write %s\n", path.c_str());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace autobreaker

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("measures unary calls with and without breaker");
  absl::ParseCommandLine(argc, argv);
  return autobreaker::Run();
}
