// Keeps the breakers of a registry as a file says, which operators may change
// while the program runs.
//
//   auto watcher = ConfigWatcher::Start("breakers.json", registry);
//   if (!watcher.ok()) return watcher.status();
//   if (absl::Status loaded = (*watcher)->status(); !loaded.ok()) {
//     std::cerr << loaded << "\n";  // or give up; calls are guarded anyhow
//   }
//
// A thread reads the file every few seconds and loads it when it says something
// else than before, however that came about: written in place, replaced by
// another, or reached by a link that now leads elsewhere, as Kubernetes mounts
// its volumes. A file that is bad, unreadable or gone changes nothing: what was
// loaded last stays in force, and it is tried again once it differs. Replace
// files by renaming, so that none is read half-written; a half of JSON is
// always refused, but see ParseConfig() for textproto.
//
// The thread is not in a child of fork(): there nothing follows the file.
//
// Each load counts in BreakerRegistry::config_reloads(), and so in the metrics.
//
// Thread-safety: every method may be called from any thread at once.
#ifndef AUTOBREAKER_CONFIG_CONFIG_WATCHER_H_
#define AUTOBREAKER_CONFIG_CONFIG_WATCHER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/registry.h"

namespace autobreaker {

// How often a file is looked at, and who is told.
struct ConfigWatcherOptions {
  // From one look at the file to the next. 1 ms to 1 day.
  absl::Duration interval = absl::Seconds(5);

  // Called after each load with its result, in the thread that loaded, which is
  // that of Start(), of Reload() or the watcher's own. Must not destroy the
  // watcher. Exceptions are swallowed.
  std::function<void(const absl::Status&)> on_reload;

  // OK, or INVALID_ARGUMENT that names the field, its value and its range.
  absl::Status Validate() const;
};

class ConfigWatcher {
 public:
  // Loads the file, then watches it. What it says, and whether it is there, is
  // for status() to tell. INVALID_ARGUMENT if `registry` is null, an option is
  // out of range or the path's ending is no format (see config_file.h);
  // RESOURCE_EXHAUSTED if there is no thread to be had.
  static absl::StatusOr<std::unique_ptr<ConfigWatcher>> Start(
      std::string path, std::shared_ptr<BreakerRegistry> registry,
      ConfigWatcherOptions options = {});

  // Waits for a load that is under way, but not for the interval. What was
  // loaded stays in force.
  ~ConfigWatcher();

  ConfigWatcher(const ConfigWatcher&) = delete;
  ConfigWatcher& operator=(const ConfigWatcher&) = delete;

  // Loads the file now, changed or not, and answers the result: for a program's
  // own signal handler thread or endpoint. Not from on_reload.
  absl::Status Reload();

  // The result of the last load.
  absl::Status status() const;

 private:
  class Impl;

  explicit ConfigWatcher(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_CONFIG_CONFIG_WATCHER_H_
