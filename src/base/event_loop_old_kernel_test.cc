// The loop on kernels, and in containers, that lack epoll_pwait2(). Each test runs in a process of its own, because a
// filter of system calls cannot be removed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "base/clock.h"
#include "base/event_loop.h"

namespace monitor {
namespace {

constexpr int kNotForbidden = 3;
constexpr int kWrongOrder = 4;
constexpr int kEarly = 5;

// From here on, epoll_pwait2() fails with `error`.
void forbid_pwait2(unsigned error) {
  std::array<sock_filter, 4> code = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{.len = code.size(), .filter = code.data()};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  epoll_event event{};
  if (epoll_pwait2(-1, &event, 1, nullptr, nullptr) != -1 || errno != static_cast<int>(error)) _exit(kNotForbidden);
}

// A descriptor that is ready, then a timer.
[[noreturn]] void run_a_loop() {
  const SystemClock clock;
  EventLoop loop(clock);
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) _exit(kWrongOrder);
  bool read = false;
  loop.watch(pipe[0], EPOLLIN, [&](uint32_t) {
    read = true;
    loop.unwatch(pipe[0]);
  });
  if (write(pipe[1], "x", 1) != 1) _exit(kWrongOrder);
  const int64_t due = clock.mono_ns() + 20 * kNanosPerMilli;
  loop.call_at(due, [&] {
    if (!read) _exit(kWrongOrder);
    _exit(clock.mono_ns() < due ? kEarly : EXIT_SUCCESS);
  });
  loop.run();
  _exit(kWrongOrder);
}

TEST(EventLoopDeathTest, RunsOnAKernelWithoutPwait2) {
  EXPECT_EXIT(
      {
        forbid_pwait2(ENOSYS);
        run_a_loop();
      },
      ::testing::ExitedWithCode(EXIT_SUCCESS), "");
}

TEST(EventLoopDeathTest, RunsWhereAFilterForbidsPwait2) {
  EXPECT_EXIT(
      {
        forbid_pwait2(EPERM);
        run_a_loop();
      },
      ::testing::ExitedWithCode(EXIT_SUCCESS), "");
}

}  // namespace
}  // namespace monitor
