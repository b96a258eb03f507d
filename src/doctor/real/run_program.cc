#include "doctor/real/run_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/clock.h"
#include "base/disk.h"

namespace monitor::doctor {

namespace {

constexpr size_t kMaxBytes = size_t{4} << 20;

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<std::string> kept_environment() {
  std::vector<std::string> kept;
  for (const char* const name : {"PATH", "HOME", "LANG", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"}) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment after the start
    if (const char* const value = std::getenv(name)) kept.push_back(fmt::format("{}={}", name, value));
  }
  return kept;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<pid_t> spawn(const std::string& path, const std::vector<std::string>& arguments, const Pipe& out,
                    const Pipe& err) {
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  sigset_t none{};
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> words = {path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = kept_environment();
  pid_t pid = 0;
  const int error = posix_spawn(&pid, path.c_str(), &actions, &attributes, pointers_to(words).data(),
                                pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return errno_error(error, "running " + path);
  return pid;
}

// Reads what is there. False at the end of the stream.
bool take(int fd, std::string& into) {
  std::array<char, 8192> buffer{};
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  if (got > 0) into.append(buffer.data(), static_cast<size_t>(got));
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

Status gather(const Pipe& out, const Pipe& err, int64_t deadline, Ended& ended) {
  const SystemClock clock;
  std::array<pollfd, 2> fds = {pollfd{out.read.get(), POLLIN, 0}, pollfd{err.read.get(), POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    const int64_t left = deadline - clock.mono_ns();
    if (left <= 0) return Error(Code::kDeadlineExceeded, "did not end in time");
    if (poll(fds.data(), fds.size(), static_cast<int>(left / kNanosPerMilli + 1)) < 0 && errno != EINTR) {
      return errno_error(errno, "poll");
    }
    if (fds[0].revents != 0 && !take(fds[0].fd, ended.output)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !take(fds[1].fd, ended.errors)) fds[1].fd = -1;
    if (ended.output.size() + ended.errors.size() > kMaxBytes) {
      return Error(Code::kResourceExhausted, "printed more than 4 MiB");
    }
  }
  return {};
}

// The program may close its output and go on.
Status wait_for_end(pid_t pid, int64_t deadline) {
  const Fd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  pollfd one{fd.get(), POLLIN, 0};
  while (fd.valid()) {
    const int64_t left = deadline - SystemClock().mono_ns();
    if (left <= 0) return Error(Code::kDeadlineExceeded, "did not end in time");
    if (poll(&one, 1, static_cast<int>(left / kNanosPerMilli + 1)) > 0) break;
  }
  return {};
}

}  // namespace

Result<Ended> run_program(const std::string& path, const std::vector<std::string>& arguments, int64_t timeout_ns) {
  auto out = make_pipe();
  auto err = make_pipe();
  if (!out) return out.error();
  if (!err) return err.error();
  const int64_t deadline = SystemClock().mono_ns() + timeout_ns;
  const auto pid = spawn(path, arguments, *out, *err);
  if (!pid) return pid.error();
  out->write.reset();
  err->write.reset();
  Ended ended;
  Status gathered = gather(*out, *err, deadline, ended);
  if (gathered) gathered = wait_for_end(*pid, deadline);
  if (!gathered) kill(-*pid, SIGKILL);  // with anything that it started
  int status = 0;
  while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!gathered) return gathered.error().with_context(path);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

}  // namespace monitor::doctor
