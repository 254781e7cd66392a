#include "autobreaker/tools/breakerctl/text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/tools/breakerctl/key.h"
#include "autobreaker/tools/breakerctl/options.h"

namespace autobreaker::breakerctl {
namespace {

constexpr char kRed[] = "31";
constexpr char kGreen[] = "32";
constexpr char kYellow[] = "33";
constexpr char kGray[] = "90";

std::string Paint(const View& view, absl::string_view color,
                  absl::string_view text) {
  if (!view.color || color.empty()) return std::string(text);
  return absl::StrCat("\x1b[", color, "m", text, "\x1b[0m");
}

absl::string_view ColorOf(v1::State state) {
  switch (state) {
    case v1::CLOSED:
      return kGreen;
    case v1::OPEN:
      return kRed;
    case v1::HALF_OPEN:
      return kYellow;
    default:
      return kGray;
  }
}

// A mode by which the breaker does not protect is worth a look.
absl::string_view ColorOf(const v1::Breaker& breaker) {
  if (breaker.unguarded()) return kGray;
  return breaker.mode() == v1::AUTOMATIC ? "" : kYellow;
}

// The name of an enum's value; its number if it is of a newer service.
std::string Word(absl::string_view name, int number) {
  return name.empty() ? absl::StrCat(number) : absl::AsciiStrToLower(name);
}

std::string Text(v1::State state) {
  return absl::StrReplaceAll(Word(v1::State_Name(state), state), {{"_", "-"}});
}

std::string Text(v1::Mode mode) {
  return absl::StrReplaceAll(Word(v1::Mode_Name(mode), mode), {{"_", "-"}});
}

std::string Text(v1::TransitionReason reason) {
  return Word(v1::TransitionReason_Name(reason), reason);
}

std::string Text(v1::Code code) {
  const std::string& name = v1::Code_Name(code);
  return name.empty() ? absl::StrCat(static_cast<int>(code)) : name;
}

// As much of it as a person reads: "1.9s", "2m5s", "3h12m", "5d4h".
std::string Human(absl::Duration duration) {
  duration = std::max(duration, absl::ZeroDuration());
  constexpr absl::Duration kDay = absl::Hours(24);
  if (duration >= kDay && duration < absl::InfiniteDuration()) {
    const int64_t days = absl::IDivDuration(duration, kDay, &duration);
    return absl::StrCat(days, "d", duration / absl::Hours(1), "h");
  }
  const absl::Duration unit =
      duration < absl::Seconds(1)    ? absl::Milliseconds(1)
      : duration < absl::Seconds(10) ? absl::Milliseconds(100)
      : duration < absl::Hours(1)    ? absl::Seconds(1)
                                     : absl::Minutes(1);
  return absl::FormatDuration(absl::Trunc(duration, unit));
}

std::string Human(const google::protobuf::Duration& message) {
  absl::Duration duration;
  MakeDuration(message, &duration).IgnoreError();
  return Human(duration);
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

std::string Percent(double rate) {
  return absl::StrFormat("%.1f%%", 100 * rate);
}

uint64_t Sum(const v1::Refusals& refusals) {
  return refusals.open() + refusals.half_open() + refusals.ramp() +
         refusals.forced_open() + refusals.too_many_calls();
}

// "1 call", "2 calls".
template <typename Number>
std::string Several(Number number, absl::string_view noun) {
  return absl::StrCat(number, " ", noun, number == 1 ? "" : "s");
}

// What was asked of it.
uint64_t Calls(const v1::Breaker::Counts& counts) {
  return counts.requests() + Sum(counts.refused());
}

// "-" where there is none, so that columns stay columns.
std::string OrDash(absl::string_view text) {
  return text.empty() ? "-" : Printable(text);
}

std::string MethodText(const v1::BreakerKey& key) {
  if (key.service().empty() && key.method().empty()) return "-";
  return Printable(absl::StrCat(key.service(), "/", key.method(),
                                key.partition().empty() ? "" : "@",
                                key.partition()));
}

std::string StateText(const v1::Breaker& breaker) {
  std::string text = Text(breaker.state());
  if (breaker.has_open_remaining()) {
    absl::StrAppend(&text, " ", Human(breaker.open_remaining()));
  }
  return text;
}

std::string ModeText(const v1::Breaker& breaker) {
  if (breaker.unguarded()) return "unguarded";
  std::string text = Text(breaker.mode());
  if (breaker.has_mode_remaining()) {
    absl::StrAppend(&text, " ", Human(breaker.mode_remaining()));
  }
  return text;
}

std::string SinceText(const View& view, const v1::Breaker& breaker) {
  if (!breaker.has_last_transition_time()) return "-";
  return Human(view.now - FromProto(breaker.last_transition_time()));
}

// In characters, as names need not be ASCII.
int Width(absl::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
      }));
}

std::string PadRight(absl::string_view text, int width) {
  return absl::StrCat(text, std::string(std::max(width - Width(text), 0), ' '));
}

std::string PadLeft(absl::string_view text, int width) {
  return absl::StrCat(std::string(std::max(width - Width(text), 0), ' '), text);
}

struct Cell {
  std::string text;
  absl::string_view color = {};
};

// "18 of 20 failures at 10.0.0.3:50051, 2 at 10.0.0.4:50051", up to so many.
std::string PeersText(const v1::FailingPeers& failing, int most) {
  std::string text;
  for (int i = 0; i < std::min(most, failing.peers_size()); ++i) {
    const v1::FailingPeers::Peer& peer = failing.peers(i);
    absl::StrAppend(
        &text, i == 0 ? "" : ", ", peer.failures(),
        i == 0 ? absl::StrCat(" of ", Several(failing.failures(), "failure"))
               : "",
        " at ", Printable(peer.name()));
  }
  return text;
}

// What a table shows of each breaker.
struct Column {
  absl::string_view title;
  bool number;  // to the right
  bool wide;    // only there
  Cell (*of)(const View& view, const v1::Breaker& breaker);
};

const Column kColumns[] = {
    {"NAME", false, false,
     [](const View&, const v1::Breaker& b) {
       return Cell{OrDash(b.key().name())};
     }},
    {"METHOD", false, false,
     [](const View&, const v1::Breaker& b) {
       return Cell{MethodText(b.key())};
     }},
    {"STATE", false, false,
     [](const View&, const v1::Breaker& b) {
       return Cell{StateText(b), ColorOf(b.state())};
     }},
    {"MODE", false, false,
     [](const View&, const v1::Breaker& b) {
       return Cell{ModeText(b), ColorOf(b)};
     }},
    {"CALLS", true, false,
     [](const View&, const v1::Breaker& b) {
       return Cell{absl::StrCat(Calls(b.counts()))};
     }},
    {"FAILED", true, false,
     [](const View&, const v1::Breaker& b) {
       return Cell{absl::StrCat(b.counts().failures())};
     }},
    {"REFUSED", true, false,
     [](const View&, const v1::Breaker& b) {
       return Cell{absl::StrCat(Sum(b.counts().refused()))};
     }},
    {"RATE", true, false,
     [](const View&, const v1::Breaker& b) {
       return Cell{b.window().has_failure_rate()
                       ? Percent(b.window().failure_rate())
                       : "-"};
     }},
    {"EVIDENCE", true, false,
     [](const View&, const v1::Breaker& b) {
       return Cell{b.has_evidence() ? Percent(b.evidence()) : "-"};
     }},
    {"SINCE", true, false,
     [](const View& view, const v1::Breaker& b) {
       return Cell{SinceText(view, b)};
     }},
    {"IN FLIGHT", true, true,
     [](const View&, const v1::Breaker& b) {
       return Cell{absl::StrCat(b.counts().in_flight())};
     }},
    {"SLOW", true, true,
     [](const View&, const v1::Breaker& b) {
       return Cell{absl::StrCat(b.counts().slow_calls())};
     }},
    {"LATE", true, true,
     [](const View&, const v1::Breaker& b) {
       return Cell{absl::StrCat(b.counts().late_results())};
     }},
    {"IGNORED", true, true,
     [](const View&, const v1::Breaker& b) {
       return Cell{absl::StrCat(b.counts().ignored())};
     }},
    {"UNTIL TRIP", true, true,
     [](const View&, const v1::Breaker& b) {
       return Cell{b.has_failures_until_trip()
                       ? absl::StrCat(b.failures_until_trip())
                       : "-"};
     }},
    {"LAST TRIP", false, true,
     [](const View&, const v1::Breaker& b) {
       return Cell{b.has_last_trip() ? Text(b.last_trip().reason()) : "-"};
     }},
    {"FAILING", false, true,
     [](const View&, const v1::Breaker& b) {
       return Cell{b.has_failing_peers() ? PeersText(b.failing_peers(), 1)
                                         : "-"};
     }},
};

// Of options, with what they settle.
constexpr std::pair<absl::string_view, absl::string_view> kOptionGroups[] = {
    {"trip", "When it opens"},
    {"open", "How long it stays open"},
    {"half_open", "How it comes back"},
    {"max_calls_in_flight", "How many calls at once"},
};

std::string ReasonText(const v1::Transition& transition) {
  const std::string reason = Text(transition.reason());
  const v1::Window& window = transition.window();
  const auto of_calls = [&](double rate) {
    return absl::StrCat(reason, " ", Percent(rate), " of ",
                        Several(window.calls(), "call"));
  };
  switch (transition.reason()) {
    case v1::FAILURE_RATE:
      return of_calls(window.failure_rate());
    case v1::SLOW_CALL_RATE:
      return of_calls(
          static_cast<double>(window.slow_calls()) /
          static_cast<double>(std::max<uint64_t>(window.calls(), 1)));
    case v1::CONSECUTIVE_FAILURES:
      return absl::StrCat(reason, " ", transition.consecutive_failures());
    case v1::EVIDENCE:
      return absl::StrCat(reason, ", ", window.failures(), " of ",
                          Several(window.calls(), "call"), " failed");
    default:
      return reason;
  }
}

// What a change rests on, with the peer that most failures came from.
std::string CauseText(const v1::Transition& transition) {
  const std::string peers = PeersText(transition.failing_peers(), 1);
  return absl::StrCat(ReasonText(transition), peers.empty() ? "" : ", ", peers);
}

std::string ChangeText(const v1::Transition& transition) {
  std::string text =
      absl::StrCat(Text(transition.from()), " -> ", Text(transition.to()));
  if (transition.has_open_for()) {
    absl::StrAppend(&text, " ", Human(transition.open_for()));
  }
  return text;
}

// The fields of numbers that are not 0: "90 successes, 6 failures".
std::string NumbersText(const google::protobuf::Message& message) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::vector<std::string> texts;
  for (const google::protobuf::FieldDescriptor* const field : fields) {
    if (field->is_repeated() ||
        field->cpp_type() !=
            google::protobuf::FieldDescriptor::CPPTYPE_UINT64) {
      continue;
    }
    texts.push_back(absl::StrCat(
        message.GetReflection()->GetUInt64(message, field), " ",
        absl::StrReplaceAll(std::string(field->name()), {{"_", " "}})));
  }
  return absl::StrJoin(texts, ", ");
}

// "20: 15 open, 5 ramp".
std::string RefusalsText(const v1::Refusals& refusals) {
  const uint64_t sum = Sum(refusals);
  return sum == 0 ? "0" : absl::StrCat(sum, ": ", NumbersText(refusals));
}

template <typename Codes>
std::string CodesText(const Codes& codes) {
  const std::string text =
      absl::StrJoin(codes, ", ", [](std::string* out, int code) {
        absl::StrAppend(out, Text(static_cast<v1::Code>(code)));
      });
  return text.empty() ? "none" : text;
}

// Rows of a label and what it labels; those without text are left out.
std::string Group(
    const View& view, absl::string_view title,
    const std::vector<std::pair<std::string, std::string>>& rows) {
  int width = 0;
  for (const auto& row : rows) width = std::max(width, Width(row.first));
  std::string text = absl::StrCat(title, "\n");
  for (const auto& [label, value] : rows) {
    if (value.empty()) continue;
    absl::StrAppend(&text, "  ", Paint(view, kGray, PadRight(label, width)),
                    "  ", value, "\n");
  }
  return text;
}

std::string StateDetails(const View& view, const v1::Breaker& b) {
  std::string text = Paint(view, ColorOf(b.state()), Text(b.state()));
  if (b.has_last_transition_time()) {
    absl::StrAppend(&text, " for ", SinceText(view, b));
  }
  if (b.has_open_remaining()) {
    absl::StrAppend(&text, ", ", Human(b.open_remaining()), " to go");
  }
  if (b.reopenings() > 0) {
    absl::StrAppend(&text, ", reopened ", Several(b.reopenings(), "time"));
  }
  if (b.state() == v1::HALF_OPEN) {
    absl::StrAppend(&text, ", probes: ", b.probes_in_flight(), " under way, ",
                    b.probe_successes(), " succeeded");
  }
  return text;
}

std::string ModeDetails(const View& view, const v1::Breaker& b) {
  std::string text = Paint(view, ColorOf(b), Text(b.mode()));
  if (b.has_mode_remaining()) {
    absl::StrAppend(&text, " for ", Human(b.mode_remaining()), ", then ",
                    Text(b.next_mode()));
  }
  if (b.unguarded()) absl::StrAppend(&text, ", unguarded: calls just pass");
  return text;
}

std::string TripDetails(const View& view, const v1::Breaker& b) {
  if (!b.has_last_trip()) return "none";
  const absl::Time time = FromProto(b.last_trip().time());
  return absl::StrCat(absl::FormatTime("%Y-%m-%d %H:%M:%S", time, view.zone),
                      ", ", Human(view.now - time),
                      " ago: ", ChangeText(b.last_trip()), ", ",
                      CauseText(b.last_trip()));
}

std::string WindowDetails(const v1::Window& window) {
  std::string text = Several(window.calls(), "call");
  if (window.calls() == 0) return text;
  absl::StrAppend(&text, ", ", window.failures(), " failed");
  if (window.has_failure_rate()) {
    absl::StrAppend(&text, " (", Percent(window.failure_rate()), ")");
  }
  return absl::StrCat(text, ", ", window.slow_calls(), " slow");
}

std::string InARowDetails(const v1::Breaker& b) {
  std::string text =
      absl::StrCat(Several(b.consecutive_failures(), "failure"), ", ",
                   b.consecutive_successes(),
                   b.consecutive_successes() == 1 ? " success" : " successes");
  if (b.has_failures_until_trip()) {
    absl::StrAppend(&text, "; at least ",
                    Several(b.failures_until_trip(), "failure"),
                    " in a row would open it");
  }
  return text;
}

}  // namespace

std::string Table(const View& view, const std::vector<Listed>& breakers) {
  if (breakers.empty()) return "no breakers\n";
  const bool has_addresses =
      std::any_of(breakers.begin(), breakers.end(),
                  [](const Listed& b) { return !b.address.empty(); });
  std::vector<std::vector<Cell>> rows(1);
  std::vector<bool> to_the_right;
  if (has_addresses) {
    rows[0].push_back({"ADDRESS", kGray});
    to_the_right.push_back(false);
  }
  for (const Column& column : kColumns) {
    if (column.wide && !view.wide) continue;
    rows[0].push_back({std::string(column.title), kGray});
    to_the_right.push_back(column.number);
  }
  for (const Listed& listed : breakers) {
    rows.emplace_back();
    if (has_addresses) rows.back().push_back({OrDash(listed.address)});
    for (const Column& column : kColumns) {
      if (column.wide && !view.wide) continue;
      rows.back().push_back(column.of(view, listed.breaker));
    }
  }
  std::vector<int> widths(rows[0].size());
  for (const std::vector<Cell>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], Width(row[i].text));
    }
  }
  std::string table;
  for (const std::vector<Cell>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string& text = row[i].text;
      const bool is_last = i + 1 == row.size();
      absl::StrAppend(&table, i == 0 ? "" : "  ",
                      Paint(view, row[i].color,
                            to_the_right[i] ? PadLeft(text, widths[i])
                            : is_last       ? text
                                            : PadRight(text, widths[i])));
    }
    table += '\n';
  }
  return table;
}

std::string Details(const View& view, const v1::Breaker& b) {
  const v1::Breaker::Counts& counts = b.counts();
  const auto join = [](const auto& parts, const auto& label) {
    return absl::StrJoin(parts, ", ", [&](std::string* out, const auto& part) {
      absl::StrAppend(out, label(part), " ", part.count());
    });
  };
  std::string text =
      Group(view, KeyText(b.key()),
            {{"state", StateDetails(view, b)},
             {"mode", ModeDetails(view, b)},
             {"last trip", TripDetails(view, b)},
             {"window", WindowDetails(b.window())},
             {"in a row", InARowDetails(b)},
             {"of late",
              PeersText(b.failing_peers(), b.failing_peers().peers_size())},
             {"evidence", b.has_evidence() ? absl::StrCat(Percent(b.evidence()),
                                                          " of what opens it")
                                           : ""}});
  absl::StrAppend(
      &text, "\n",
      Group(view, "Calls since it was made",
            {{"calls", absl::StrCat(Calls(counts))},
             {"admitted", NumbersText(counts)},
             {"refused", RefusalsText(counts.refused())},
             {"in shadow",
              counts.has_shadow_refused()
                  ? absl::StrCat("would have refused ",
                                 RefusalsText(counts.shadow_refused()))
                  : ""},
             {"statuses", join(counts.statuses(),
                               [](const v1::StatusCount& count) {
                                 return Text(count.code());
                               })},
             {"trips", join(counts.trips(),
                            [](const v1::TripCount& count) {
                              return Text(count.reason());
                            })},
             {"changes",
              join(counts.transitions(), [](const v1::TransitionCount& count) {
                return absl::StrCat(Text(count.from()), " -> ",
                                    Text(count.to()));
              })}}));
  if (b.has_classification()) {
    absl::StrAppend(
        &text, "\n",
        Group(view, "Classification, as configured",
              {{"failures", CodesText(b.classification().failures())},
               {"ignored", CodesText(b.classification().ignored())}}));
  }
  for (const auto& [group, title] : kOptionGroups) {
    google::protobuf::FieldMask fields;
    fields.add_paths(std::string(group));
    const auto assignments = Assignments(b.options(), fields);
    if (assignments.empty()) continue;
    absl::StrAppend(&text, "\n", title, "\n");
    for (const std::string& assignment : assignments) {
      absl::StrAppend(&text, "  ", assignment, "\n");
    }
  }
  return text;
}

std::string ModeLine(const v1::Breaker& breaker) {
  return absl::StrCat(KeyText(breaker.key()), ": mode ",
                      ModeDetails({}, breaker), "; state ",
                      Text(breaker.state()), "\n");
}

std::string UpdateLine(const v1::Breaker& breaker,
                       const google::protobuf::FieldMask& updated) {
  return absl::StrCat(
      KeyText(breaker.key()), ": ",
      absl::StrJoin(Assignments(breaker.options(), updated), " "), "\n");
}

std::string ResetLine(const v1::Breaker& breaker) {
  return absl::StrCat(KeyText(breaker.key()), ": reset; state ",
                      Text(breaker.state()), "\n");
}

std::string WatchText::Add(const View& view,
                           const v1::WatchResponse& response) {
  switch (response.event_case()) {
    case v1::WatchResponse::kSnapshot: {
      const auto& breakers = response.snapshot().breakers();
      snapshot_.insert(snapshot_.end(), breakers.begin(), breakers.end());
      if (!response.snapshot().complete()) return "";
      const std::string table =
          Table(view, {snapshot_.begin(), snapshot_.end()});
      for (const v1::Breaker& b : snapshot_) {
        name_width_ = std::max(name_width_, Width(OrDash(b.key().name())));
        method_width_ = std::max(method_width_, Width(MethodText(b.key())));
      }
      snapshot_.clear();
      return table;
    }
    case v1::WatchResponse::kTransition:
      return TransitionLine(view, response.transition());
    case v1::WatchResponse::kMissed:
      return Paint(view, kYellow,
                   absl::StrCat(
                       "... missed ",
                       Several(response.missed().transitions(), "change"),
                       "; as it is now:")) +
             "\n";
    default:
      return "";
  }
}

std::string WatchText::TransitionLine(const View& view,
                                      const v1::Transition& transition) {
  const std::string name = OrDash(transition.key().name());
  const std::string method = MethodText(transition.key());
  name_width_ = std::max(name_width_, Width(name));
  method_width_ = std::max(method_width_, Width(method));
  constexpr int kChangeWidth = 22;
  return absl::StrCat(
      absl::FormatTime("%H:%M:%E3S", FromProto(transition.time()), view.zone),
      "  ", PadRight(name, name_width_), "  ", PadRight(method, method_width_),
      "  ",
      Paint(view, ColorOf(transition.to()),
            PadRight(ChangeText(transition), kChangeWidth)),
      "  ", CauseText(transition), "\n");
}

}  // namespace autobreaker::breakerctl
