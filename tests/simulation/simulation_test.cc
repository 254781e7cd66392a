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
  std::vector<Nanos> progress;
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
  void Progress(uint64_t, Nanos now) override {
    told_->progress.push_back(now);
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
  Simulation simulation(std::make_unique<Listener>(&told, true));
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
  Simulation simulation(std::make_unique<Listener>(&told, false));
  EXPECT_FALSE(simulation.Ask(MakeCall(1, 2)).admitted);
  simulation.Ask(MakeCall(3, 4));
  EXPECT_EQ(told.finished, Finished());
}

TEST(Simulation, ProgressComesBeforeTheEnd) {
  Told told;
  Simulation simulation(std::make_unique<Listener>(&told, true));
  Call stream = MakeCall(1, 100);
  stream.progress = 5;
  simulation.Ask(stream);
  simulation.Ask(MakeCall(7, 200));
  EXPECT_EQ(told.progress, std::vector<Nanos>{5});
  EXPECT_EQ(told.finished, Finished());
}

TEST(Simulation, WhatTheServerFailsEndsWhenItSaysSo) {
  Told told;
  Simulation simulation(std::make_unique<Listener>(&told, true));
  Call call = MakeCall(1, 100);
  call.backends = 2;
  call.dead_backend = 0;
  call.fails_at = 5;
  EXPECT_TRUE(simulation.Ask(call).fails);
  simulation.Ask(MakeCall(7, 200));
  EXPECT_EQ(told.finished, (Finished{{5, true}}));
}

}  // namespace
}  // namespace autobreaker::decisions
