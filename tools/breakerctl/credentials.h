// How breakerctl proves who it is, and finds out who answers.
#ifndef AUTOBREAKER_TOOLS_BREAKERCTL_CREDENTIALS_H_
#define AUTOBREAKER_TOOLS_BREAKERCTL_CREDENTIALS_H_

#include <grpcpp/security/credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "autobreaker/tools/breakerctl/command.h"

namespace autobreaker::breakerctl {

// INVALID_ARGUMENT that names the flag and the file if one cannot be read.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(
    const Security& security);

}  // namespace autobreaker::breakerctl

#endif  // AUTOBREAKER_TOOLS_BREAKERCTL_CREDENTIALS_H_
