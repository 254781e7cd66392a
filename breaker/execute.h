// Runs a function through a breaker.
//
//   std::optional<Page> page = Execute(*breaker, [&] { return Load(url); });
//   if (!page.has_value()) return cached;  // refused
//
// The function is not run if the breaker refuses. What it returns is a success,
// unless `classify` says otherwise; what it throws is a failure, and goes on to
// the caller. (A permit that an exception leaves behind counts as abandoned,
// which says nothing of the server.)
//
// A template without state; as thread-safe as the function.
#ifndef AUTOBREAKER_BREAKER_EXECUTE_H_
#define AUTOBREAKER_BREAKER_EXECUTE_H_

#include <optional>
#include <type_traits>
#include <utility>

#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/permit.h"
#include "autobreaker/breaker/types.h"

namespace autobreaker {

// `classify` is given what `function` returned and answers an Outcome. Nothing
// if the call is refused; then `refusal`, if given, says why. What either
// throws is a failure.
template <typename Function, typename Classify>
std::optional<std::invoke_result_t<Function>> Execute(
    CircuitBreaker& breaker, Function&& function, Classify&& classify,
    Refusal* refusal = nullptr) {
  using Result = std::invoke_result_t<Function>;
  // The first record counts, so this one does if the call throws.
  struct FailsIfThrown {
    ~FailsIfThrown() { permit.Record(Outcome::kFailure); }
    Permit permit;
  } call{breaker.TryAcquire(refusal)};
  if (!call.permit) return std::nullopt;
  std::optional<Result> result(std::forward<Function>(function)());
  call.permit.Record(std::forward<Classify>(classify)(std::as_const(*result)));
  return result;
}

// Whatever the function returns is a success. If it returns nothing, the answer
// is whether it was run.
template <typename Function>
auto Execute(CircuitBreaker& breaker, Function&& function) {
  const auto succeeds = [](const auto&) { return Outcome::kSuccess; };
  if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
    const auto run = [&] {
      std::forward<Function>(function)();
      return true;
    };
    return Execute(breaker, run, succeeds).has_value();
  } else {
    return Execute(breaker, std::forward<Function>(function), succeeds);
  }
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_EXECUTE_H_
