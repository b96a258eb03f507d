#include "agent/health.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace monitor::agent {

namespace {

constexpr const char* kName = "health.sock";
constexpr std::string_view kReady = "ready\n";
constexpr std::string_view kNotReady = "not ready\n";
constexpr int kBacklog = 16;
constexpr size_t kMaxStatus = 2000;  // fits into every socket's buffer, so that an answer is one send()
constexpr size_t kMaxAnswer = 4096;

// The socket's address. The path of a folder may be longer than a socket's address can be (107 bytes), so the folder
// is named by its descriptor.
Result<sockaddr_un> address_in(int folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", folder, kName);
  if (path.size() >= sizeof(address.sun_path)) return Error(Code::kInternal, "the socket's address is too long");
  std::ranges::copy(path, address.sun_path);
  return address;
}

Result<Fd> open_folder(const std::string& folder) {
  Fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno_error(errno, "opening " + folder);
  return fd;
}

std::string text_of(const Health& health) {
  std::string status = health.status.substr(0, kMaxStatus);
  std::ranges::replace(status, '\n', ' ');
  return std::string(health.ready ? kReady : kNotReady) + status + "\n";
}

Result<Health> parse(std::string_view text, const std::string& path) {
  for (const auto& [word, ready] : {std::pair{kReady, true}, std::pair{kNotReady, false}}) {
    if (text.starts_with(word) && text.ends_with('\n'))
      return Health{ready, std::string(trim(text.substr(word.size())))};
  }
  return Error(Code::kDataLoss, fmt::format("{} answers with {} bytes that are no agent's answer", path, text.size()));
}

// Waits until the socket can be read or written. False: the time is over.
bool wait_for(int fd, short events, int64_t end_ns) {
  const SystemClock clock;
  while (true) {
    const int64_t left = end_ns - clock.mono_ns();
    if (left <= 0) return false;
    pollfd one{fd, events, 0};
    const int got = poll(&one, 1, static_cast<int>(std::min<int64_t>(left / kNanosPerMilli + 1, INT32_MAX)));
    if (got > 0) return true;
    if (got < 0 && errno != EINTR) return true;  // the next call on the socket reports it
  }
}

Status connect_until(const Fd& fd, const sockaddr_un& address, const std::string& path, int64_t end_ns) {
  constexpr int kRetryMs = 20;
  while (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int fault = errno;
    if (fault == ENOENT || fault == ECONNREFUSED) return Error(Code::kNotFound, "no agent runs with " + path);
    if (fault != EAGAIN && fault != EINTR) return errno_error(fault, "connecting to " + path);
    // EAGAIN: as many clients wait as the agent lets in; poll() does not tell when one is done.
    if (SystemClock().mono_ns() >= end_ns) return Error(Code::kDeadlineExceeded, path + " accepts no connection");
    (void)poll(nullptr, 0, kRetryMs);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<HealthSocket>> HealthSocket::open(EventLoop& loop, const std::string& folder,
                                                         std::function<Health()> health) {
  const auto at = open_folder(folder);
  if (!at) return at.error();
  const auto address = address_in(at->get());
  if (!address) return address.error();
  const std::string path = folder + "/" + kName;
  if (unlinkat(at->get(), kName, 0) != 0 && errno != ENOENT) return errno_error(errno, "removing " + path);
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return errno_error(errno, "making a socket for " + path);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    return errno_error(errno, "making " + path);
  }
  constexpr mode_t kOwner = S_IRUSR | S_IWUSR;
  if (fchmodat(at->get(), kName, kOwner, 0) != 0) return errno_error(errno, "changing the mode of " + path);
  if (listen(fd.get(), kBacklog) != 0) return errno_error(errno, "listening on " + path);
  return std::unique_ptr<HealthSocket>(new HealthSocket(loop, path, std::move(fd), std::move(health)));
}

HealthSocket::HealthSocket(EventLoop& loop, std::string path, Fd fd, std::function<Health()> health)
    : loop_(loop), path_(std::move(path)), fd_(std::move(fd)), health_(std::move(health)) {
  loop_.watch(fd_.get(), EPOLLIN, [this](uint32_t) { answer_all(); });
}

HealthSocket::~HealthSocket() {
  loop_.unwatch(fd_.get());
  (void)unlink(path_.c_str());
}

void HealthSocket::answer_all() {
  // At most as many as wait; the loop reports later ones again.
  for (int i = 0; i < kBacklog; ++i) {
    const Fd client(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client.valid()) return;
    const std::string text = text_of(health_());
    (void)!send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
}

Result<Health> ask_health(const std::string& folder, int64_t timeout_ns) {
  const int64_t end = SystemClock().mono_ns() + timeout_ns;
  const std::string path = folder + "/" + kName;
  const auto at = open_folder(folder);
  if (!at) return at.error();
  const auto address = address_in(at->get());
  if (!address) return address.error();
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return errno_error(errno, "making a socket");
  if (Status connected = connect_until(fd, *address, path, end); !connected) return connected.error();
  std::string text;
  std::array<char, kMaxAnswer> buffer{};
  while (text.size() <= kMaxAnswer) {
    if (!wait_for(fd.get(), POLLIN, end)) {
      return Error(Code::kDeadlineExceeded,
                   fmt::format("the agent does not answer on {} within {} ms", path, timeout_ns / kNanosPerMilli));
    }
    const ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) break;
    if (got > 0) {
      text.append(buffer.data(), static_cast<size_t>(got));
    } else if (errno != EAGAIN && errno != EINTR) {
      return errno_error(errno, "reading from " + path);
    }
  }
  return parse(text, path);
}

}  // namespace monitor::agent
