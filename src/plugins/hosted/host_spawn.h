// HostSpawn: starts a host's process on a worker's thread. Starting a process blocks the caller until the exec, which
// takes hundreds of milliseconds on a busy machine: too long for the agent's loop.
//
// The process ends with the thread that started it (PR_SET_PDEATHSIG), so the worker must outlive the hosts.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor::agent {

struct HostSpawn {
  std::string program;
  // Descriptors of the process besides /dev/null: its end of the channel, and its output.
  Fd channel;
  Fd output;
  std::atomic<bool> wanted{true};  // false: the loop no longer needs the process

  // The result, valid once run() has returned. Neither a process nor an error: it was no longer wanted.
  pid_t pid = 0;
  Fd pidfd;
  Status status;

  // Call once, on the worker's thread.
  void run();

 private:
  Status start();
};

// Kills the process and waits for its end.
void kill_and_reap(pid_t pid);

}  // namespace monitor::agent
