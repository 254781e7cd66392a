// Watches whose readers are slow, or come and go, while states keep changing.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "autobreaker/admin/internal/breaker_watch.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/tests/admin/admin_server.h"
#include "autobreaker/tests/admin/watch_picture.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using Breakers = std::vector<std::shared_ptr<CircuitBreaker>>;

Breakers MakeBreakers(AdminServer& admin, int count,
                      const std::string& name = "b") {
  Breakers breakers;
  for (int i = 0; i < count; ++i) {
    breakers.push_back(admin.Make(absl::StrCat(name, i)));
  }
  return breakers;
}

// Two changes of state.
void Flip(CircuitBreaker& breaker) {
  breaker.SetMode(Mode::kForcedOpen);
  breaker.SetMode(Mode::kAutomatic);
}

int64_t TransitionsOf(const Breakers& breakers) {
  int64_t transitions = 0;
  for (const auto& breaker : breakers) {
    transitions += static_cast<int64_t>(breaker->Snapshot().transition_count);
  }
  return transitions;
}

// Each thread flips breakers that no other does, until it is stopped.
class Flippers {
 public:
  Flippers(const Breakers& breakers, int threads) {
    for (int thread = 0; thread < threads; ++thread) {
      threads_.emplace_back([this, &breakers, thread, threads] {
        while (!stop_) {
          for (size_t i = thread; i < breakers.size(); i += threads) {
            Flip(*breakers[i]);
          }
          std::this_thread::yield();
        }
      });
    }
  }
  ~Flippers() { Stop(); }

  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

TEST(BreakerAdminWatchLoad, AReaderThatDoesNotReadHoldsUpNoCall) {
  constexpr int kThreads = 4;
  constexpr int kFlipsPerThread = 12'500;
  Watchdog watchdog("a watch that is not read");
  AdminServer admin;
  const Breakers breakers = MakeBreakers(admin, 2 * kThreads);
  AdminWatch watch(*admin.stub);
  WatchPicture picture;
  picture.Add(watch.Next());
  ASSERT_FALSE(picture.in_snapshot());

  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&breakers, thread] {
      for (int i = 0; i < kFlipsPerThread; ++i) {
        Flip(*breakers[2 * thread + i % 2]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();  // while nobody reads
  ASSERT_EQ(TransitionsOf(breakers), 2 * kThreads * kFlipsPerThread);

  while (!picture.IsUpToDate(*admin.registry)) picture.Add(watch.Next());
  picture.ExpectStatesOf(*admin.registry);
  EXPECT_GT(picture.missed(), 0);
  EXPECT_GE(picture.in_snapshots(), picture.missed());
  EXPECT_EQ(picture.read() + picture.in_snapshots(), TransitionsOf(breakers));
  // Most were dropped, not kept until they were read.
  EXPECT_LT(picture.read(), 10'000);
}

TEST(BreakerAdminWatchLoad, WhatIsMissedIsCountedExactly) {
  constexpr int kFlips = 1000;
  Watchdog watchdog("a watch that is not read");
  AdminServer admin;
  // Far more than is sent to a reader that does not read.
  const Breakers breakers = MakeBreakers(admin, 1000, std::string(900, 'n'));
  AdminWatch watch(*admin.stub);
  WatchPicture picture;
  picture.Add(watch.Next());
  ASSERT_TRUE(picture.in_snapshot());
  for (int i = 0; i < kFlips; ++i) Flip(*breakers[0]);
  while (!picture.IsUpToDate(*admin.registry)) picture.Add(watch.Next());
  EXPECT_EQ(picture.snapshots(), 2);
  EXPECT_EQ(picture.missed(), 2 * kFlips);
  EXPECT_EQ(picture.in_snapshots(), 2 * kFlips);
  EXPECT_EQ(picture.read(), 0);
  // From there it goes on as before.
  Flip(*breakers[0]);
  for (int i = 0; i < 2; ++i) picture.Add(watch.Next());
  EXPECT_EQ(picture.read(), 2);
  picture.ExpectStatesOf(*admin.registry);
}

// Up to as many wait for a reader who is slow for a while.
TEST(BreakerAdminWatchLoad, WhatThereIsRoomForIsNotMissed) {
  constexpr int kFlips = static_cast<int>(BreakerWatch::kMaxQueued) / 2;
  Watchdog watchdog("a watch that is not read");
  AdminServer admin;
  const Breakers breakers = MakeBreakers(admin, 1000, std::string(900, 'n'));
  AdminWatch watch(*admin.stub);
  WatchPicture picture;
  picture.Add(watch.Next());
  ASSERT_TRUE(picture.in_snapshot());
  for (int i = 0; i < kFlips; ++i) Flip(*breakers[0]);
  while (!picture.IsUpToDate(*admin.registry)) picture.Add(watch.Next());
  EXPECT_EQ(picture.snapshots(), 1);
  EXPECT_EQ(picture.missed(), 0);
  EXPECT_EQ(picture.read(), 2 * kFlips);
}

TEST(BreakerAdminWatchLoad, AReaderThatKeepsUpSeesOnlyWhatFollows) {
  Watchdog watchdog("a watch under load");
  AdminServer admin;
  const Breakers breakers = MakeBreakers(admin, 150);
  Flippers flippers(breakers, 2);
  AdminWatch watch(*admin.stub);
  WatchPicture picture;
  for (int i = 0; i < 2000; ++i) picture.Add(watch.Next());
  flippers.Stop();
  while (!picture.IsUpToDate(*admin.registry)) picture.Add(watch.Next());
  picture.ExpectStatesOf(*admin.registry);
  EXPECT_EQ(picture.read() + picture.in_snapshots(), TransitionsOf(breakers));
}

TEST(BreakerAdminWatchLoad, WatchesComeAndGoUnderLoad) {
  constexpr int kClients = 5;
  constexpr int kWatchesPerClient = 10;
  Watchdog watchdog("watches that come and go");
  AdminServer admin;
  Breakers breakers = MakeBreakers(admin, 20);
  Flippers flippers(breakers, 2);
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&admin, client] {
      for (int i = 0; i < kWatchesPerClient; ++i) {
        AdminWatch watch(*admin.stub);
        WatchPicture picture;
        const int messages = (client * 7 + i * 13) % 50;
        for (int read = 0; read < messages; ++read) picture.Add(watch.Next());
        // Some are cancelled; the others just dropped, some unread.
        if (i % 2 == 0) {
          EXPECT_EQ(watch.Cancel().error_code(), grpc::StatusCode::CANCELLED);
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  admin.server->Shutdown();                  // waits for all to be over
  EXPECT_EQ(admin.registry.use_count(), 3);  // the service and its hub
  flippers.Stop();
}

TEST(BreakerAdminWatchLoad, AServerShutsDownUnderLoad) {
  constexpr int kWatches = 10;
  for (int round = 0; round < 5; ++round) {
    Watchdog watchdog("a shutdown under load");
    AdminServer admin;
    const Breakers breakers = MakeBreakers(admin, 20);
    Flippers flippers(breakers, 2);
    std::vector<std::unique_ptr<AdminWatch>> watches;
    for (int i = 0; i < kWatches; ++i) {
      watches.push_back(std::make_unique<AdminWatch>(*admin.stub));
      if (i % 2 == 1) continue;  // nobody reads it
      EXPECT_TRUE(watches.back()->Next().has_snapshot());
    }
    admin.Stop();
    flippers.Stop();
    EXPECT_EQ(admin.registry.use_count(), 3);  // the service and its hub
    for (const auto& watch : watches) {
      EXPECT_FALSE(watch->Cancel().ok());
    }
  }
}

}  // namespace
}  // namespace autobreaker
