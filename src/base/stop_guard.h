// StopGuard: ends a process whose orderly stop takes too long, whatever the other threads do. A loop that is blocked on
// a hanging filesystem reads no signals.
//
// Its thread watches for SIGTERM and SIGINT without consuming them. If one is pending, or arm() was called, and the
// process still runs after `limit`, it writes a line and calls _exit(75). That also ends threads in an interruptible
// sleep (FUSE, NFS). A thread in an uninterruptible wait for a disk keeps the process until the disk responds.
//
// Requires an earlier block_signals(). arm() may be called from any thread, and more than once.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "base/disk.h"

namespace monitor {

class StopGuard {
 public:
  // `limit` starts with the signal. The line starts with `program`.
  StopGuard(std::string program, int64_t limit_ns);

  ~StopGuard();
  StopGuard(const StopGuard&) = delete;
  StopGuard& operator=(const StopGuard&) = delete;

  // Starts the limit after another thread has consumed the signal.
  void arm();

 private:
  void watch();
  bool wait_for_stop() const;

  std::string program_;
  int64_t limit_ns_;
  Fd signals_;
  Fd armed_;  // an eventfd each
  Fd ended_;
  std::thread thread_;
};

}  // namespace monitor
