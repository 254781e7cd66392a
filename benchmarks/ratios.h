// Adds to each figure of a Google Benchmark run its ratio to the floor of the
// same run and number of threads: one relaxed atomic addition. Times differ
// from machine to machine and from hour to hour, ratios much less.
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

// Hands on to another reporter what it got, with ratios. Not before the end:
// interleaved repetitions come in any order, the floor too.
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
    for (const Run& run : runs) {
      if (absl::StartsWith(run.run_name.function_name, kFloorName)) {
        floors_[{run.threads, run.aggregate_name}] = TimeOf(run);
      }
    }
    reports_.push_back(runs);
  }

  void Finalize() override {
    for (std::vector<Run>& runs : reports_) {
      for (Run& run : runs) {
        const auto floor = floors_.find({run.threads, run.aggregate_name});
        if (floor != floors_.end() && !IsSpread(run)) {
          run.counters["ratio"] = TimeOf(run) / floor->second;
        }
      }
      to_->ReportRuns(runs);
    }
    to_->Finalize();
  }

 private:
  static double TimeOf(const Run& run) {
    return run.GetAdjustedCPUTime() /
           benchmark::GetTimeUnitMultiplier(run.time_unit);
  }
  static bool IsSpread(const Run& run) {
    return run.aggregate_name == "stddev" || run.aggregate_name == "cv";
  }

  const std::unique_ptr<BenchmarkReporter> to_;
  std::vector<std::vector<Run>> reports_;
  // By threads and kind: a single run, or the mean or median of several.
  std::map<std::pair<int64_t, std::string>, double> floors_;
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
