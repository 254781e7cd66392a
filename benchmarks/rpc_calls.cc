// Makes so many synchronous calls over TCP and nothing else, for
// rpc_instructions.sh to count the instructions of.
//
//   rpc_calls --serve                       prints its address; serves until
//                                           its standard input ends
//   rpc_calls --target=ADDRESS --variant=none|idle|closed|open --calls=N

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/base/attributes.h"
#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "autobreaker/benchmarks/rpc_variants.h"

ABSL_FLAG(bool, serve, false, "be the server");
ABSL_FLAG(std::string, target, "", "the address of a server");
ABSL_FLAG(std::string, variant, "none", "none, idle, closed or open");
ABSL_FLAG(int, calls, 0, "how many calls to make");

namespace autobreaker {
namespace {

// callgrind is told to count in here, and by name.
ABSL_ATTRIBUTE_NOINLINE void CountedCalls(shop::Shop::Stub* stub,
                                          Variant variant, int calls) {
  for (; calls > 0; --calls) CallSynchronously(stub, variant);
}

int Serve() {
  EmptyShop shop;
  std::printf("%s\n", shop.address().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return EXIT_SUCCESS;
}

int Call() {
  const std::string name = absl::GetFlag(FLAGS_variant);
  const auto* const variant =
      std::find_if(std::begin(kVariants), std::end(kVariants),
                   [&name](Variant v) { return name == NameOf(v); });
  if (variant == std::end(kVariants)) {
    std::fprintf(stderr, "no such variant: %s\n", name.c_str());
    return EXIT_FAILURE;
  }
  const auto stub = ConnectOverTcp(absl::GetFlag(FLAGS_target), *variant);
  // Connects, and fills gRPC's pools.
  for (int i = 0; i < 100; ++i) CallSynchronously(stub.get(), *variant);
  CountedCalls(stub.get(), *variant, absl::GetFlag(FLAGS_calls));
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace autobreaker

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("makes unary calls over loopback TCP");
  absl::ParseCommandLine(argc, argv);
  return absl::GetFlag(FLAGS_serve) ? autobreaker::Serve()
                                    : autobreaker::Call();
}
