#include "autobreaker/config/config_watcher.h"

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "autobreaker/config/config.h"
#include "autobreaker/config/config_file.h"

namespace autobreaker {

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
  std::unique_ptr<ConfigWatcher> watcher(new ConfigWatcher(
      std::move(path), *format, std::move(registry), std::move(options)));
  watcher->Load(/*always=*/true);
  try {
    watcher->thread_ = std::thread([w = watcher.get()] { w->Watch(); });
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no thread to watch with: ", error.what()));
  }
  return watcher;
}

ConfigWatcher::ConfigWatcher(std::string path, ConfigFormat format,
                             std::shared_ptr<BreakerRegistry> registry,
                             ConfigWatcherOptions options)
    : path_(std::move(path)),
      format_(format),
      registry_(std::move(registry)),
      options_(std::move(options)) {}

ConfigWatcher::~ConfigWatcher() {
  stop_.set_value();
  if (thread_.joinable()) thread_.join();
}

absl::Status ConfigWatcher::Reload() { return *Load(/*always=*/true); }

absl::Status ConfigWatcher::status() const {
  MutexLock lock(&status_mu_);
  return status_;
}

std::optional<absl::Status> ConfigWatcher::Load(bool always) {
  std::optional<absl::Status> result;
  {
    MutexLock lock(&load_mu_);
    result = LoadLocked(always);
  }
  if (result.has_value() && options_.on_reload) {
    try {
      options_.on_reload(*result);
    } catch (...) {
      // The user's problem, but none of the breakers.
    }
  }
  return result;
}

std::optional<absl::Status> ConfigWatcher::LoadLocked(bool always) {
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

void ConfigWatcher::Watch() {
  const std::future<void> stopped = stop_.get_future();
  while (stopped.wait_for(absl::ToChronoNanoseconds(options_.interval)) ==
         std::future_status::timeout) {
    try {
      Load(/*always=*/false);
    } catch (...) {
      // Out of memory. The next look tries again.
    }
  }
}

}  // namespace autobreaker
