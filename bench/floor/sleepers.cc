// Processes for the row `processes`: `count` of them that sleep, and with forks=N as many short-lived ones per second.
// All end with this program.
//
//   bench-sleepers count=N [forks=N]
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "floor/arguments.h"

namespace monitor::bench {
namespace {

int run(const Arguments& arguments) {
  const pid_t own = getpid();
  for (int64_t i = 0; i < arguments.number("count"); ++i) {
    const pid_t pid = fork();
    if (pid < 0) {
      std::perror("fork");
      return 71;
    }
    if (pid > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != own) return 0;
    while (true) pause();
  }
  std::puts("ready");
  static_cast<void>(std::fflush(stdout));
  if (!arguments.has("forks")) {
    while (true) pause();
  }
  const timespec between{0, 1'000'000'000 / arguments.number("forks")};
  while (true) {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    if (pid > 0) waitpid(pid, nullptr, 0);
    nanosleep(&between, nullptr);
  }
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
