// The results as tables in Markdown.
#ifndef AUTOBREAKER_SIMULATION_MARKDOWN_REPORT_H_
#define AUTOBREAKER_SIMULATION_MARKDOWN_REPORT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "autobreaker/simulation/standings.h"

namespace autobreaker::decisions {

// All tables, and the summary of reach.h.
std::string MarkdownReport(const Standings& standings);

// Three digits or so: 0.42, 7.1, 53, 1,234.
std::string Short(double value);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_MARKDOWN_REPORT_H_
