// Calls to the Shop service in every kind, API and manner that gRPC has, told
// as what the application saw.
#ifndef AUTOBREAKER_TESTS_INTERCEPTOR_SHOP_CALLS_H_
#define AUTOBREAKER_TESTS_INTERCEPTOR_SHOP_CALLS_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "autobreaker/tests/interceptor/call_notes.h"

namespace autobreaker {

// What there is to do a call with.
struct CallSite {
  std::shared_ptr<grpc::Channel> channel;
  grpc::ClientContext* context = nullptr;
  // Returns when the server has the call; at once if it is never to have it.
  std::function<void()> await_server = [] {};
};

// How a call deviates from the usual way to make it.
struct Manner {
  std::string name;
  bool corked = false;      // nothing is sent before the first message
  bool wait = false;        // waits for the initial metadata
  bool late = false;        // writes only when the call has long been started
  bool read_first = false;  // asks for a message before it writes one
  bool last = false;        // the last write says that it is the last
};

// The parts of names of calls.
inline const Manner kPlain{"Plain"};
inline const Manner kCorked{"Corked", /*corked=*/true};
inline const Manner kWait{"Wait", false, /*wait=*/true};
inline const Manner kLate{"LateWrite", false, false, /*late=*/true};
inline const Manner kReadFirst{"ReadFirst", false, false, false,
                               /*read_first=*/true};
inline const Manner kLast{"WriteLast",  false, false, false, false,
                          /*last=*/true};
inline const Manner kCorkedLate{"CorkedLateWrite", true, false, true};
inline const Manner kCorkedReadFirst{"CorkedReadFirst", true, false, false,
                                     true};
inline const Manner kCorkedLast{
    "CorkedWriteLast", true, false, false, false, true};

struct ShopCall {
  std::string name;  // e.g. "BidiCallbackCorked"
  std::string method;
  std::function<Observed(const CallSite&)> run;
  // The steps of a call that the server answers, and those of a refused one.
  std::string steps_of_success;
  std::string steps_of_refusal;

  friend std::ostream& operator<<(std::ostream& os, const ShopCall& call) {
    return os << call.name;
  }
};

// By API: what generated stubs have, and GenericStub with its template.
std::vector<ShopCall> SyncCalls();
std::vector<ShopCall> QueueCalls();
std::vector<ShopCall> CallbackCalls();
std::vector<ShopCall> GenericCalls();

// All of them, and those of generated stubs that are made the usual way.
const std::vector<ShopCall>& AllShopCalls();
const std::vector<ShopCall>& PlainShopCalls();

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_INTERCEPTOR_SHOP_CALLS_H_
