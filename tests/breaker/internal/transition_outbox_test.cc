#include "autobreaker/breaker/internal/transition_outbox.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "autobreaker/breaker/transition.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TransitionOutboxTest : public ::testing::Test {
 protected:
  void Push(uint64_t number) {
    auto transition = std::make_shared<Transition>();
    transition->number = number;
    TransitionOutbox::Letter letter;
    letter.push_back(std::move(transition));
    outbox_.Push(std::move(letter));
  }

  void Deliver() {
    outbox_.Deliver(
        [this](const Transition& t) { heard_.push_back(t.number); });
  }

  TransitionOutbox outbox_;
  std::vector<uint64_t> heard_;
};

TEST_F(TransitionOutboxTest, NothingPushedIsNothingTold) {
  Deliver();
  EXPECT_THAT(heard_, IsEmpty());
}

TEST_F(TransitionOutboxTest, TellsInTheOrderOfPushes) {
  Push(1);
  Push(2);
  Push(3);
  Deliver();
  EXPECT_THAT(heard_, ElementsAre(1, 2, 3));
}

TEST_F(TransitionOutboxTest, TellsEachOnce) {
  Push(1);
  Deliver();
  Push(2);
  Deliver();
  EXPECT_THAT(heard_, ElementsAre(1, 2));
}

TEST_F(TransitionOutboxTest, LosesTheOldestWhenTooManyWait) {
  constexpr uint64_t kMost = TransitionOutbox::kMostWaiting;
  for (uint64_t i = 1; i <= kMost; ++i) Push(i);
  EXPECT_EQ(outbox_.lost(), 0u);
  Push(kMost + 1);
  Push(kMost + 2);
  EXPECT_EQ(outbox_.lost(), 2u);
  Deliver();
  EXPECT_EQ(heard_.size(), kMost);
  EXPECT_EQ(heard_.front(), 3u);
  EXPECT_EQ(heard_.back(), kMost + 2);
}

TEST_F(TransitionOutboxTest, ExceptionIsCountedAndTheNextStillTold) {
  Push(1);
  Push(2);
  Push(3);
  outbox_.Deliver([this](const Transition& t) {
    if (t.number != 3) throw std::runtime_error("listener");
    heard_.push_back(t.number);
  });
  EXPECT_THAT(heard_, ElementsAre(3));
  EXPECT_EQ(outbox_.exceptions(), 2);
}

TEST_F(TransitionOutboxTest, WhatThrewIsNotToldAgain) {
  Push(1);
  outbox_.Deliver([](const Transition&) { throw 1; });
  Push(2);
  Deliver();
  EXPECT_THAT(heard_, ElementsAre(2));
}

TEST_F(TransitionOutboxTest, PushOfAListenerIsToldAfterIt) {
  Push(1);
  outbox_.Deliver([this](const Transition& t) {
    if (t.number == 1) {
      Push(2);
      Deliver();  // returns at once: the one around it tells
      EXPECT_THAT(heard_, IsEmpty());
    }
    heard_.push_back(t.number);
  });
  EXPECT_THAT(heard_, ElementsAre(1, 2));
}

TEST_F(TransitionOutboxTest, SecondThreadReturnsWhileOneTells) {
  Push(1);
  outbox_.Deliver([this](const Transition& t) {
    if (t.number == 1) {
      Push(2);
      // It returns, or this test never ends.
      std::thread([this] { Deliver(); }).join();
      EXPECT_THAT(heard_, IsEmpty());
    }
    heard_.push_back(t.number);
  });
  EXPECT_THAT(heard_, ElementsAre(1, 2));
}

TEST_F(TransitionOutboxTest, ManyThreadsAreToldInOrderOneAtATime) {
  constexpr int kThreads = 3;
  constexpr int kPushes = 3'000;
  // However long the thread that tells is held up, none is lost.
  static_assert(kThreads * kPushes < TransitionOutbox::kMostWaiting);
  std::mutex turn;
  uint64_t pushed = 0;
  std::atomic<int> telling{0};
  std::atomic<uint64_t> last{0};
  std::atomic<int> wrong{0};
  RunThreads(kThreads, [&](int) {
    for (int i = 0; i < kPushes; ++i) {
      {
        const std::lock_guard<std::mutex> lock(turn);
        Push(++pushed);
      }
      outbox_.Deliver([&](const Transition& t) {
        wrong += telling.fetch_add(1) != 0;
        wrong += t.number != last + 1;
        last = t.number;
        --telling;
      });
    }
  });
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(last.load(), kThreads * kPushes);
}

}  // namespace
}  // namespace autobreaker
