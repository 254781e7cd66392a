#include "autobreaker/simulation/markdown_table.h"

#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace autobreaker::decisions {

MarkdownTable::MarkdownTable(const Cells& head) {
  Add(head);
  Add(Cells(head.size(), "---"));
}

void MarkdownTable::Add(const Cells& cells) {
  absl::StrAppend(&text_, "| ", absl::StrJoin(cells, " | "), " |\n");
}

std::string Short(double value) {
  if (value == 0) return "0";
  if (value < 1) return absl::StrFormat("%.2g", value);
  if (value < 9.95) {
    const std::string text = absl::StrFormat("%.1f", value);
    return text.substr(text.size() - 2) == ".0" ? text.substr(0, 1) : text;
  }
  const std::string digits = absl::StrCat(std::llround(value));
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace autobreaker::decisions
