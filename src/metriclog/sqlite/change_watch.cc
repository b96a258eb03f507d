#include "metriclog/sqlite/change_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string_view>

#include "base/clock.h"

namespace monitor::metriclog::sqlite {

ChangeWatch::ChangeWatch(const std::string& path) {
  const std::filesystem::path file(path);
  folder_ = file.parent_path().empty() ? "." : file.parent_path().string();
  prefix_ = file.filename().string();
  inotify_fd_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);  // if there is no instance left, only timeouts wake the reader
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  follow();
}

ChangeWatch::~ChangeWatch() {
  if (inotify_fd_ >= 0) close(inotify_fd_);
  if (wake_fd_ >= 0) close(wake_fd_);
}

void ChangeWatch::follow() {
  if (watch_ >= 0 || inotify_fd_ < 0) return;
  // ATTRIB: the writer touches a file after each commit. CLOSE_WRITE: the holder of a lock file has ended.
  watch_ = inotify_add_watch(inotify_fd_, folder_.c_str(), IN_ATTRIB | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
}

ChangeWatch::Why ChangeWatch::wait(int64_t timeout_ns) {
  follow();
  const SystemClock clock;
  const int64_t end = clock.mono_ns() + std::max<int64_t>(timeout_ns, 0);
  while (true) {
    std::array<pollfd, 2> fds{};
    fds[0] = {.fd = wake_fd_, .events = POLLIN, .revents = 0};
    fds[1] = {.fd = inotify_fd_, .events = POLLIN, .revents = 0};
    const int64_t left = std::max<int64_t>(end - clock.mono_ns(), 0);
    const timespec limit{.tv_sec = left / kNanosPerSecond, .tv_nsec = left % kNanosPerSecond};
    const int ready = ppoll(fds.data(), fds.size(), &limit, nullptr);
    if (ready < 0) return Why::kWoken;  // a signal, which the caller wants to handle
    if (ready == 0) return Why::kTimeout;
    if (fds[0].revents != 0) {
      uint64_t count = 0;
      [[maybe_unused]] const ssize_t n = read(wake_fd_, &count, sizeof count);
      return Why::kWoken;
    }
    if (drain()) return Why::kChange;
  }
}

bool ChangeWatch::drain() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool ours = false;
  while (true) {
    const ssize_t size = read(inotify_fd_, buffer.data(), buffer.size());
    if (size <= 0) return ours;
    for (ssize_t at = 0; at < size;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      if ((event.mask & IN_IGNORED) != 0) watch_ = -1;  // the folder was removed
      if ((event.mask & IN_Q_OVERFLOW) != 0) ours = true;
      if (event.len > 0 && std::string_view(name).starts_with(prefix_)) ours = true;
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
}

void ChangeWatch::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_fd_, &one, sizeof one);
}

}  // namespace monitor::metriclog::sqlite
