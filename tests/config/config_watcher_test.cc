#include "autobreaker/config/config_watcher.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/testing/fake_clock.h"
#include "autobreaker/tests/breaker/breaker_test_util.h"
#include "autobreaker/tests/support/scratch_directory.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using ::testing::HasSubstr;

// A configuration that is told apart by this number.
std::string Numbered(int minimum_calls) {
  return absl::StrCat(
      R"({"breakers": [{"names": [{}], "options": {"trip": {"minimumCalls": )",
      minimum_calls, "}}}]}");
}

// Hands the results of loads from the watcher's thread to the test's.
class Loads {
 public:
  void Add(const absl::Status& status) {
    std::lock_guard<std::mutex> lock(mu_);
    results_.push_back(status);
    added_.notify_all();
  }
  // Waits for the load of that number, from 0 on.
  absl::Status At(size_t i) {
    std::unique_lock<std::mutex> lock(mu_);
    added_.wait(lock, [&] { return results_.size() > i; });
    return results_[i];
  }
  size_t count() {
    std::lock_guard<std::mutex> lock(mu_);
    return results_.size();
  }

 private:
  std::mutex mu_;
  std::condition_variable added_;
  std::vector<absl::Status> results_;
};

// Sees each time that a file or directory is opened.
class Openings {
 public:
  explicit Openings(const std::string& path)
      : file_(inotify_init1(IN_CLOEXEC)) {
    EXPECT_GE(inotify_add_watch(file_, path.c_str(), IN_OPEN), 0) << path;
  }
  ~Openings() { close(file_); }

  // That many from now on; the first may have begun before.
  void WaitFor(int count) {
    while (count > 0) {
      alignas(inotify_event) char events[sizeof(inotify_event) * 16];
      const ssize_t length = read(file_, events, sizeof(events));
      ASSERT_GT(length, 0);
      // Of what is watched itself, not of what a directory holds.
      count -= static_cast<int>(length / sizeof(inotify_event));
    }
  }

 private:
  const int file_;
};

class ConfigWatcherTest : public testing::Test {
 protected:
  ConfigWatcherTest() {
    RegistryOptions options;
    options.instruments.clock = &clock_;
    registry_ = *BreakerRegistry::Create(options);
  }

  // Looks a thousand times a second.
  void Start() {
    ConfigWatcherOptions options;
    options.interval = absl::Milliseconds(1);
    options.on_reload = [this](const absl::Status& s) { loads_.Add(s); };
    watcher_ = *ConfigWatcher::Start(path_, registry_, options);
  }
  // Looks only when it is told to.
  void StartIdle() {
    ConfigWatcherOptions options;
    options.interval = absl::Hours(24);
    watcher_ = *ConfigWatcher::Start(path_, registry_, options);
  }

  // Of the configuration in force.
  int64_t Number() const {
    return registry_->PolicyFor(BreakerKey()).options.trip.minimum_calls;
  }
  uint64_t Succeeded() const {
    return registry_->config_reloads().counts()->succeeded;
  }
  uint64_t Failed() const {
    return registry_->config_reloads().counts()->failed;
  }

  const Watchdog watchdog_{
      testing::UnitTest::GetInstance()->current_test_info()->name()};
  FakeClock clock_;
  ScratchDirectory scratch_;
  std::string path_ = scratch_.Path("breakers.json");
  std::shared_ptr<BreakerRegistry> registry_;
  Loads loads_;
  std::unique_ptr<ConfigWatcher> watcher_;
};

// -------------------------------------------------------------------- Start

TEST_F(ConfigWatcherTest, LoadsBeforeStartReturns) {
  scratch_.Write(path_, Numbered(7));
  StartIdle();
  EXPECT_EQ(Number(), 7);
  EXPECT_TRUE(watcher_->status().ok());
  EXPECT_EQ(Succeeded(), 1);
  EXPECT_EQ(Failed(), 0);
}

TEST_F(ConfigWatcherTest, StartsWithoutAFile) {
  StartIdle();
  EXPECT_EQ(watcher_->status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Number(), BreakerOptions().trip.minimum_calls);
  EXPECT_EQ(Failed(), 1);
}

TEST_F(ConfigWatcherTest, StartsWithABadFile) {
  scratch_.Write(path_, Numbered(0));
  StartIdle();
  EXPECT_EQ(std::string(watcher_->status().message()),
            absl::StrCat(path_,
                         ": breakers[0] {}: options: trip.minimum_calls is "
                         "0, must be in [1, 1000000000]"));
  EXPECT_EQ(Failed(), 1);
}

TEST_F(ConfigWatcherTest, ReadsTextproto) {
  path_ = scratch_.Path("breakers.textproto");
  scratch_.Write(path_,
                 "breakers { names {} options { trip { minimum_calls: 7 } } }");
  StartIdle();
  EXPECT_EQ(Number(), 7);
}

TEST_F(ConfigWatcherTest, RefusesBadOptions) {
  for (const absl::Duration bad :
       {absl::ZeroDuration(), absl::Microseconds(999), absl::Seconds(-1),
        absl::Hours(24) + absl::Nanoseconds(1), absl::InfiniteDuration()}) {
    ConfigWatcherOptions options;
    options.interval = bad;
    EXPECT_EQ(ConfigWatcher::Start(path_, registry_, options).status(),
              absl::InvalidArgumentError(
                  absl::StrCat("interval is ", absl::FormatDuration(bad),
                               ", must be in [1ms, 24h]")));
  }
  EXPECT_FALSE(registry_->config_reloads().counts().has_value());
}

TEST_F(ConfigWatcherTest, TakesEveryIntervalInRange) {
  for (const absl::Duration good : {absl::Milliseconds(1), absl::Hours(24)}) {
    ConfigWatcherOptions options;
    options.interval = good;
    EXPECT_TRUE(ConfigWatcher::Start(path_, registry_, options).ok());
  }
}

TEST_F(ConfigWatcherTest, RefusesNoRegistryAndNoFormat) {
  EXPECT_EQ(ConfigWatcher::Start(path_, nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ConfigWatcher::Start("breakers.yaml", registry_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ConfigWatcherTest, ARelativePathIsThatOfWhereItStarted) {
  scratch_.Write(path_, Numbered(7));
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch_.Path(""));
  path_ = "breakers.json";
  StartIdle();
  std::filesystem::current_path("/");
  EXPECT_TRUE(watcher_->Reload().ok()) << watcher_->status();
  std::filesystem::current_path(before);
}

// --------------------------------------------------------------- What it sees

TEST_F(ConfigWatcherTest, LoadsAFileThatAppears) {
  Start();
  scratch_.Replace(path_, Numbered(7));
  EXPECT_TRUE(loads_.At(1).ok());
  EXPECT_EQ(Number(), 7);
}

TEST_F(ConfigWatcherTest, ReplacingByRenamingIsOneLoadAndNoFailure) {
  scratch_.Write(path_, Numbered(1));
  Start();
  for (int i = 2; i <= 50; ++i) {
    scratch_.Replace(path_, Numbered(i));
    ASSERT_TRUE(loads_.At(i - 1).ok());
    ASSERT_EQ(Number(), i);
  }
  EXPECT_EQ(Succeeded(), 50);
  EXPECT_EQ(Failed(), 0);
}

// As Kubernetes mounts a ConfigMap: the file is a link into ..data, which is a
// link to the directory of one version.
TEST_F(ConfigWatcherTest, FollowsALinkThatIsSwapped) {
  for (int i = 1; i <= 2; ++i) {
    const std::string version = scratch_.Path(absl::StrCat("version", i));
    std::filesystem::create_directory(version);
    scratch_.Write(version + "/breakers.json", Numbered(i));
  }
  scratch_.Link(scratch_.Path("..data"), "version1");
  scratch_.Link(path_, "..data/breakers.json");
  Start();
  EXPECT_EQ(Number(), 1);
  scratch_.Link(scratch_.Path("..data"), "version2");
  EXPECT_TRUE(loads_.At(1).ok());
  EXPECT_EQ(Number(), 2);
}

TEST_F(ConfigWatcherTest, SeesAChangeThatSizeAndTimeDoNotTell) {
  scratch_.Write(path_, Numbered(7));
  Start();
  const auto time = std::filesystem::last_write_time(path_);
  scratch_.Write(scratch_.Path("new"), Numbered(8));
  std::filesystem::last_write_time(scratch_.Path("new"), time);
  ASSERT_EQ(std::filesystem::file_size(scratch_.Path("new")),
            std::filesystem::file_size(path_));
  std::filesystem::rename(scratch_.Path("new"), path_);
  EXPECT_TRUE(loads_.At(1).ok());
  EXPECT_EQ(Number(), 8);
}

TEST_F(ConfigWatcherTest, AFileThatStaysIsNotLoadedAgain) {
  scratch_.Write(path_, Numbered(7));
  Start();
  Openings(path_).WaitFor(5);
  // The same once more, as a deployment that changed nothing writes it.
  scratch_.Replace(path_, Numbered(7));
  Openings(path_).WaitFor(5);
  EXPECT_EQ(loads_.count(), 1);
  EXPECT_EQ(Succeeded(), 1);
}

// ----------------------------------------------------- What is bad or missing

TEST_F(ConfigWatcherTest, AHalfIsRefusedAndTheWholeLoaded) {
  scratch_.Write(path_, Numbered(7));
  Start();
  const std::string whole = Numbered(8);
  scratch_.Replace(path_, whole.substr(0, whole.size() / 2));
  EXPECT_FALSE(loads_.At(1).ok());
  EXPECT_FALSE(watcher_->status().ok());
  EXPECT_EQ(Number(), 7);
  scratch_.Replace(path_, whole);
  EXPECT_TRUE(loads_.At(2).ok());
  EXPECT_TRUE(watcher_->status().ok());
  EXPECT_EQ(Number(), 8);
}

// Truncated and then written, while it looks.
TEST_F(ConfigWatcherTest, WritingInPlaceIsNeverTakenForLess) {
  scratch_.Write(path_, Numbered(1));
  Start();
  size_t seen = 1;
  for (int i = 2; i <= 50; ++i) {
    scratch_.Write(path_, Numbered(i));
    for (int64_t now = Number(); now != i; now = Number()) {
      ASSERT_EQ(now, i - 1);
      loads_.At(seen++).IgnoreError();
    }
  }
}

TEST_F(ConfigWatcherTest, AFileThatIsGoneLeavesWhatItSaid) {
  scratch_.Write(path_, Numbered(7));
  Start();
  std::filesystem::remove(path_);
  EXPECT_EQ(loads_.At(1).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Number(), 7);
  scratch_.Replace(path_, Numbered(7));
  EXPECT_TRUE(loads_.At(2).ok());
  EXPECT_EQ(Succeeded(), 2);
  EXPECT_EQ(Failed(), 1);
}

TEST_F(ConfigWatcherTest, ALinkThatLeadsNowhereLeavesWhatItSaid) {
  scratch_.Write(scratch_.Path("target"), Numbered(7));
  scratch_.Link(path_, "target");
  Start();
  scratch_.Link(path_, "none");
  EXPECT_EQ(loads_.At(1).code(), absl::StatusCode::kNotFound);
  scratch_.Link(path_, "breakers.json");
  EXPECT_THAT(std::string(loads_.At(2).message()), HasSubstr(path_));
  EXPECT_EQ(Number(), 7);
}

TEST_F(ConfigWatcherTest, AFileThatStaysBadCountsOnce) {
  scratch_.Write(path_, Numbered(7));
  Start();
  scratch_.Replace(path_, "{");
  EXPECT_FALSE(loads_.At(1).ok());
  Openings(path_).WaitFor(5);
  EXPECT_EQ(Failed(), 1);
  scratch_.Replace(path_, "{{");
  EXPECT_FALSE(loads_.At(2).ok());
  EXPECT_EQ(Failed(), 2);
  EXPECT_EQ(Number(), 7);
}

TEST_F(ConfigWatcherTest, ADirectoryInItsPlaceCountsOnce) {
  scratch_.Write(path_, Numbered(7));
  Start();
  std::filesystem::create_directory(scratch_.Path("directory"));
  Openings openings(scratch_.Path("directory"));
  std::filesystem::remove(path_);
  std::filesystem::rename(scratch_.Path("directory"), path_);
  openings.WaitFor(5);
  // Gone for a moment in between, or not.
  const absl::Status status = loads_.At(loads_.count() - 1);
  EXPECT_THAT(std::string(status.message()), HasSubstr("regular file"));
  EXPECT_LE(Failed(), 2);
  EXPECT_EQ(Number(), 7);
}

TEST_F(ConfigWatcherTest, AFileThatIsTooLongLeavesWhatItSaid) {
  scratch_.Write(path_, Numbered(7));
  Start();
  scratch_.WriteSparse(scratch_.Path("new"), 100'000'000);
  std::filesystem::rename(scratch_.Path("new"), path_);
  EXPECT_THAT(std::string(loads_.At(1).message()),
              HasSubstr("100000000 bytes"));
  EXPECT_EQ(Number(), 7);
}

// ------------------------------------------------------------------- Reload()

TEST_F(ConfigWatcherTest, ReloadLoadsAtOnce) {
  scratch_.Write(path_, Numbered(7));
  StartIdle();
  scratch_.Replace(path_, Numbered(8));
  EXPECT_TRUE(watcher_->Reload().ok());
  EXPECT_EQ(Number(), 8);
  scratch_.Replace(path_, "{");
  EXPECT_FALSE(watcher_->Reload().ok());
  EXPECT_FALSE(watcher_->status().ok());
  EXPECT_EQ(Number(), 8);
}

TEST_F(ConfigWatcherTest, ReloadCountsWhetherOrNotTheFileChanged) {
  scratch_.Write(path_, Numbered(7));
  StartIdle();
  EXPECT_TRUE(watcher_->Reload().ok());
  EXPECT_EQ(Succeeded(), 2);
}

// The program's options may have changed under a file that did not.
TEST_F(ConfigWatcherTest, ReloadLaysTheFileOverTheProgramsOptionsOfNow) {
  scratch_.Write(path_, Numbered(7));
  StartIdle();
  BreakerOptions options;
  options.trip.window_buckets = 3;
  ASSERT_TRUE(registry_->SetOptions(BreakerKey(), options).ok());
  EXPECT_TRUE(watcher_->Reload().ok());
  EXPECT_EQ(registry_->PolicyFor({}).options.trip.window_buckets, 3);
  EXPECT_EQ(Number(), 7);
}

TEST_F(ConfigWatcherTest, ReloadsOnSeveralThreadsAllCount) {
  scratch_.Write(path_, Numbered(1));
  Start();
  std::atomic<int> failed{0};
  std::atomic<int> threads_left{7};
  RunThreads(8, [&](int t) {
    if (t == 0) {
      for (int i = 2; threads_left > 0; ++i) {
        scratch_.Replace(path_, Numbered(i % 9 + 1));
      }
      return;
    }
    for (int i = 0; i < 200; ++i) failed += !watcher_->Reload().ok();
    --threads_left;
  });
  EXPECT_EQ(failed, 0);
  scratch_.Replace(path_, Numbered(99));
  EXPECT_TRUE(watcher_->Reload().ok());
  EXPECT_EQ(Number(), 99);
  watcher_.reset();
  EXPECT_EQ(Succeeded(), loads_.count());
  EXPECT_GT(Succeeded(), 7 * 200);
  EXPECT_EQ(Failed(), 0);
}

// --------------------------------------------------------- The rest of its
// life

TEST_F(ConfigWatcherTest, CountsInTheRegistry) {
  Start();
  scratch_.Replace(path_, Numbered(7));
  EXPECT_TRUE(loads_.At(1).ok());
  const ConfigReloads::Counts good = *registry_->config_reloads().counts();
  EXPECT_EQ(good.succeeded, 1);
  EXPECT_EQ(good.failed, 1);
  EXPECT_TRUE(good.last_succeeded);
  EXPECT_EQ(good.last_success_time, clock_.WallNow());
  clock_.Advance(absl::Seconds(10));
  scratch_.Replace(path_, "{");
  EXPECT_FALSE(loads_.At(2).ok());
  const ConfigReloads::Counts bad = *registry_->config_reloads().counts();
  EXPECT_EQ(bad.failed, 2);
  EXPECT_FALSE(bad.last_succeeded);
  EXPECT_EQ(bad.last_success_time, good.last_success_time);
}

TEST_F(ConfigWatcherTest, WhatWasLoadedOutlivesIt) {
  scratch_.Write(path_, Numbered(7));
  Start();
  watcher_.reset();
  EXPECT_EQ(Number(), 7);
}

// The watchdog ends the test long before a day is over.
TEST_F(ConfigWatcherTest, ItsEndDoesNotWaitForTheInterval) {
  scratch_.Write(path_, Numbered(7));
  StartIdle();
  watcher_.reset();
}

TEST_F(ConfigWatcherTest, ExceptionsOfOnReloadAreSwallowed) {
  ConfigWatcherOptions options;
  options.interval = absl::Milliseconds(1);
  options.on_reload = [this](const absl::Status& status) {
    loads_.Add(status);
    throw std::runtime_error("not the watcher's problem");
  };
  watcher_ = *ConfigWatcher::Start(path_, registry_, options);
  scratch_.Replace(path_, Numbered(7));
  EXPECT_TRUE(loads_.At(1).ok());
  scratch_.Replace(path_, Numbered(8));
  EXPECT_TRUE(loads_.At(2).ok());
  EXPECT_TRUE(watcher_->Reload().ok());
}

TEST_F(ConfigWatcherTest, OnReloadMayAskForTheStatus) {
  absl::Status seen;
  ConfigWatcherOptions options;
  options.interval = absl::Hours(24);
  options.on_reload = [&](const absl::Status&) {
    if (watcher_ != nullptr) seen = watcher_->status();
  };
  watcher_ = *ConfigWatcher::Start(path_, registry_, options);
  EXPECT_FALSE(watcher_->Reload().ok());
  EXPECT_EQ(seen, watcher_->status());
}

}  // namespace
}  // namespace autobreaker
