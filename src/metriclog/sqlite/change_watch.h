// Waits for something to happen to the log's files, without asking again and again: inotify on their folder.
// A time-out stands behind it, since inotify sees nothing of a network file system.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace monitor::metriclog::sqlite {

// wake() may be called from any thread and from a signal handler; the rest by one thread.
class ChangeWatch {
 public:
  // Of the files in the folder of `path` whose names begin as `path` does.
  explicit ChangeWatch(const std::string& path);
  ~ChangeWatch();
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;

  enum class Why { kTimeout, kChange, kWoken };
  Why wait(int64_t timeout_ns);
  void wake();

 private:
  bool drain();   // whether one of our files was among what changed
  void follow();  // the folder may appear later

  std::string folder_;
  std::string prefix_;
  int inotify_fd_ = -1;
  int wake_fd_ = -1;
  int watch_ = -1;
};

}  // namespace monitor::metriclog::sqlite
