// ConfigWatch: detects changes of the configuration's file. While the file has faults, the last valid configuration is
// in use. Without a file, no notifications are sent.
//
// look() on one thread; trouble() on any.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "notify/config.h"

namespace monitor::notify {

class ConfigWatch {
 public:
  explicit ConfigWatch(std::string path) : path_(std::move(path)) {}

  // The first configuration. Errors: the file cannot be read, or has faults.
  Result<std::shared_ptr<const Config>> load();
  // nullptr: the file has not changed since the last call, or cannot be used, which is logged once.
  std::shared_ptr<const Config> look();
  // Why the file is not in use; empty: it is in use.
  std::string trouble() const;

 private:
  const std::string path_;
  std::optional<std::string> text_;  // the newest content of the file, good or not; nothing: it could not be read
  mutable std::mutex mutex_;         // guards trouble_
  std::string trouble_;
};

}  // namespace monitor::notify
