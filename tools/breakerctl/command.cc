#include "autobreaker/tools/breakerctl/command.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/tools/breakerctl/key.h"
#include "autobreaker/tools/breakerctl/options.h"

namespace autobreaker::breakerctl {
namespace {

constexpr char kHelp[] =
    R"(breakerctl looks at the circuit breakers of a running program, and overrules
them, through the program's service autobreaker.v1.BreakerAdmin.

  breakerctl list [KEY]                     a table of the breakers; a time after a
                                            state or mode is what is left of it
      --state=open,half-open                only those in one of these states
      --mode=shadow,forced-open             only those in one of these modes
  breakerctl watch [KEY]                    the table, then every change of state
  breakerctl get KEY                        everything about one breaker
  breakerctl set-mode KEY MODE              auto, forced-open, forced-closed or shadow
      --for=10m                             and back by itself after this time
  breakerctl update KEY FIELD=VALUE...      options, as get shows them:
                                            trip.minimum_calls=50 open.duration=2s
                                            trip.evidence=off
      --reset=FIELD,...                     back to what the program has; "trip" is
                                            all of that group
  breakerctl reset KEY                      closes it, and lets it forget what it
                                            judged by
  breakerctl config check FILE              whether a configuration is good; asks no
                                            program
      --against=HOST:PORT                   asks that one which breakers it is for
  breakerctl config explain KEY             from whom each option of a breaker is

KEY is name/package.Service/Method, or whole parts of it, as "PlaceOrder",
"Orders/PlaceOrder" or "payments". Where one breaker is meant, it must be the
only one; with --all, set-mode, update and reset take every one.

  --address=HOST:PORT,...
                       where the service is; else $BREAKERCTL_ADDRESS, or else
                       127.0.0.1:8081; a socket is unix:/run/shop/admin.sock.
                       Of several, or a name of several hosts, each is asked
  --tls                over TLS; each of the next five means it, too
      --ca=FILE            who signs the server's certificate; else whom the
                           system trusts
      --cert=FILE --cert-key=FILE
                           breakerctl's own certificate and its key
      --server-name=NAME   the name in the server's certificate, if it is not
                           that of the address
      --token-file=FILE    a bearer token, sent with each call
  --output=table       or wide, with more columns, or json, one object a line
  --color=auto         or always, or never; auto is on a terminal, unless
                       $NO_COLOR is set
  --timeout=5s         how long to wait at most; watch waits so long for the
                       connection, and asks every six times as long whether the
                       program is still there

  breakerctl completion bash   a script for bash: source <(breakerctl completion bash)
  breakerctl --version         the version

Exit codes: 0 done; 1 the service cannot be reached, or failed; 2 the command or
a value in it is wrong, or KEY could be several breakers; 3 no such breaker;
4 the program does not allow it, or not now. Of several addresses, that of the
first at which it was not done.
)";

template <typename Enum>
struct Choice {
  absl::string_view word;
  Enum value;
};

constexpr Choice<Output> kOutputs[] = {
    {"table", Output::kTable},
    {"wide", Output::kWide},
    {"json", Output::kJson},
};

constexpr Choice<Color> kColors[] = {
    {"auto", Color::kAuto},
    {"always", Color::kAlways},
    {"never", Color::kNever},
};

template <typename Enum, size_t n>
std::vector<std::string> WordsOf(const Choice<Enum> (&choices)[n]) {
  std::vector<std::string> words;
  for (const Choice<Enum>& choice : choices) words.emplace_back(choice.word);
  return words;
}

// All of an enum, "half-open" for HALF_OPEN.
template <typename Descriptor>
std::vector<std::string> WordsOf(const Descriptor& descriptor) {
  std::vector<std::string> words;
  for (int i = 0; i < descriptor.value_count(); ++i) {
    words.push_back(absl::StrReplaceAll(
        absl::AsciiStrToLower(descriptor.value(i)->name()), {{"_", "-"}}));
  }
  return words;
}

absl::Status Wrong(absl::string_view message) {
  return absl::InvalidArgumentError(message);
}

// "Forced-Open" as "FORCED_OPEN", the way enums are written.
std::string EnumName(absl::string_view text) {
  return absl::StrReplaceAll(absl::AsciiStrToUpper(text), {{"-", "_"}});
}

std::optional<v1::Mode> ParseMode(absl::string_view text) {
  const std::string name = EnumName(text);
  if (name == "AUTO") return v1::AUTOMATIC;
  if (name == "OPEN") return v1::FORCED_OPEN;
  if (name == "CLOSED") return v1::FORCED_CLOSED;
  v1::Mode mode;
  if (!v1::Mode_Parse(name, &mode)) return std::nullopt;
  return mode;
}

absl::Status WrongMode(absl::string_view what, absl::string_view text) {
  return Wrong(absl::StrCat(
      what, " takes auto, forced-open, forced-closed or shadow, not \"",
      Printable(text), "\""));
}

absl::Status WrongDuration(absl::string_view what, absl::string_view text) {
  return Wrong(absl::StrCat(what,
                            " takes a duration such as 10m or 1m30s, not \"",
                            Printable(text), "\""));
}

// Each takes what is given to a flag.
absl::Status SetAddresses(absl::string_view flag, absl::string_view value,
                          Command* command) {
  command->addresses.clear();
  for (const absl::string_view address : absl::StrSplit(value, ',')) {
    if (address.empty()) {
      return Wrong(absl::StrCat(flag, " must not be empty"));
    }
    if (absl::c_linear_search(command->addresses, address)) {
      return Wrong(absl::StrCat(flag, " has ", Printable(address), " twice"));
    }
    command->addresses.emplace_back(address);
  }
  return absl::OkStatus();
}

absl::Status SetAddress(absl::string_view value, Command* command) {
  return SetAddresses("--address", value, command);
}

absl::Status SetAgainst(absl::string_view value, Command* command) {
  command->against = true;
  return SetAddresses("--against", value, command);
}

template <std::string Security::*field>
absl::Status SetSecurity(absl::string_view value, Command* command) {
  if (value.empty()) return Wrong("a file or name for TLS must not be empty");
  command->security.tls = true;
  command->security.*field = std::string(value);
  return absl::OkStatus();
}

absl::Status SetTls(absl::string_view, Command* command) {
  command->security.tls = true;
  return absl::OkStatus();
}

absl::Status SetTimeout(absl::string_view value, Command* command) {
  if (!absl::ParseDuration(value, &command->timeout)) {
    return WrongDuration("--timeout", value);
  }
  if (command->timeout <= absl::ZeroDuration()) {
    return Wrong("--timeout must be above 0");
  }
  return absl::OkStatus();
}

// The one of `words` that `value` is.
template <typename Enum, size_t n>
absl::Status SetOneOf(const char* flag, const Choice<Enum> (&choices)[n],
                      absl::string_view value, Enum* which) {
  for (const Choice<Enum>& choice : choices) {
    if (choice.word != value) continue;
    *which = choice.value;
    return absl::OkStatus();
  }
  return Wrong(absl::StrCat(flag, " takes ",
                            absl::StrJoin(WordsOf(choices), ", "), ", not \"",
                            Printable(value), "\""));
}

absl::Status SetOutput(absl::string_view value, Command* command) {
  return SetOneOf("--output", kOutputs, value, &command->output);
}

absl::Status SetColor(absl::string_view value, Command* command) {
  return SetOneOf("--color", kColors, value, &command->color);
}

absl::Status SetAll(absl::string_view, Command* command) {
  command->all = true;
  return absl::OkStatus();
}

absl::Status AddStates(absl::string_view value, Command* command) {
  for (const absl::string_view text : absl::StrSplit(value, ',')) {
    v1::State state;
    if (!v1::State_Parse(EnumName(text), &state)) {
      return Wrong(
          absl::StrCat("--state takes closed, open or half-open, not \"",
                       Printable(text), "\""));
    }
    command->list.mutable_filter()->add_states(state);
  }
  return absl::OkStatus();
}

absl::Status AddModes(absl::string_view value, Command* command) {
  for (const absl::string_view text : absl::StrSplit(value, ',')) {
    const std::optional<v1::Mode> mode = ParseMode(text);
    if (!mode.has_value()) return WrongMode("--mode", text);
    command->list.mutable_filter()->add_modes(*mode);
  }
  return absl::OkStatus();
}

absl::Status SetFor(absl::string_view value, Command* command) {
  if (!ParseDuration(value, command->set_mode.mutable_duration())) {
    return WrongDuration("--for", value);
  }
  return absl::OkStatus();
}

absl::Status AddResets(absl::string_view value, Command* command) {
  for (const absl::string_view field : absl::StrSplit(value, ',')) {
    const absl::Status status = AddReset(field, &command->update);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

struct Flag {
  absl::string_view name;
  absl::Status (*set)(absl::string_view value, Command* command);
  bool has_value = true;
  std::vector<Verb> only_for = {};       // all if empty
  std::vector<std::string> values = {};  // for completion
};

const std::vector<Flag>& Flags() {
  static const std::vector<Flag>& flags = *new std::vector<Flag>{
      {"address", SetAddress},
      {"tls", SetTls, false},
      {"ca", SetSecurity<&Security::ca>},
      {"cert", SetSecurity<&Security::cert>},
      {"cert-key", SetSecurity<&Security::cert_key>},
      {"server-name", SetSecurity<&Security::server_name>},
      {"token-file", SetSecurity<&Security::token_file>},
      {"timeout", SetTimeout},
      {"output",
       SetOutput,
       true,
       {Verb::kList, Verb::kWatch, Verb::kGet, Verb::kSetMode, Verb::kUpdate,
        Verb::kReset, Verb::kConfigExplain},
       WordsOf(kOutputs)},
      {"color", SetColor, true, {}, WordsOf(kColors)},
      {"state",
       AddStates,
       true,
       {Verb::kList},
       WordsOf(*v1::State_descriptor())},
      {"mode", AddModes, true, {Verb::kList}, ModeWords()},
      {"for", SetFor, true, {Verb::kSetMode}},
      {"against", SetAgainst, true, {Verb::kConfigCheck}},
      {"reset", AddResets, true, {Verb::kUpdate}},
      {"all", SetAll, false, {Verb::kSetMode, Verb::kUpdate, Verb::kReset}},
  };
  return flags;
}

struct VerbName {
  absl::string_view name;
  Verb verb;
  absl::string_view usage;
};

constexpr VerbName kVerbs[] = {
    {"list", Verb::kList, "list [KEY]"},
    {"watch", Verb::kWatch, "watch [KEY]"},
    {"get", Verb::kGet, "get KEY"},
    {"set-mode", Verb::kSetMode, "set-mode KEY MODE"},
    {"update", Verb::kUpdate, "update KEY FIELD=VALUE..."},
    {"reset", Verb::kReset, "reset KEY"},
    {"config check", Verb::kConfigCheck, "config check FILE"},
    {"config explain", Verb::kConfigExplain, "config explain KEY"},
    {"completion", Verb::kCompletion, "completion bash"},
    {"help", Verb::kHelp, "help"},
};

// What the words of a command line are: flags with their values, and others.
struct Words {
  std::vector<std::pair<const Flag*, std::string>> flags;
  std::vector<std::string> others;
  bool help = false;
  bool version = false;
};

absl::StatusOr<Words> SortWords(const std::vector<std::string>& arguments) {
  Words words;
  for (auto it = arguments.begin(); it != arguments.end(); ++it) {
    absl::string_view word = *it;
    if (word == "--") {  // nothing after it is a flag
      words.others.insert(words.others.end(), it + 1, arguments.end());
      break;
    }
    if (word == "--help" || word == "-h") {
      words.help = true;
      continue;
    }
    if (word == "--version") {
      words.version = true;
      continue;
    }
    if (!absl::ConsumePrefix(&word, "--")) {
      words.others.push_back(*it);
      continue;
    }
    const size_t equals = std::min(word.find('='), word.size());
    const absl::string_view name = word.substr(0, equals);
    const auto flag =
        std::find_if(Flags().begin(), Flags().end(),
                     [name](const Flag& f) { return f.name == name; });
    if (flag == Flags().end()) {
      return Wrong(absl::StrCat("no flag --", Printable(name)));
    }
    const bool has_value = equals < word.size();
    if (has_value && !flag->has_value) {
      return Wrong(absl::StrCat("--", name, " takes no value"));
    }
    if (has_value || !flag->has_value) {
      words.flags.emplace_back(&*flag,
                               has_value ? word.substr(equals + 1) : "");
    } else if (std::next(it) != arguments.end()) {
      words.flags.emplace_back(&*flag, *++it);
    } else {
      return Wrong(absl::StrCat("--", name, " needs a value"));
    }
  }
  return words;
}

// What follows the command and is no flag.
absl::Status TakeOthers(const VerbName& verb,
                        const std::vector<std::string>& others,
                        Command* command) {
  if (verb.verb == Verb::kCompletion) {
    if (others == std::vector<std::string>{"bash"}) return absl::OkStatus();
    return Wrong("completion is for bash alone: breakerctl completion bash");
  }
  const bool takes_file = verb.verb == Verb::kConfigCheck;
  const bool key_needed = verb.verb != Verb::kList && verb.verb != Verb::kWatch;
  if (key_needed && (others.empty() || others[0].empty())) {
    return Wrong(absl::StrCat(takes_file ? "FILE" : "KEY",
                              " is missing: breakerctl ", verb.usage));
  }
  if (!others.empty()) {
    (takes_file ? command->config_file : command->key) = others[0];
  }
  size_t taken = 1;
  if (verb.verb == Verb::kSetMode) {
    if (others.size() < 2) {
      return Wrong(absl::StrCat("MODE is missing: breakerctl ", verb.usage));
    }
    const std::optional<v1::Mode> mode = ParseMode(others[1]);
    if (!mode.has_value()) return WrongMode("MODE", others[1]);
    command->set_mode.set_mode(*mode);
    taken = 2;
  }
  if (verb.verb == Verb::kUpdate) {
    for (; taken < others.size(); ++taken) {
      const absl::Status status =
          AddAssignment(others[taken], &command->update);
      if (!status.ok()) return status;
    }
    if (command->update.update_mask().paths().empty()) {
      return Wrong(absl::StrCat("nothing to update: breakerctl ", verb.usage));
    }
  }
  if (others.size() > taken) {
    return Wrong(absl::StrCat("unexpected \"", Printable(others[taken]),
                              "\": breakerctl ", verb.usage));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Command> ParseCommand(const std::vector<std::string>& arguments,
                                     absl::string_view address) {
  Command command;
  absl::StatusOr<Words> words = SortWords(arguments);
  if (!words.ok()) return words.status();
  std::vector<std::string>& others = words->others;
  if (words->help) return command;
  if (words->version) {
    command.verb = Verb::kVersion;
    return command;
  }
  if (others.empty()) return Wrong("what to do? \"breakerctl help\" tells");
  if (others[0] == "config" && others.size() > 1) {  // a command of two words
    others[0] = absl::StrCat("config ", others[1]);
    others.erase(others.begin() + 1);
  }
  const auto verb =
      std::find_if(std::begin(kVerbs), std::end(kVerbs),
                   [&](const VerbName& v) { return v.name == others[0]; });
  if (verb == std::end(kVerbs)) {
    return Wrong(absl::StrCat(
        "no command \"", Printable(others[0]), "\"; there are ",
        absl::StrJoin(kVerbs, ", ", [](std::string* out, const VerbName& v) {
          absl::StrAppend(out, v.name);
        })));
  }
  if (verb->verb == Verb::kHelp) return command;
  command.verb = verb->verb;
  others.erase(others.begin());
  for (const auto& [flag, value] : words->flags) {
    const std::vector<Verb>& only_for = flag->only_for;
    if (!only_for.empty() && std::find(only_for.begin(), only_for.end(),
                                       verb->verb) == only_for.end()) {
      return Wrong(absl::StrCat("--", flag->name, " is not for ", verb->name));
    }
    if (const absl::Status status = flag->set(value, &command); !status.ok()) {
      return status;
    }
  }
  if (command.addresses.empty()) {
    const absl::Status status =
        SetAddresses("$BREAKERCTL_ADDRESS", address, &command);
    if (!status.ok()) return status;
  }
  if (command.security.cert.empty() != command.security.cert_key.empty()) {
    return Wrong("--cert and --cert-key go together");
  }
  if (const absl::Status status = TakeOthers(*verb, others, &command);
      !status.ok()) {
    return status;
  }
  return command;
}

absl::string_view HelpText() { return kHelp; }

std::vector<std::string> VerbWords() {
  std::vector<std::string> words;
  for (const VerbName& verb : kVerbs) words.emplace_back(verb.name);
  return words;
}

std::vector<FlagWords> FlagsOf(absl::string_view verb) {
  const auto which =
      std::find_if(std::begin(kVerbs), std::end(kVerbs),
                   [verb](const VerbName& v) { return v.name == verb; });
  std::vector<FlagWords> words;
  for (const Flag& flag : Flags()) {
    if (flag.only_for.empty() ||
        (which != std::end(kVerbs) &&
         absl::c_linear_search(flag.only_for, which->verb))) {
      words.push_back({std::string(flag.name), flag.has_value, flag.values});
    }
  }
  return words;
}

std::vector<std::string> ModeWords() { return WordsOf(*v1::Mode_descriptor()); }

}  // namespace autobreaker::breakerctl
