// The command line of breakerctl, as a value.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_COMMAND_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/proto/admin.pb.h"

namespace autobreaker::breakerctl {

enum class Verb {
  kHelp,
  kVersion,
  kList,
  kWatch,
  kGet,
  kSetMode,
  kUpdate,
  kReset,
  kConfigCheck,
  kConfigExplain,
  kCompletion,
};

enum class Output { kTable, kWide, kJson };
enum class Color { kAuto, kAlways, kNever };

// Paths of files are empty if they are not given.
struct Security {
  bool tls = false;  // else in the clear
  std::string ca;    // who signs servers; else those whom the system trusts
  std::string cert;  // breakerctl's own, and its private key
  std::string cert_key;
  std::string server_name;  // as in the server's certificate, if not --address
  std::string token_file;
};

struct Command {
  Verb verb = Verb::kHelp;
  std::vector<std::string> addresses;  // at least one, none twice
  Security security;
  absl::Duration timeout = absl::Seconds(5);
  Output output = Output::kTable;
  Color color = Color::kAuto;
  // See breakerctl_key.h. Empty for all, where that may be.
  std::string key;
  bool all = false;  // every breaker that `key` is part of
  std::string config_file;
  bool against = false;  // `config_file` is for the programs at `addresses`
  // The requests, but for keys and pages.
  v1::ListRequest list;
  v1::SetModeRequest set_mode;
  v1::UpdateRequest update;
};

// INVALID_ARGUMENT that says what cannot be. `arguments` are those after the
// program's name; `address` is for where they give none, and may be several.
//
// Flags are read here and not by absl::ParseCommandLine: they differ by
// command, and a mistake must end with the exit code of one.
absl::StatusOr<Command> ParseCommand(const std::vector<std::string>& arguments,
                                     absl::string_view address);

// What "breakerctl help" prints.
absl::string_view HelpText();

// What may stand where, for completion.
struct FlagWords {
  std::string name;
  bool has_value;
  std::vector<std::string> values;  // all there are, or none if there are many
};
std::vector<std::string> VerbWords();
// Those of one command, "config check" for example; of every command, if empty.
std::vector<FlagWords> FlagsOf(absl::string_view verb);
std::vector<std::string> ModeWords();

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_COMMAND_H_
