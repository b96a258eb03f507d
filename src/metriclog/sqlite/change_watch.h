// ChangeWatch: waits for changes of the log's files, with inotify on their folder and with a timeout, because inotify
// does not work on network filesystems.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace monitor::metriclog::sqlite {

// wake() may be called on any thread and in signal handlers; the rest is not thread-safe.
class ChangeWatch {
 public:
  // Watches the files in the folder of `path` whose names start with that file's name.
  explicit ChangeWatch(const std::string& path);
  ~ChangeWatch();
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;

  enum class Why { kTimeout, kChange, kWoken };
  Why wait(int64_t timeout_ns);
  void wake();

 private:
  bool drain();   // true if one of the watched files has changed
  void follow();  // watches the folder once it exists

  std::string folder_;
  std::string prefix_;
  int inotify_fd_ = -1;
  int wake_fd_ = -1;
  int watch_ = -1;
};

}  // namespace monitor::metriclog::sqlite
