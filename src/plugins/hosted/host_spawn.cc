#include "plugins/hosted/host_spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace monitor::agent {

namespace {

constexpr int kChannelOfHost = 3;

// The new process's descriptors, attributes and environment.
class Attributes {
 public:
  Attributes(int channel, int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, channel, kChannelOfHost);
    posix_spawn_file_actions_addclosefrom_np(&actions, kChannelOfHost + 1);
    sigset_t none;
    sigemptyset(&none);
    sigset_t defaults;
    sigfillset(&defaults);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~Attributes() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

void kill_and_reap(pid_t pid) {
  ::kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void HostSpawn::run() {
  if (wanted) status = start();
  // From now on only the process holds these ends, so that its end closes them.
  channel.reset();
  output.reset();
}

Status HostSpawn::start() {
  const Attributes with(channel.get(), output.get());
  std::string path = program;
  std::string channel_number = std::to_string(kChannelOfHost);
  std::string parent = std::to_string(getpid());
  const std::array<char*, 4> argv = {path.data(), channel_number.data(), parent.data(), nullptr};
  // The environment is not passed on, because it may contain secrets. The variable sends messages of the C library to
  // the pipe.
  std::string fatal = "LIBC_FATAL_STDERR_=1";
  const std::array<char*, 2> environment = {fatal.data(), nullptr};
  pid_t made = 0;
  const int error = posix_spawn(&made, path.c_str(), &with.actions, &with.attributes, argv.data(), environment.data());
  if (error != 0) return errno_error(error, "starting " + program);
  pidfd = Fd(static_cast<int>(syscall(SYS_pidfd_open, made, 0)));  // O_CLOEXEC is always set
  if (!pidfd.valid()) {
    const Error why = errno_error(errno, "pidfd_open");
    kill_and_reap(made);
    return why;
  }
  pid = made;
  return {};
}

}  // namespace monitor::agent
