// How well circuit breakers decide: ours and others, in the same simulated
// worlds. Prints tables in Markdown.
//
//   ./bazelw run -c opt //simulation -- --json=/tmp/run.json
//
// The same seed gives the same figures on every run.

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <regex>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "autobreaker/simulation/contestants.h"
#include "autobreaker/simulation/json_report.h"
#include "autobreaker/simulation/loss_table.h"
#include "autobreaker/simulation/markdown_report.h"
#include "autobreaker/simulation/scenarios.h"
#include "autobreaker/simulation/standings.h"
#include "autobreaker/simulation/tournament.h"

ABSL_FLAG(std::string, json, "", "where to write every measure as JSON");
ABSL_FLAG(std::string, markdown, "", "where to write the tables, too");
ABSL_FLAG(std::string, only, "",
          "a regular expression: scenarios whose names it is found in; prints "
          "what they cost, no more");
ABSL_FLAG(bool, defaults_only, false,
          "breakers as they come; prints what scenarios cost, no more");
ABSL_FLAG(bool, quick, false, "few calls: shows that it works, no more");
ABSL_FLAG(uint64_t, seed, 1, "of every random number");
ABSL_FLAG(int, threads, 2, "how many to use");

namespace {

using autobreaker::decisions::Contestant;
using autobreaker::decisions::Scenario;

std::vector<Scenario> Matching(const std::vector<Scenario>& all,
                               const std::string& pattern) {
  const std::regex only(pattern);
  std::vector<Scenario> some;
  for (const Scenario& scenario : all) {
    if (std::regex_search(scenario.Name(), only)) some.push_back(scenario);
  }
  return some;
}

std::vector<Contestant> Defaults(const std::vector<Contestant>& all) {
  using autobreaker::decisions::kDefault;
  using autobreaker::decisions::Role;
  std::vector<Contestant> some;
  for (const Contestant& contestant : all) {
    if (contestant.setting == kDefault || contestant.role == Role::kNone) {
      some.push_back(contestant);
    }
  }
  return some;
}

bool Write(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  std::ofstream file(path);
  file << text << std::flush;
  if (!file) std::cerr << "cannot write " << path << "\n";
  return static_cast<bool>(file);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace autobreaker::decisions;
  absl::SetProgramUsageMessage("Compares the decisions of circuit breakers.");
  absl::ParseCommandLine(argc, argv);
  const std::string only = absl::GetFlag(FLAGS_only);
  const bool defaults_only = absl::GetFlag(FLAGS_defaults_only);
  const Results results = RunTournament(
      Matching(AllScenarios(absl::GetFlag(FLAGS_quick)), only),
      defaults_only ? Defaults(AllContestants()) : AllContestants(),
      absl::GetFlag(FLAGS_seed), absl::GetFlag(FLAGS_threads));
  const Standings standings(results);
  const bool parts = defaults_only || !only.empty();
  const std::string markdown =
      parts ? LossTable(standings) : MarkdownReport(standings);
  std::cout << markdown;
  const bool written = Write(absl::GetFlag(FLAGS_json), JsonReport(standings));
  return Write(absl::GetFlag(FLAGS_markdown), markdown) && written ? 0 : 1;
}
