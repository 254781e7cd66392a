#include "autobreaker/tools/breakerctl/credentials.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "autobreaker/breaker/internal/utf8.h"

namespace autobreaker::breakerctl {
namespace {

// Nothing if no file is named.
absl::Status ReadFile(absl::string_view flag, const std::string& path,
                      std::string* text) {
  if (path.empty()) return absl::OkStatus();
  std::ifstream file(path, std::ios::binary);
  if (file) text->assign(std::istreambuf_iterator<char>(file), {});
  if (file.is_open() && !file.bad() && !text->empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      flag, ": ", Printable(path), ": ",
      file.is_open() ? "is empty or cannot be read" : std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(
    const Security& security) {
  if (!security.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  std::string token;
  for (const absl::Status& status :
       {ReadFile("--ca", security.ca, &options.pem_root_certs),
        ReadFile("--cert", security.cert, &options.pem_cert_chain),
        ReadFile("--cert-key", security.cert_key, &options.pem_private_key),
        ReadFile("--token-file", security.token_file, &token)}) {
    if (!status.ok()) return status;
  }
  std::shared_ptr<grpc::ChannelCredentials> credentials =
      grpc::SslCredentials(options);
  if (token.empty()) return credentials;
  absl::StripAsciiWhitespace(&token);
  return grpc::CompositeChannelCredentials(credentials,
                                           grpc::AccessTokenCredentials(token));
}

}  // namespace autobreaker::breakerctl
