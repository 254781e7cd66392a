// A table in Markdown, row by row.
#ifndef AUTOBREAKER_SIMULATION_MARKDOWN_TABLE_H_
#define AUTOBREAKER_SIMULATION_MARKDOWN_TABLE_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace autobreaker::decisions {

using Cells = std::vector<std::string>;

class MarkdownTable {
 public:
  explicit MarkdownTable(const Cells& head) {
    Add(head);
    Add(Cells(head.size(), "---"));
  }
  void Add(const Cells& cells) {
    absl::StrAppend(&text_, "| ", absl::StrJoin(cells, " | "), " |\n");
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_MARKDOWN_TABLE_H_
