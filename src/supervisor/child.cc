#include "supervisor/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/written_file.h"

extern char** environ;

namespace monitor::supervisor {

namespace {

constexpr off_t kRotateAt = off_t{10} * 1024 * 1024;
constexpr size_t kMaxLine = size_t{64} * 1024;

Result<Fd> open_log(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) == 0 && info.st_size > kRotateAt) rename(path.c_str(), (path + ".1").c_str());
  Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!fd.valid() || fstat(fd.get(), &info) != 0) return errno_error(errno, "opening the log file " + path);
  if (Status good = check_written_file(info, "the log file " + path, false); !good) return good.error();
  return fd;
}

// Resets state that the child must not inherit: blocked signals, ignored SIGPIPE, the process group.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

}  // namespace

std::string Ending::to_string() const {
  return signal != 0 ? fmt::format("signal {}", signal) : fmt::format("exit status {}", exit_code);
}

Child::Child(EventLoop& loop, ChildOptions options) : loop_(loop), options_(std::move(options)) {}

Child::~Child() {
  if (running()) kill(pid_, SIGKILL);
  close_output();
}

Status Child::start() {
  auto log = open_log(options_.log_file);
  if (!log) return log.error();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "pipe");
  Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  fcntl(read_end.get(), F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDERR_FILENO);
  std::vector<char*> argv = {options_.program.data()};
  for (std::string& argument : options_.arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const SpawnAttributes attributes;
  pid_t pid = 0;
  const int error = posix_spawn(&pid, options_.program.c_str(), &actions, attributes.get(), argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return errno_error(error, "starting " + options_.program);

  close_output();
  pid_ = pid;
  log_ = std::move(*log);
  output_ = std::move(read_end);
  loop_.watch(output_.get(), EPOLLIN, [this](uint32_t) { read_output(); });
  return {};
}

void Child::signal(int number) const {
  if (running()) kill(pid_, number);
}

void Child::read_output() {
  std::array<char, size_t{16} * 1024> buffer{};
  while (output_.valid()) {
    const ssize_t n = read(output_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;  // no more output for now
    if (n == 0) {
      close_output();
      return;
    }
    const std::string_view text(buffer.data(), static_cast<size_t>(n));
    // The line is lost, because a full disk must not stop the child.
    [[maybe_unused]] const ssize_t written = write(log_.get(), text.data(), text.size());
    partial_ += text;
    size_t start = 0;
    for (size_t end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n', start)) {
      const bool rest = std::exchange(cut_, false);
      if (!rest && options_.on_line) options_.on_line(partial_.substr(start, end - start));
      start = end + 1;
    }
    partial_.erase(0, start);
    if (partial_.size() <= kMaxLine) continue;
    // The rest of an overlong line must not count as a line, because its author would control how it starts.
    partial_.clear();
    cut_ = true;
  }
}

void Child::reaped() {
  read_output();
  close_output();
  pid_ = 0;
}

void Child::close_output() {
  if (output_.valid()) loop_.unwatch(output_.get());
  output_.reset();
  partial_.clear();
}

}  // namespace monitor::supervisor
