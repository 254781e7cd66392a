// A change that somebody made to a breaker through BreakerAdminService. A plain
// value, for BreakerAdminOptions::audit.
//
//   options.audit = [](const autobreaker::AdminChange& change) {
//     std::clog << ToString(change) << "\n";
//   };
//
// That line is, for example:
//
//   SetMode of {name "payments"} by ipv4:10.0.0.7:51234 (alice): mode:
//   AUTOMATIC -> FORCED_OPEN, state: CLOSED -> OPEN
#ifndef AUTOBREAKER_ADMIN_ADMIN_CHANGE_H_
#define AUTOBREAKER_ADMIN_ADMIN_CHANGE_H_

#include <string>

#include "autobreaker/breaker/registered_breaker.h"

namespace autobreaker {

struct AdminChange {
  std::string method;  // of the service: Update, SetMode or Reset
  std::string peer;    // where the call came from, such as ipv4:10.0.0.7:50412
  // Who made it, as gRPC authenticated it, such as by a TLS certificate; empty
  // if it did not.
  std::string identity;
  // The breaker just before and just after. What others did to it in between
  // shows, too.
  RegisteredSnapshot before;
  RegisteredSnapshot after;
};

// One line that only shows: who, what, and what differs of options, mode and
// state.
std::string ToString(const AdminChange& change);

}  // namespace autobreaker

#endif  // AUTOBREAKER_ADMIN_ADMIN_CHANGE_H_
