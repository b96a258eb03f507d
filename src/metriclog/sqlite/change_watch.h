// ChangeWatch: waits for changes of the log's files with inotify on their folder, and a timeout, since inotify does not
// work on network filesystems.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace monitor::metriclog::sqlite {

// wake() may be called from any thread and from signal handlers; the rest is single-threaded.
class ChangeWatch {
 public:
  // Watches the files in the folder of `path` whose names start with its name.
  explicit ChangeWatch(const std::string& path);
  ~ChangeWatch();
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;

  enum class Why { kTimeout, kChange, kWoken };
  Why wait(int64_t timeout_ns);
  void wake();

 private:
  bool drain();   // true if one of our files has changed
  void follow();  // the folder may appear later

  std::string folder_;
  std::string prefix_;
  int inotify_fd_ = -1;
  int wake_fd_ = -1;
  int watch_ = -1;
};

}  // namespace monitor::metriclog::sqlite
