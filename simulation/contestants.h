// The breakers that are compared, each in its settings.
#ifndef AUTOBREAKER_SIMULATION_CONTESTANTS_H_
#define AUTOBREAKER_SIMULATION_CONTESTANTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "autobreaker/simulation/simulated_breaker.h"

namespace autobreaker::decisions {

enum class Role {
  kOurs,
  kNone,         // no breaker
  kPeerDefault,  // that of others, as it comes
  kPeerGrid,     // and in a setting that is tried
};

struct Contestant {
  std::string breaker;
  std::string setting;
  Role role = Role::kNone;
  std::function<std::unique_ptr<SimulatedBreaker>(uint64_t seed)> make;

  std::string Name() const { return breaker + " " + setting; }
};

// Names of settings that reports look for.
inline constexpr absl::string_view kOurs = "this breaker";
inline constexpr absl::string_view kDefault = "default";
inline constexpr absl::string_view kPlain = "no tolerated burst";

// All of them.
std::vector<Contestant> AllContestants();

// Ours, none and peers, each with its default settings.
std::vector<Contestant> AsTheyCome();

// Parts of it.
void AddOurs(std::vector<Contestant>* all);
void AddPeers(std::vector<Contestant>* all);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_CONTESTANTS_H_
