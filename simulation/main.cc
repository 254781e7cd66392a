// How well circuit breakers decide: ours and others, in the same simulated
// worlds. Prints a table in Markdown.
//
//   ./bazelw run //simulation -- --docs="$PWD/docs"
//
// The same seed gives the same figures on every run.

#include <cstdint>
#include <iostream>
#include <regex>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "autobreaker/simulation/appendix.h"
#include "autobreaker/simulation/contestants.h"
#include "autobreaker/simulation/docs.h"
#include "autobreaker/simulation/json_report.h"
#include "autobreaker/simulation/loss_table.h"
#include "autobreaker/simulation/scenarios.h"
#include "autobreaker/simulation/standings.h"
#include "autobreaker/simulation/summary.h"
#include "autobreaker/simulation/tournament.h"

ABSL_FLAG(std::string, only, "",
          "a regular expression: only scenarios whose names it is found in, "
          "each with a row of its own");
ABSL_FLAG(std::string, docs, "",
          "a directory in which to renew the charts and simulation.md");
ABSL_FLAG(std::string, json, "", "where to write every measure as JSON");
ABSL_FLAG(std::string, appendix, "",
          "tries other settings, too, which takes long: where to write the "
          "tables that compare them");
ABSL_FLAG(bool, quick, false, "few calls: shows that it works, no more");
ABSL_FLAG(uint64_t, seed, 1, "of every random number");
ABSL_FLAG(int, threads, 2, "how many to use");

namespace autobreaker::decisions {
namespace {

std::vector<Scenario> Matching(const std::vector<Scenario>& all,
                               const std::string& pattern) {
  const std::regex only(pattern);
  std::vector<Scenario> some;
  for (const Scenario& scenario : all) {
    if (std::regex_search(scenario.Name(), only)) some.push_back(scenario);
  }
  return some;
}

absl::Status Run() {
  const std::string only = absl::GetFlag(FLAGS_only);
  const std::string appendix = absl::GetFlag(FLAGS_appendix);
  const std::string docs = absl::GetFlag(FLAGS_docs);
  const std::string json = absl::GetFlag(FLAGS_json);
  if (!only.empty() && !(docs.empty() && appendix.empty())) {
    return absl::InvalidArgumentError(
        "--docs and --appendix need every scenario: leave out --only");
  }
  const Results results =
      RunTournament(Matching(AllScenarios(absl::GetFlag(FLAGS_quick)), only),
                    appendix.empty() ? AsTheyCome() : AllContestants(),
                    absl::GetFlag(FLAGS_seed), absl::GetFlag(FLAGS_threads));
  const Standings standings(results);
  std::cout << (only.empty() ? Summary(standings) : LossTable(standings));
  absl::Status status;
  if (!docs.empty()) status.Update(WriteDocs(docs, standings));
  if (!json.empty()) status.Update(WriteFile(json, JsonReport(standings)));
  if (!appendix.empty()) {
    status.Update(WriteFile(appendix, Appendix(standings)));
  }
  return status;
}

}  // namespace
}  // namespace autobreaker::decisions

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Compares the decisions of circuit breakers.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = autobreaker::decisions::Run();
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
