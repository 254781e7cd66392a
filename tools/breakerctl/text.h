// What breakerctl prints: text made from messages. Nothing here reads a clock
// or prints.
//
// Thread-safety: free functions without state, and WatchText for one thread.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_TEXT_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_TEXT_H_

#include <google/protobuf/field_mask.pb.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "autobreaker/proto/admin.pb.h"

namespace autobreaker::breakerctl {

// Who looks, and when.
struct View {
  bool color = false;  // escape sequences for colors
  absl::Time now;
  absl::TimeZone zone;
  bool wide = false;  // more columns
};

// A breaker, and where it is: empty where only one address is asked.
struct Listed {
  Listed(v1::Breaker what, std::string where = "")  // NOLINT: converts
      : breaker(std::move(what)), address(std::move(where)) {}

  v1::Breaker breaker;
  std::string address;
};

// A header and a row for each breaker; the columns are as wide as they need.
std::string Table(const View& view, const std::vector<Listed>& breakers);

// All there is about one breaker.
std::string Details(const View& view, const v1::Breaker& breaker);

// One line on what a command has done.
std::string ModeLine(const v1::Breaker& breaker);
std::string UpdateLine(const v1::Breaker& breaker,
                       const google::protobuf::FieldMask& updated);
std::string ResetLine(const v1::Breaker& breaker);

// The text of what a Watch answers: a table for each snapshot, once it is
// complete, and a line for each change.
class WatchText {
 public:
  // What `response` adds; empty if there is more of it to come.
  std::string Add(const View& view, const v1::WatchResponse& response);

 private:
  std::string TransitionLine(const View& view,
                             const v1::Transition& transition);

  std::vector<v1::Breaker> snapshot_;
  // Of the columns of names and methods, so that lines stand below each other.
  int name_width_ = 0;
  int method_width_ = 0;
};

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_TEXT_H_
