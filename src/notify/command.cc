#include "notify/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/clock.h"
#include "base/disk.h"

namespace monitor::notify {

namespace {

constexpr size_t kKeepBytes = size_t{4} << 10;
constexpr int kRefusedStatus = 65;  // EX_DATAERR of sysexits

// A process and the ends of its standard streams.
class Process {
 public:
  Process() = default;
  ~Process() {
    if (pid_ <= 0) return;
    kill(-pid_, SIGKILL);
    if (!reaped_) waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Status start(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    // A socket instead of a pipe: writing to it when nobody reads any more raises no signal.
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input.data()) != 0) return errno_error(errno, "socketpair");
    input_.reset(input[0]);
    const Fd its_input(input[1]);
    if (pipe2(output.data(), O_CLOEXEC) != 0) return errno_error(errno, "pipe");
    output_.reset(output[0]);
    const Fd its_output(output[1]);
    fcntl(input_.get(), F_SETFL, O_NONBLOCK);
    fcntl(output_.get(), F_SETFL, O_NONBLOCK);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, its_input.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, its_output.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, its_output.get(), STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    auto arguments = pointers(command);
    auto variables = pointers(environment);
    const int rc =
        posix_spawn(&pid_, command.front().c_str(), &actions, &attributes, arguments.data(), variables.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (rc == 0) return {};
    pid_ = 0;
    return errno_error(rc, command.front());
  }

  // Feeds and reads until it has exited. Error: it was killed, and why.
  Result<int> run(const std::string& input, int64_t timeout_ms, const std::atomic<bool>& stop) {
    const SystemClock clock;
    const int64_t deadline_ns = clock.mono_ns() + timeout_ms * kNanosPerMilli;
    size_t written = 0;
    while (true) {
      if (stop) return Error(Code::kCancelled, "it was stopped");
      if (clock.mono_ns() >= deadline_ns) {
        return Error(Code::kDeadlineExceeded, fmt::format("it has not ended within {} ms, and was killed", timeout_ms));
      }
      read_output();
      feed(input, written);
      int status = 0;
      const pid_t ended = waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) {
        reaped_ = true;
        kill(-pid_, SIGKILL);  // what it has left behind
        read_output();
        return status;
      }
      wait();
    }
  }
  const std::string& text() const { return text_; }

 private:
  static std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (const std::string& one : texts) result.push_back(const_cast<char*>(one.c_str()));
    result.push_back(nullptr);
    return result;
  }

  void feed(const std::string& input, size_t& written) {
    while (input_.valid()) {
      const ssize_t n = written < input.size()
                            ? ::send(input_.get(), input.data() + written, input.size() - written, MSG_NOSIGNAL)
                            : 0;
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (n > 0) written += static_cast<size_t>(n);
      // All of it, or it closed its input: it may still succeed.
      if (n < 0 || written == input.size()) input_.reset();
    }
  }

  void read_output() {
    std::array<char, 16384> buffer{};
    // A flood is read in turns, so that the deadline holds.
    for (int turn = 0; turn < 64 && output_.valid(); ++turn) {
      const ssize_t n = read(output_.get(), buffer.data(), buffer.size());
      if (n < 0) return;
      if (n == 0) output_.reset();
      const size_t kept = std::min(static_cast<size_t>(n), kKeepBytes - text_.size());
      text_.append(buffer.data(), kept);
    }
  }

  void wait() const {
    std::array<pollfd, 2> fds = {pollfd{output_.get(), POLLIN, 0}, pollfd{input_.get(), POLLOUT, 0}};
    constexpr int kLookMs = 20;
    poll(fds.data(), fds.size(), kLookMs);
  }

  pid_t pid_ = 0;
  bool reaped_ = false;
  Fd input_;
  Fd output_;
  std::string text_;
};

}  // namespace

Outcome CommandSender::send(const Notification& notification, const std::atomic<bool>& stop) {
  Process process;
  const std::vector<std::string> environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                                "LANG=C.UTF-8", "MONITOR_NOTIFICATION_ID=" + notification.id};
  if (Status started = process.start(integration_.command, environment); !started) {
    return {Outcome::Kind::kRetry, short_answer("the program cannot be started: " + started.error().message())};
  }
  const auto status = process.run(webhook_json(notification), integration_.timeout_ms, stop);
  const std::string said = process.text().empty() ? "" : ": " + process.text();
  if (!status) return {Outcome::Kind::kRetry, short_answer(status.error().message() + said)};
  if (WIFSIGNALED(*status)) {
    return {Outcome::Kind::kRetry, short_answer(fmt::format("signal {} ended it{}", WTERMSIG(*status), said))};
  }
  const int code = WEXITSTATUS(*status);
  const auto kind = code == 0                ? Outcome::Kind::kSent
                    : code == kRefusedStatus ? Outcome::Kind::kRefused
                                             : Outcome::Kind::kRetry;
  return {kind, short_answer(fmt::format("exit status {}{}", code, said))};
}

}  // namespace monitor::notify
