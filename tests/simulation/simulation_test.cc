// The simulator hands out calls and results as they would come.

#include "autobreaker/simulation/simulation.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "autobreaker/simulation/simulated_breaker.h"
#include "autobreaker/simulation/world.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

// What a breaker is told.
struct Told {
  std::vector<Nanos> asked;
  std::vector<std::pair<Nanos, bool>> finished;
};

class Listener final : public SimulatedBreaker {
 public:
  Listener(Told* told, bool admits) : told_(told), admits_(admits) {}
  std::optional<uint64_t> Admit(Nanos now) override {
    told_->asked.push_back(now);
    if (!admits_) return std::nullopt;
    return 0;
  }
  void Finish(uint64_t, Nanos now, bool failed) override {
    told_->finished.push_back({now, failed});
  }

 private:
  Told* const told_;
  const bool admits_;
};

Call MakeCall(Nanos at, Nanos ends, bool fails = false) {
  Call call;
  call.at = at;
  call.ends = ends;
  call.fails = fails;
  return call;
}

using Finished = std::vector<std::pair<Nanos, bool>>;

TEST(Simulation, ResultsComeWhenTheCallsEnd) {
  Told told;
  Simulation simulation(std::make_unique<Listener>(&told, true), 1);
  simulation.Ask(MakeCall(1, 10, true));
  simulation.Ask(MakeCall(2, 5));
  EXPECT_EQ(told.finished, Finished());
  simulation.Ask(MakeCall(7, 20));
  EXPECT_EQ(told.finished, (Finished{{5, false}}));
  simulation.Ask(MakeCall(10, 20));
  EXPECT_EQ(told.finished, (Finished{{5, false}, {10, true}}));
}

TEST(Simulation, RefusedCallsNeverEnd) {
  Told told;
  Simulation simulation(std::make_unique<Listener>(&told, false), 1);
  EXPECT_FALSE(simulation.Ask(MakeCall(1, 2)).admitted);
  simulation.Ask(MakeCall(3, 4));
  EXPECT_EQ(told.finished, Finished());
}

TEST(Simulation, ALimitedServerFailsWhatIsTooMuch) {
  Told told;
  Simulation simulation(std::make_unique<Listener>(&told, true),
                        /*capacity=*/50);
  int failed = 0;
  for (int i = 0; i < 1000; ++i) {
    Call call = MakeCall(i * Seconds(0.01), (i + 1) * Seconds(0.01));
    call.limited = true;
    if (simulation.Ask(call).fails) ++failed;
  }
  EXPECT_NEAR(failed, 500, 2);
}

TEST(Simulation, RefusedCallsAreNoLoad) {
  Told told;
  Simulation simulation(std::make_unique<Listener>(&told, false),
                        /*capacity=*/1);
  Call call = MakeCall(0, 1);
  call.limited = true;
  EXPECT_FALSE(simulation.Ask(call).fails);
  EXPECT_FALSE(simulation.Ask(call).fails);
}

}  // namespace
}  // namespace autobreaker::decisions
