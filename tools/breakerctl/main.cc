// breakerctl: looks at the circuit breakers of a running program and overrules
// them, through the program's service autobreaker.v1.BreakerAdmin. See
// "breakerctl help".
//
// Exit codes:
// - 0: done; also a watch that was ended by Ctrl-C or SIGTERM, and a closed
//   pipe, as in "breakerctl watch | head -1"
// - 1: the service cannot be reached, or failed
// - 2: the command or a value in it is wrong, or a key could be several
// - 3: no such breaker
// - 4: the program does not allow it, or not now
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "autobreaker/tools/breakerctl/client.h"
#include "autobreaker/tools/breakerctl/command.h"
#include "autobreaker/tools/breakerctl/completion.h"

namespace autobreaker::breakerctl {
namespace {

int ExitCode(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kInvalidArgument:
      return 2;
    case absl::StatusCode::kNotFound:
      return 3;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kFailedPrecondition:
      return 4;
    default:
      return 1;
  }
}

// There is nothing to clean up: the service sees the connection close.
void EndWell(int) { _exit(0); }

// Even while nothing changes, so that nothing would be written.
void EndWhenOutputIsClosed() {
  std::thread([] {
    pollfd output = {STDOUT_FILENO, 0, 0};
    while (poll(&output, 1, -1) < 0) {
    }
    EndWell(0);
  }).detach();
}

// For the script of "completion bash": prints what may follow.
int Complete(const std::vector<std::string>& words, const char* address) {
  const auto keys = [address](std::vector<std::string> asks) {
    asks.insert(asks.begin(), "list");
    absl::StatusOr<Command> command = ParseCommand(asks, address);
    if (!command.ok()) return std::vector<std::string>();
    command->timeout = absl::Seconds(1);
    return KeysAt(*command);
  };
  for (const std::string& word : Completions(words, keys)) {
    absl::PrintF("%s\n", word);
  }
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  const char* address = std::getenv("BREAKERCTL_ADDRESS");
  if (address == nullptr || *address == '\0') address = "127.0.0.1:8081";
  if (arguments.size() > 1 && arguments[0] == "complete" &&
      arguments[1] == "--") {
    return Complete({arguments.begin() + 2, arguments.end()}, address);
  }
  const absl::StatusOr<Command> command = ParseCommand(arguments, address);
  if (command.ok() && command->verb == Verb::kWatch) {
    std::signal(SIGINT, EndWell);
    std::signal(SIGTERM, EndWell);
    EndWhenOutputIsClosed();
  }
  const absl::Status status =
      command.ok() ? RunCommand(*command) : command.status();
  if (!status.ok()) absl::FPrintF(stderr, "breakerctl: %s\n", status.message());
  return ExitCode(status);
}

}  // namespace
}  // namespace autobreaker::breakerctl

int main(int argc, char** argv) {
  return autobreaker::breakerctl::Main({argv + 1, argv + argc});
}
