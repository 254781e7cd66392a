// A table in Markdown, row by row, and the numbers in it.
#ifndef AUTOBREAKER_SIMULATION_MARKDOWN_TABLE_H_
#define AUTOBREAKER_SIMULATION_MARKDOWN_TABLE_H_

#include <string>
#include <vector>

namespace autobreaker::decisions {

using Cells = std::vector<std::string>;

class MarkdownTable {
 public:
  explicit MarkdownTable(const Cells& head);
  void Add(const Cells& cells);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Three digits or so: 0.42, 7.1, 53, 1,234.
std::string Short(double value);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_MARKDOWN_TABLE_H_
