#include "autobreaker/simulation/docs.h"

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "autobreaker/simulation/charts.h"
#include "autobreaker/simulation/summary.h"
#include "autobreaker/simulation/svg_chart.h"

namespace autobreaker::decisions {
namespace {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return text.str();
}

}  // namespace

absl::StatusOr<std::string> ReplaceMarked(absl::string_view page,
                                          absl::string_view text) {
  const size_t begin = page.find(kBeginMark);
  const size_t end = page.find(kEndMark);
  if (begin == page.npos || end == page.npos || end < begin) {
    return absl::InvalidArgumentError(
        absl::StrCat("the page must have ", kBeginMark, "and then ", kEndMark));
  }
  return absl::StrCat(page.substr(0, begin), kBeginMark, "\n", text, "\n",
                      page.substr(end));
}

absl::Status WriteFile(const std::string& path, absl::string_view text) {
  std::ofstream file(path);
  file << text << std::flush;
  if (file) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write ", path));
}

absl::Status WriteDocs(const std::string& directory,
                       const Standings& standings) {
  for (const NamedChart& chart : AllCharts(standings)) {
    const absl::Status written = WriteFile(
        absl::StrCat(directory, "/images/simulation_", chart.name, ".svg"),
        Svg(chart.chart));
    if (!written.ok()) return written;
  }
  const std::string path = absl::StrCat(directory, "/simulation.md");
  const absl::StatusOr<std::string> page = ReadFile(path);
  if (!page.ok()) return page.status();
  const absl::StatusOr<std::string> changed =
      ReplaceMarked(*page, Summary(standings));
  if (!changed.ok()) return changed.status();
  return WriteFile(path, *changed);
}

}  // namespace autobreaker::decisions
