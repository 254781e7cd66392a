// One call of every kind to the Shop service, in the synchronous and the
// callback API, told as what the application saw.
#ifndef AUTOBREAKER_TESTS_SHOP_CALLS_H_
#define AUTOBREAKER_TESTS_SHOP_CALLS_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "proto/shop.grpc.pb.h"

namespace autobreaker {

struct Observed {
  grpc::Status status;
  // Each step's result in order, for example "write 0", "read 1"; of steps of
  // the same kind that went alike, one.
  std::vector<std::string> steps;
  std::multimap<std::string, std::string> trailing_metadata;
};

struct ShopCall {
  std::string name;  // e.g. "UnarySync"
  std::string method;
  std::function<Observed(shop::Shop::Stub*, grpc::ClientContext*)> run;
  // The steps of a call that goes well, and those of a refused one.
  std::vector<std::string> steps_of_success;
  std::vector<std::string> steps_of_refusal;

  friend std::ostream& operator<<(std::ostream& os, const ShopCall& call) {
    return os << call.name;
  }
};

// A call in every kind and API.
const std::vector<ShopCall>& AllShopCalls();

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_SHOP_CALLS_H_
