#include "autobreaker/tests/interceptor/shop_calls.h"

#include "absl/strings/match.h"

namespace autobreaker {

const std::vector<ShopCall>& AllShopCalls() {
  static const auto* const all = [] {
    auto* const calls = new std::vector<ShopCall>;
    for (const auto& of_one_api :
         {SyncCalls(), QueueCalls(), CallbackCalls(), GenericCalls()}) {
      calls->insert(calls->end(), of_one_api.begin(), of_one_api.end());
    }
    return calls;
  }();
  return *all;
}

const std::vector<ShopCall>& PlainShopCalls() {
  static const auto* const plain = [] {
    auto* const calls = new std::vector<ShopCall>;
    for (const ShopCall& call : AllShopCalls()) {
      if (absl::EndsWith(call.name, kPlain.name) &&
          !absl::StartsWith(call.name, "Generic")) {
        calls->push_back(call);
      }
    }
    return calls;
  }();
  return *plain;
}

}  // namespace autobreaker
