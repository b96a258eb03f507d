// HostSpawn: starts the process of a host on a worker's thread. Whoever starts a process stands still until it runs its
// own program, which on a busy machine is hundreds of milliseconds: more than a loop that ticks can spare.
//
// The process ends with the thread that started it (PR_SET_PDEATHSIG): the worker must outlive the hosts.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor::agent {

struct HostSpawn {
  std::string program;
  // What the process has besides /dev/null: its end of the channel, and where it prints to.
  Fd channel;
  Fd output;
  std::atomic<bool> wanted{true};  // until the loop says that it is not worth starting any more

  // What came of it, once run() has returned. No process and no error: it was not wanted any more.
  pid_t pid = 0;
  Fd pidfd;
  Status status;

  // On the worker's thread, once.
  void run();

 private:
  Status start();
};

// Waits for its end, which is soon.
void kill_and_reap(pid_t pid);

}  // namespace monitor::agent
