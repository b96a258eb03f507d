// Ends the process when its orderly stop takes too long, whatever the other threads do: a loop that waits for a file on
// a filesystem that hangs reads no signal.
//
// A thread of its own watches for SIGTERM and SIGINT without taking them. Where one is pending, or arm() was called,
// and the process still runs `limit` later, it writes a line and calls _exit(75). Sleeping threads that the kernel can
// kill (FUSE, NFS) go with it; one in an uninterruptible wait for a disk keeps the process until the disk answers.
//
// block_signals() must have been called; arm() may be called from any thread, more than once.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "base/disk.h"

namespace monitor {

class StopGuard {
 public:
  // `limit` runs from the signal. `program` begins the line.
  StopGuard(std::string program, int64_t limit_ns);
  // The stop was orderly.
  ~StopGuard();
  StopGuard(const StopGuard&) = delete;
  StopGuard& operator=(const StopGuard&) = delete;

  // The signal has been taken by somebody else.
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
