// Adds to each figure of a Google Benchmark run its ratio to the floor of the
// same run and number of threads: one relaxed atomic addition. Times differ from
// machine to machine and from hour to hour, ratios much less.
//
// The ratio is of CPU time per call of one thread.
#ifndef AUTOBREAKER_BENCHMARKS_RATIOS_H_
#define AUTOBREAKER_BENCHMARKS_RATIOS_H_

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "benchmark/benchmark.h"

namespace autobreaker {

inline constexpr char kFloorName[] = "BM_FetchAddFloor";

class Ratios {
 public:
  using Run = benchmark::BenchmarkReporter::Run;

  // REQUIRES: the floor is reported before all that is compared with it.
  std::vector<Run> AddTo(std::vector<Run> runs) {
    for (Run& run : runs) {
      if (IsSpread(run)) continue;
      const double time = run.GetAdjustedCPUTime() /
                          benchmark::GetTimeUnitMultiplier(run.time_unit);
      double& floor = floors_[{run.threads, run.aggregate_name}];
      if (absl::StartsWith(run.run_name.function_name, kFloorName)) {
        floor = time;
      }
      if (floor > 0) run.counters["ratio"] = time / floor;
    }
    return runs;
  }

 private:
  static bool IsSpread(const Run& run) {
    return run.aggregate_name == "stddev" || run.aggregate_name == "cv";
  }

  // By threads and kind: a single run, or the mean or median of several.
  std::map<std::pair<int64_t, std::string>, double> floors_;
};

// Hands on to another reporter what it got, with ratios.
class ReporterWithRatios final : public benchmark::BenchmarkReporter {
 public:
  explicit ReporterWithRatios(std::unique_ptr<BenchmarkReporter> to)
      : to_(std::move(to)) {}

  bool ReportContext(const Context& context) override {
    to_->SetOutputStream(&GetOutputStream());
    to_->SetErrorStream(&GetErrorStream());
    return to_->ReportContext(context);
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    to_->ReportRuns(ratios_.AddTo(runs));
  }
  void Finalize() override { to_->Finalize(); }

 private:
  const std::unique_ptr<BenchmarkReporter> to_;
  Ratios ratios_;
};

// What main() does instead of BENCHMARK_MAIN(). A file (--benchmark_out) is
// JSON.
inline int RunWithRatios(int argc, char** argv) {
  bool to_file = false;
  for (int i = 1; i < argc; ++i) {
    to_file = to_file || absl::StartsWith(argv[i], "--benchmark_out=");
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  ReporterWithRatios display{std::unique_ptr<benchmark::BenchmarkReporter>(
      benchmark::CreateDefaultDisplayReporter())};
  ReporterWithRatios file{std::make_unique<benchmark::JSONReporter>()};
  benchmark::RunSpecifiedBenchmarks(&display, to_file ? &file : nullptr);
  benchmark::Shutdown();
  return EXIT_SUCCESS;
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_BENCHMARKS_RATIOS_H_
