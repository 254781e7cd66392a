#include "autobreaker/config/config_watcher.h"

#include <filesystem>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "autobreaker/breaker/internal/exceptions.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/config/config.h"
#include "autobreaker/config/config_file.h"

namespace autobreaker {

class ConfigWatcher::Impl {
 public:
  Impl(std::string path, ConfigFormat format,
       std::shared_ptr<BreakerRegistry> registry, ConfigWatcherOptions options)
      : path_(std::move(path)),
        format_(format),
        registry_(std::move(registry)),
        options_(std::move(options)) {}

  ~Impl();

  // Loads the file, then watches it in a thread, if there is one to be had.
  absl::Status Start();

  // Loads the file if it differs from the last time, or `always`. The result,
  // or nothing if it did not.
  std::optional<absl::Status> Load(bool always);

  absl::Status status() const;

 private:
  std::optional<absl::Status> LoadLocked(bool always)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(load_mu_);
  void Watch();

  const std::string path_;
  const ConfigFormat format_;
  const std::shared_ptr<BreakerRegistry> registry_;
  const ConfigWatcherOptions options_;

  // Held while loading, so that what was read last is what was applied last.
  Mutex load_mu_;
  // What the file was at the last load: its bytes, or why there were none.
  std::optional<absl::StatusOr<std::string>> last_read_
      ABSL_GUARDED_BY(load_mu_);

  // So that status() never waits for a load.
  mutable Mutex status_mu_;
  absl::Status status_ ABSL_GUARDED_BY(status_mu_);

  std::promise<void> stop_;
  std::thread thread_;
};

absl::Status ConfigWatcherOptions::Validate() const {
  if (interval >= absl::Milliseconds(1) && interval <= absl::Hours(24)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("interval is ",
                                                 absl::FormatDuration(interval),
                                                 ", must be in [1ms, 24h]"));
}

absl::StatusOr<std::unique_ptr<ConfigWatcher>> ConfigWatcher::Start(
    std::string path, std::shared_ptr<BreakerRegistry> registry,
    ConfigWatcherOptions options) {
  if (registry == nullptr) {
    return absl::InvalidArgumentError("registry is null, must be a registry");
  }
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  const auto format = ConfigFormatOf(path);
  if (!format.ok()) return format.status();
  // The program may change its working directory.
  std::error_code error;
  path = std::filesystem::absolute(path, error).string();
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("no working directory: ", error.message()));
  }
  auto impl = std::make_unique<Impl>(std::move(path), *format,
                                     std::move(registry), std::move(options));
  if (absl::Status status = impl->Start(); !status.ok()) return status;
  return std::unique_ptr<ConfigWatcher>(new ConfigWatcher(std::move(impl)));
}

ConfigWatcher::ConfigWatcher(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

ConfigWatcher::~ConfigWatcher() = default;

absl::Status ConfigWatcher::Reload() { return *impl_->Load(/*always=*/true); }

absl::Status ConfigWatcher::status() const { return impl_->status(); }

ConfigWatcher::Impl::~Impl() {
  stop_.set_value();
  if (thread_.joinable()) thread_.join();
}

absl::Status ConfigWatcher::Impl::Start() {
  Load(/*always=*/true);
  if (!EndsWell([this] { thread_ = std::thread([this] { Watch(); }); })) {
    return absl::ResourceExhaustedError("no thread to watch with");
  }
  return absl::OkStatus();
}

absl::Status ConfigWatcher::Impl::status() const {
  MutexLock lock(&status_mu_);
  return status_;
}

std::optional<absl::Status> ConfigWatcher::Impl::Load(bool always) {
  std::optional<absl::Status> result;
  {
    MutexLock lock(&load_mu_);
    result = LoadLocked(always);
  }
  if (result.has_value() && options_.on_reload) {
    // The user's problem if it throws, but none of the breakers.
    EndsWell([&] { options_.on_reload(*result); });
  }
  return result;
}

std::optional<absl::Status> ConfigWatcher::Impl::LoadLocked(bool always) {
  absl::StatusOr<std::string> text = ReadConfigText(path_);
  if (!always && text == last_read_) return std::nullopt;
  absl::Status status = text.status();
  if (status.ok()) {
    const absl::StatusOr<v1::Config> config =
        ParseConfig(*text, format_, path_);
    status = config.ok() ? ApplyConfig(*config, registry_.get(), path_)
                         : config.status();
  }
  last_read_ = std::move(text);
  registry_->config_reloads().Record(status.ok(),
                                     registry_->instruments().clock->WallNow());
  MutexLock lock(&status_mu_);
  status_ = status;
  return status;
}

void ConfigWatcher::Impl::Watch() {
  const std::future<void> stopped = stop_.get_future();
  while (stopped.wait_for(absl::ToChronoNanoseconds(options_.interval)) ==
         std::future_status::timeout) {
    // Out of memory if it throws. The next look tries again.
    EndsWell([this] { Load(/*always=*/false); });
  }
}

}  // namespace autobreaker
