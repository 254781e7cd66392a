// Tells a refusal of this process from one that another sent.
#ifndef AUTOBREAKER_INTERCEPTOR_INTERNAL_PROCESS_TOKEN_H_
#define AUTOBREAKER_INTERCEPTOR_INTERNAL_PROCESS_TOKEN_H_

#include <grpcpp/support/status.h>

#include <string>

namespace autobreaker {

// 32 random hexadecimal digits, which others know only from refusals that they
// were shown. A child of fork() has its parent's.
const std::string& ProcessToken();

// Puts zeros in the place of the token in the status's details.
void EraseProcessToken(grpc::Status* status);

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_INTERNAL_PROCESS_TOKEN_H_
