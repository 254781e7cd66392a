#include "autobreaker/breaker/internal/transition_courier.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "autobreaker/breaker/transition.h"
#include "autobreaker/breaker/transition_listener.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TransitionCourier::Letter LetterOf(
    uint64_t number, const std::shared_ptr<TransitionCourier::Tally>& tally) {
  auto transition = std::make_shared<Transition>();
  transition->number = number;
  TransitionCourier::Letter letter;
  letter.push_back({std::move(transition), tally});
  return letter;
}

class TransitionCourierTest : public ::testing::Test {
 protected:
  void Push(uint64_t number) { courier_->Push(LetterOf(number, tally_)); }

  const std::vector<uint64_t>& Heard() {
    courier_->Flush();
    return heard_;
  }

  const std::shared_ptr<TransitionCourier::Tally> tally_ =
      std::make_shared<TransitionCourier::Tally>();
  std::vector<uint64_t> heard_;
  std::function<void(uint64_t)> then_ = [](uint64_t) {};
  std::optional<TransitionCourier> courier_{[this](const Transition& t) {
    heard_.push_back(t.number);
    then_(t.number);
  }};
};

TEST_F(TransitionCourierTest, NothingPushedIsNothingTold) {
  EXPECT_THAT(Heard(), IsEmpty());
}

TEST_F(TransitionCourierTest, TellsEachOnceInTheOrderOfPushes) {
  Push(1);
  Push(2);
  EXPECT_THAT(Heard(), ElementsAre(1, 2));
  Push(3);
  EXPECT_THAT(Heard(), ElementsAre(1, 2, 3));
}

TEST_F(TransitionCourierTest, TellsInOneThreadThatIsNotTheCallers) {
  std::vector<std::thread::id> in;
  then_ = [&](uint64_t) { in.push_back(std::this_thread::get_id()); };
  Push(1);
  std::thread([this] { Push(2); }).join();
  courier_->Flush();
  ASSERT_EQ(in.size(), 2u);
  EXPECT_EQ(in[0], in[1]);
  EXPECT_NE(in[0], std::this_thread::get_id());
}

TEST_F(TransitionCourierTest, PushReturnsWhileTheCallbackHangs) {
  std::promise<void> go_on;
  then_ = [&, hangs = go_on.get_future().share()](uint64_t) { hangs.wait(); };
  Push(1);  // they return, or this test never ends
  Push(2);
  EXPECT_FALSE(courier_->IsIdle());
  go_on.set_value();
  courier_->Flush();
  EXPECT_TRUE(courier_->IsIdle());
}

TEST_F(TransitionCourierTest, LosesTheOldestWhenTooManyWait) {
  std::promise<void> go_on;
  std::promise<void> begun;
  then_ = [&, hangs = go_on.get_future().share()](uint64_t number) {
    if (number == 0) begun.set_value();
    hangs.wait();
  };
  Push(0);
  begun.get_future().wait();
  constexpr uint64_t kMost = TransitionCourier::kMostWaiting;
  for (uint64_t i = 1; i <= kMost; ++i) Push(i);
  EXPECT_EQ(tally_->lost, 0u);
  Push(kMost + 1);
  Push(kMost + 2);
  EXPECT_EQ(tally_->lost, 2u);
  go_on.set_value();
  EXPECT_EQ(Heard().size(), 1 + kMost);
  EXPECT_EQ(heard_[0], 0u);
  EXPECT_EQ(heard_[1], 3u);
  EXPECT_EQ(heard_.back(), kMost + 2);
}

TEST_F(TransitionCourierTest, ExceptionIsCountedAndTheNextStillTold) {
  then_ = [](uint64_t number) {
    if (number == 1) throw std::runtime_error("callback");
    if (number == 2) throw 2;
  };
  Push(1);
  Push(2);
  Push(3);
  EXPECT_THAT(Heard(), ElementsAre(1, 2, 3));
  EXPECT_EQ(tally_->exceptions, 2u);
}

TEST_F(TransitionCourierTest, PushAndFlushInTheCallbackReturnAtOnce) {
  then_ = [this](uint64_t number) {
    if (number != 1) return;
    Push(2);
    courier_->Flush();
    EXPECT_THAT(heard_, ElementsAre(1));
  };
  Push(1);
  courier_->Flush();  // when this returns, 2 is pushed
  EXPECT_THAT(Heard(), ElementsAre(1, 2));
}

TEST_F(TransitionCourierTest, DestructorTellsAllFirst) {
  for (uint64_t i = 1; i <= 3; ++i) Push(i);
  courier_.reset();
  EXPECT_THAT(heard_, ElementsAre(1, 2, 3));
}

// A child by fork() that ends as programs do, which destroys what is static.
TEST_F(TransitionCourierTest, AChildProcessNeitherTellsNorHangs) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer takes no child of several threads";
#endif
  Push(1);
  ASSERT_THAT(Heard(), ElementsAre(1));
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    Push(2);
    courier_->Flush();
    courier_.reset();
    _exit(heard_.size() == 1 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(Heard(), ElementsAre(1));
}

// Tells when the last copy of a callback that has it is gone.
struct End {
  ~End() { gone.set_value(); }
  std::promise<void> gone;
};

TEST(TransitionCourierEndTest, MayBeDestroyedByItsCallback) {
  auto end = std::make_shared<End>();
  std::future<void> gone = end->gone.get_future();
  std::optional<TransitionCourier> courier;
  std::promise<void> go_on;
  std::vector<uint64_t> heard;
  courier.emplace(
      [&, end, hangs = go_on.get_future().share()](const Transition& t) {
        heard.push_back(t.number);
        if (t.number == 1) {
          hangs.wait();
          courier.reset();
        }
      });
  end.reset();
  const auto tally = std::make_shared<TransitionCourier::Tally>();
  courier->Push(LetterOf(1, tally));
  courier->Push(LetterOf(2, tally));
  go_on.set_value();
  gone.wait();
  EXPECT_THAT(heard, ElementsAre(1, 2));
}

TEST(TransitionCourierThreadsTest, ManyThreadsAreToldInOrderOneAtATime) {
  constexpr int kThreads = 3;
  constexpr int kPushes = 3'000;
  // However long the thread that tells is held up, none is lost.
  static_assert(kThreads * kPushes < TransitionCourier::kMostWaiting);
  std::mutex turn;
  uint64_t pushed = 0;
  std::atomic<int> telling{0};
  std::atomic<uint64_t> last{0};
  std::atomic<int> wrong{0};
  TransitionCourier courier([&](const Transition& t) {
    wrong += telling.fetch_add(1) != 0;
    wrong += t.number != last + 1;
    last = t.number;
    --telling;
  });
  const auto tally = std::make_shared<TransitionCourier::Tally>();
  RunThreads(kThreads, [&](int) {
    for (int i = 0; i < kPushes; ++i) {
      const std::lock_guard<std::mutex> lock(turn);
      courier.Push(LetterOf(++pushed, tally));
    }
  });
  courier.Flush();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(last.load(), kThreads * kPushes);
}

class Losses final : public TransitionListener {
 public:
  void OnTransition(const Transition& t) noexcept override {
    if (t.number == 0) {
      begun.set_value();
      go_on.get_future().wait();
    }
    heard = t.number;
  }
  void OnLost(int64_t changes) noexcept override {
    if (heard == 0) lost += changes;  // before those that came after them
  }

  std::promise<void> begun;
  std::promise<void> go_on;
  uint64_t heard = 0;
  int64_t lost = 0;
};

TEST(TransitionCourierListenerTest, IsToldHowManyWereLost) {
  const auto listener = std::make_shared<Losses>();
  TransitionCourier courier(nullptr);
  EXPECT_FALSE(courier.IsWanted());
  courier.AddListener(listener);
  EXPECT_TRUE(courier.IsWanted());
  const auto tally = std::make_shared<TransitionCourier::Tally>();
  for (uint64_t i = 0; i <= TransitionCourier::kMostWaiting + 5; ++i) {
    courier.Push(LetterOf(i, tally));
    if (i == 0) listener->begun.get_future().wait();
  }
  listener->go_on.set_value();
  courier.Flush();
  EXPECT_EQ(listener->lost, 5);
}

}  // namespace
}  // namespace autobreaker
