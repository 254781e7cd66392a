// Writes the results into the documentation.
#ifndef AUTOBREAKER_SIMULATION_DOCS_H_
#define AUTOBREAKER_SIMULATION_DOCS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "autobreaker/simulation/standings.h"

namespace autobreaker::decisions {

// `page` with `text` between its two marks, in place of what is there.
// INVALID_ARGUMENT if it does not have both, in order.
absl::StatusOr<std::string> ReplaceMarked(absl::string_view page,
                                          absl::string_view text);
inline constexpr absl::string_view kBeginMark = "<!-- simulation: begin -->\n";
inline constexpr absl::string_view kEndMark = "<!-- simulation: end -->\n";

// The charts in `directory`/images/simulation_*.svg, and the summary in
// `directory`/simulation.md.
absl::Status WriteDocs(const std::string& directory,
                       const Standings& standings);

absl::Status WriteFile(const std::string& path, absl::string_view text);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_DOCS_H_
