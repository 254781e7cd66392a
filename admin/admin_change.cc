#include "autobreaker/admin/admin_change.h"

#include <google/protobuf/util/message_differencer.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "autobreaker/admin/internal/breaker_messages.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/proto/admin.pb.h"

namespace autobreaker {
namespace {

// What people can change, and what follows.
v1::Breaker ChangeableOf(const RegisteredSnapshot& snapshot) {
  const v1::Breaker breaker = ToProto(snapshot);
  v1::Breaker part;
  *part.mutable_options() = breaker.options();
  part.set_mode(breaker.mode());
  part.set_state(breaker.state());
  return part;
}

}  // namespace

std::string ToString(const AdminChange& change) {
  std::string differences;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  const bool same = differencer.Compare(ChangeableOf(change.before),
                                        ChangeableOf(change.after));
  absl::StripTrailingAsciiWhitespace(&differences);
  return absl::StrCat(
      Printable(change.method), " of ", ToString(change.after.key), " by ",
      Printable(change.peer),
      change.identity.empty()
          ? ""
          : absl::StrCat(" (", Printable(change.identity), ")"),
      ": ",
      same ? "no difference"
           : Printable(absl::StrReplaceAll(
                 differences, {{"\n", ", "}, {"modified: ", ""}})));
}

}  // namespace autobreaker
