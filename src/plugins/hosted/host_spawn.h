// HostSpawn: starts a host's process on a worker's thread. Starting a process blocks the caller until the exec, which
// takes hundreds of milliseconds on a busy machine: too long for the agent's loop.
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
  // The process's descriptors in addition to /dev/null: its end of the channel, and its output.
  Fd channel;
  Fd output;
  std::atomic<bool> wanted{true};  // false: the loop does not need it any more

  // The result, once run() has returned. No process and no error: it was not wanted any more.
  pid_t pid = 0;
  Fd pidfd;
  Status status;

  // On the worker's thread, once.
  void run();

 private:
  Status start();
};

// Reaps a process that is about to end.
void kill_and_reap(pid_t pid);

}  // namespace monitor::agent
