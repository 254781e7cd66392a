// What breakers tell about themselves, as messages.
//
//   v1::Breaker message = ToProto(breaker->Snapshot());
//
// What has no value, such as the failure rate of an empty window or an infinite
// time, is not given.
//
// Thread-safety: free functions without state.
#ifndef AUTOBREAKER_ADMIN_INTERNAL_BREAKER_MESSAGES_H_
#define AUTOBREAKER_ADMIN_INTERNAL_BREAKER_MESSAGES_H_

#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/registered_breaker.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/breaker/types.h"
#include "autobreaker/proto/admin.pb.h"
#include "autobreaker/proto/config.pb.h"

namespace autobreaker {

v1::State ToProto(State state);
v1::TransitionReason ToProto(TransitionReason reason);

v1::Breaker ToProto(const RegisteredSnapshot& snapshot);
v1::Transition ToProto(const Transition& transition);
v1::Policy ToProto(const PolicyOrigin& origin);

// The key that a message of a breaker shows as `shown`: bytes that were
// replaced there, since they are not UTF-8, are as they were.
BreakerKey KeyShownAs(const v1::BreakerKey& shown);

}  // namespace autobreaker

#endif  // AUTOBREAKER_ADMIN_INTERNAL_BREAKER_MESSAGES_H_
